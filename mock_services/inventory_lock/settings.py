"""What inventory-lock-service can be told."""

from typing import Literal

from pydantic import Field

from mock_services.kit.settings import DatabaseSettings, PositiveSeconds, published


class InventoryLockSettings(DatabaseSettings):
    """inventory-lock-service: locks on stock, each holding a pooled connection."""

    # The seed publishes no percentiles for the lock service. Assumption: they must fit inside
    # start_checkout and confirm, of which an acquire and a release are a part.
    DEFAULT_LATENCY = published(acquire=(None, 25, 50, 80, 400), release=(None, 8, 15, 25, 100))

    replicas: int = Field(default=2, ge=1, le=100, description="replicas, each with its own pool")
    pool_max: int = Field(
        default=2000, ge=1, le=1_000_000, description="connections in the pool of each replica"
    )
    wait_timeout_s: PositiveSeconds = Field(
        default=5.0, description="longest wait for a connection, then 503 (seconds)"
    )
    lock_ttl_s: PositiveSeconds = Field(
        default=300.0,
        description="time to live of a lock that asks for none, and the most any lock gets "
        "(seconds)",
    )
    hold: Literal["until_release", "transaction"] = Field(
        default="until_release",
        description="until_release: a lock keeps its connection until released or expired; "
        "transaction: a request keeps one only while it works",
    )
