"""What payment-gateway can be told."""

from pydantic import Field

from mock_services.kit.settings import (
    DatabaseSettings,
    PositiveSeconds,
    RatePerS,
    Share,
    published,
)


class PaymentSettings(DatabaseSettings):
    """payment-gateway: charges against a processor's sandbox."""

    DEFAULT_LATENCY = published(charge=(342, 298, 612, 890, 2104))

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
    idempotency_keys_max: int = Field(
        default=20_000,
        ge=1,
        le=10_000_000,
        description="idempotency keys remembered: minutes of charges, as retries come in seconds",
    )
