"""What payment-gateway can be told."""

from pydantic import Field

from mock_services.kit.settings import (
    BaseUrl,
    ConnectedSettings,
    PositiveSeconds,
    RatePerS,
    Share,
    published,
)


class PaymentSettings(ConnectedSettings):
    """payment-gateway: charges against a processor's sandbox."""

    # `payment` is part of others' answers (confirm asks for it) and fits inside of them.
    DEFAULT_LATENCY = published(
        charge=(342, 298, 612, 890, 2104),
        payment=(None, 3, 8, 15, 40),
    )
    FIXED_WHILE_RUNNING = ConnectedSettings.FIXED_WHILE_RUNNING | {
        "ask_connections_max",
    }

    pool_max: int = Field(
        default=100, ge=1, le=1_000_000, description="connections to the payment processor"
    )
    pool_wait_timeout_s: PositiveSeconds = Field(
        default=2.0, description="longest wait for one of them, then 503 (seconds)"
    )
    decline_share: Share = Field(
        default=0.0, description="share of the good card's charges declined (generic_decline)"
    )
    insufficient_funds_share: Share = Field(
        default=0.0, description="share of the good card's charges declined (insufficient_funds)"
    )
    rate_limit_per_s: RatePerS = Field(
        default=200.0, description="sandbox rate limit, 0 = off (charges/second)"
    )
    gateway_timeout_share: Share = Field(
        default=0.0003, description="share of charges that end in 504 (seed: 0.03 %)"
    )
    gateway_timeout_s: PositiveSeconds = Field(
        default=2.0, description="a charge that ends in 504 takes this long (seconds)"
    )
    gateway_completes_s: PositiveSeconds = Field(
        default=5.0,
        description="the processor goes on with such a charge, and ends it as any other so long "
        "after the 504; until then its key is in flight (seconds)",
    )
    check_checkout: bool = Field(
        default=True,
        description="ask checkout for the amount and whose it is; off: anybody pays what follows "
        "from the checkout's id",
    )
    checkout_url: BaseUrl = Field(default="http://127.0.0.1:8001", description="checkout")
    ask_connections_max: int = Field(
        default=1000, ge=1, le=100_000, description="HTTP connections to checkout"
    )
    one_charge_per_checkout: bool = Field(
        default=True,
        description="409 for a checkout that is paid, or being paid; off: it is charged again",
    )
    idempotency_key_ttl_s: PositiveSeconds = Field(
        default=86_400.0, description="an idempotency key is in force this long (seconds)"
    )
    idempotency_keys_max: int = Field(
        default=10_000_000,
        ge=1,
        le=10_000_000,
        description="idempotency keys in force, the last ones; a day of the seed's 81 charges/s "
        "has 7 million",
    )
    ledger_commit_interval_s: float = Field(
        default=0.05,
        ge=0.0,
        le=1.0,
        description="payments are committed in groups this often (seconds)",
    )
