"""What inventory-lock-service can be told."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from mock_services.kit.settings import DatabaseSettings, PositiveSeconds, published

SLOWEST_PER_S = 0.001


def _none_or_sweeping(per_s: float) -> float:
    if 0 < per_s < SLOWEST_PER_S:
        raise ValueError(f"must be 0 (at once) or at least {SLOWEST_PER_S}")
    return per_s


SweptPerS = Annotated[float, Field(ge=0.0, le=1e6), AfterValidator(_none_or_sweeping)]
Replicas = Annotated[int, Field(ge=1, le=100)]


class InventoryLockSettings(DatabaseSettings):
    """inventory-lock-service: locks on stock, each holding a pooled connection."""

    # The seed publishes no percentiles for the lock service. Assumption: they must fit inside
    # start_checkout and confirm, of which an acquire and a release are a part.
    DEFAULT_LATENCY = published(acquire=(None, 25, 50, 80, 400), release=(None, 8, 15, 25, 100))

    replicas: Replicas = Field(
        default=2,
        description="replicas at the start, each with its own pool; given while running it scales "
        "by hand: so many serve at once, and the autoscaler goes on from there. Outside of "
        "replicas_min to replicas_max it widens them",
    )
    replicas_down: int = Field(
        default=0,
        ge=0,
        le=100,
        description="replicas that answer every acquire 502 and are still routed to",
    )
    pool_max: int = Field(
        default=2000, ge=1, le=1_000_000, description="connections in the pool of each replica"
    )
    wait_timeout_s: PositiveSeconds = Field(
        default=5.0, description="longest wait for a connection, then 503 (seconds)"
    )
    routing: Literal["least_connections", "round_robin"] = Field(
        default="least_connections",
        description="which replica gets a request: the one with the fewest connections taken and "
        "callers waiting, or each in turn",
    )
    lock_ttl_s: PositiveSeconds = Field(
        default=300.0,
        description="time to live of a lock that asks for none, and the most any lock gets "
        "(seconds)",
    )
    hold: Literal["until_release", "transaction"] = Field(
        default="until_release",
        description="until_release: a lock keeps its connection until released, or expired and "
        "swept; transaction: a request keeps one only while it works",
    )
    expiry_per_s: SweptPerS = Field(
        default=3.967,
        description="expired locks whose connections each replica's sweeper frees; until then "
        "they are held. 0 = at once (locks/second)",
    )

    # CPU of a replica, fitted to the seed: 63 % at T+2h, 84 % when the pool is exhausted.
    cpu_interval_s: float = Field(
        default=1.0, ge=0.01, le=3600.0, description="time between two readings of CPU (seconds)"
    )
    request_cpu_ms: float = Field(
        default=2.05, ge=0.0, le=1e6, description="CPU time of a request (milliseconds)"
    )
    lock_scan_cpu_ms: float = Field(
        default=0.309,
        ge=0.0,
        le=1e6,
        description="CPU time that each held lock takes, as the sweeper scans it "
        "(milliseconds a second)",
    )
    waiting_cpu_percent: float = Field(
        default=5.0,
        ge=0.0,
        le=1000.0,
        description="CPU that a replica takes while callers wait for its connections (percent)",
    )

    autoscale: bool = Field(
        default=True, description="scale the replicas by what scale_on says, as Kubernetes does"
    )
    scale_on: Literal["cpu", "pool_utilization"] = Field(
        default="cpu", description="the metric to scale on, mean of the replicas that serve"
    )
    scale_threshold_percent: float = Field(
        default=80.0, ge=1.0, le=1000.0, description="its target (percent)"
    )
    scale_hold_s: float = Field(
        default=120.0,
        ge=0.0,
        le=86_400.0,
        description="more replicas must be wanted for so long (seconds)",
    )
    scale_down_after_s: float = Field(
        default=0.0,
        ge=0.0,
        le=86_400.0,
        description="fewer replicas must be wanted for so long, Kubernetes' default is 300; "
        "0 = never: the seed's third replica stayed at 43 % CPU, which two could have carried, "
        "and through the ramp-down (seconds)",
    )
    replicas_min: Replicas = Field(default=2, description="fewest replicas to scale down to")
    replicas_max: Replicas = Field(default=5, description="most replicas to scale up to")
    pod_scheduling_s: float = Field(
        default=132.0,
        ge=0.0,
        le=86_400.0,
        description="from the decision until a new replica has a node (seconds)",
    )
    pod_start_s: float = Field(
        default=35.0, ge=0.0, le=86_400.0, description="until its container has started (seconds)"
    )
    pod_readiness_s: float = Field(
        default=15.0, ge=0.0, le=86_400.0, description="until it is ready and serves (seconds)"
    )

    @model_validator(mode="after")
    def _range(self) -> Self:
        if self.replicas_min > self.replicas_max:
            raise ValueError(
                f"replicas_min = {self.replicas_min} is more than "
                f"replicas_max = {self.replicas_max}"
            )
        return self

    @property
    def fewest(self) -> int:
        """Replicas that the autoscaler leaves."""
        return min(self.replicas_min, self.replicas)

    @property
    def most(self) -> int:
        """Replicas that the autoscaler goes up to."""
        return max(self.replicas_max, self.replicas)
