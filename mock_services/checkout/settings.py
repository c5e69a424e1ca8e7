"""What checkout-service can be told."""

from pydantic import Field

from mock_services.kit.postgres_url import PostgresUrl
from mock_services.kit.settings import BaseUrl, ConnectedSettings, PositiveSeconds, published


class CheckoutSettings(ConnectedSettings):
    """checkout-service: catalogue, coupons, checkouts, orders."""

    # Appendix A of the load test LT-2025-Q3-CHECKOUT, as are those of cart and payment.
    DEFAULT_LATENCY = published(
        browse=(89, 72, 187, 312, 891),
        detail=(112, 98, 234, 401, 1204),
        apply_coupon=(134, 112, 278, 442, 987),
        start_checkout=(287, 245, 512, 789, 1847),
        confirm=(198, 167, 398, 601, 1412),
        # Not published: what payment-gateway asks for has to fit inside a charge.
        checkout=(None, 5, 10, 15, 60),
    )
    FIXED_WHILE_RUNNING = ConnectedSettings.FIXED_WHILE_RUNNING | {
        "ledger",
        "ledger_connections",
        "ledger_schema",
        "lock_connections_max",
        "stock_per_sku",
    }

    ledger: PostgresUrl | None = Field(
        default=None,
        description="PostgreSQL that keeps checkouts, orders and stock in place of the SQLite "
        "file: postgresql://USER@HOST:PORT/DATABASE; takes the extra `loadgate[postgres]`",
    )
    ledger_schema: str = Field(
        default="",
        max_length=63,
        description='schema of its tables there; a run sets its own, "" = one of the process, '
        "dropped at exit",
    )
    ledger_connections: int = Field(
        default=8, ge=1, le=1000, description="connections to that PostgreSQL"
    )

    pool_max: int = Field(
        default=200, ge=1, le=1_000_000, description="connections to the orders database"
    )
    pool_wait_timeout_s: PositiveSeconds = Field(
        default=2.0, description="longest wait for one of them, then 503 (seconds)"
    )
    inventory_lock_url: BaseUrl = Field(default="http://127.0.0.1:8003", description="lock service")
    cart_url: BaseUrl = Field(default="http://127.0.0.1:8004", description="cart service")
    payment_url: BaseUrl = Field(default="http://127.0.0.1:8002", description="payment gateway")
    check_cart: bool = Field(
        default=True,
        description="start sells what cart-service has in the cart; off: what the request names, "
        "at a price that follows from the checkout's id, and coupons are not remembered",
    )
    check_payment: bool = Field(
        default=True, description="confirm needs a succeeded payment of that checkout and amount"
    )
    check_lock: bool = Field(
        default=True, description="confirm needs the checkout's lock to be in force still"
    )
    check_owner: bool = Field(
        default=True,
        description="start and confirm are refused to tokens of other users than the cart's and "
        "the checkout's (service tokens may)",
    )
    stock_per_sku: int | None = Field(
        default=None,
        ge=0,
        le=1_000_000_000,
        description="pieces there are to sell of each SKU; none = any number",
    )
    stock_slack: int = Field(
        default=0, ge=0, le=1_000_000_000, description="pieces of each SKU sold beyond its stock"
    )
    lock_attempt_timeout_s: PositiveSeconds = Field(
        default=0.8,
        description="one attempt at the lock service (seconds); 2 x 0.8 + 0.1 fits the seed's "
        "worst start of 1,847 ms while the lock service itself waited 5,000 ms",
    )
    lock_attempts: int = Field(default=2, ge=1, le=10, description="attempts at the lock service")
    lock_retry_backoff_s: float = Field(
        default=0.1, ge=0.0, le=60.0, description="pause between two attempts (seconds)"
    )
    lock_connections_max: int = Field(
        default=1000, ge=1, le=100_000, description="HTTP connections to each service it calls"
    )
    lock_ttl_s: int = Field(
        default=300, ge=1, le=86_400, description="time to live asked for a lock (seconds)"
    )
    checkout_ttl_s: PositiveSeconds = Field(
        default=900.0, description="a checkout not confirmed by then is forgotten (seconds)"
    )
