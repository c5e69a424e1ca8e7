"""What cart-service can be told."""

from typing import Literal

from pydantic import Field

from mock_services.kit.settings import PositiveSeconds, ServiceSettings, Share, published


class CartSettings(ServiceSettings):
    """cart-service: carts in an in-memory session cache."""

    # Of add_to_cart Appendix A's. Nobody published what a checkout's look at the cart takes: it
    # is a part of start_checkout, as the lock is.
    DEFAULT_LATENCY = published(
        add_to_cart=(156, 134, 312, 498, 1521), checkout=(None, 6, 12, 20, 100)
    )
    FIXED_WHILE_RUNNING = ServiceSettings.FIXED_WHILE_RUNNING | {"baseline_bytes"}

    check_owner: bool = Field(
        default=True,
        description="a cart belongs to the user of the token that opened it, others get 403; "
        "false plants the bug that anybody may fill it",
    )
    baseline_bytes: int = Field(
        default=0,
        ge=0,
        le=2**36,
        description="memory that is really held besides the sessions and the process's own 65 MB "
        "(bytes)",
    )
    session_bytes: int = Field(
        default=2_048,
        ge=0,
        le=16_777_216,
        description="memory one session really holds besides its cart of about 0.5 kB; 175 new "
        "carts/s x (1,800 s + 300 s) x 2.5 kB = 0.9 GB, with a baseline of 512 MB still below the "
        "collection at 1.8 GB (bytes)",
    )
    sessions_max: int = Field(
        default=500_000,
        ge=1,
        le=100_000_000,
        description="scheduled: past this many the least recently accessed is dropped, expired or "
        "not; x 2.5 kB = 1.3 GB. A lazy cache knows no limit",
    )
    eviction: Literal["scheduled", "lazy"] = Field(
        default="scheduled",
        description="scheduled: expired sessions are dropped each interval; lazy: what is not "
        "accessed again by then is lost until a collection (the seed's leak VC-QA-2891)",
    )
    leak_share: Share = Field(
        default=1.0,
        description="lazy: share of the expired sessions that is lost, dealt exactly; 1/3 is what "
        "one pod of three has of them",
    )
    leak_share_collected: Share | None = Field(
        default=None,
        description="lazy: the same from the first collection on; clients that reconnect during "
        "its pause stay where they are, so pods that collect one after the other leave the first "
        "with more than its share (three: 5/8); none = as before",
    )
    ttl_s: PositiveSeconds = Field(
        default=1800.0, description="a session not accessed this long is expired (seconds)"
    )
    eviction_interval_s: PositiveSeconds = Field(
        default=300.0, description="time between two evictions (seconds)"
    )
    gc_at_share: Share = Field(
        default=0.9, description="share of the limit at which a collection runs (seed: 1.8 of 2 GB)"
    )
    memory_check_interval_s: PositiveSeconds = Field(
        default=1.0, description="time between two looks at the process's memory (seconds)"
    )
    oom_kill: bool = Field(
        default=True, description="past the limit the process ends like an OOM kill (exit code 137)"
    )

    def lost_share(self, *, collected: bool) -> float:
        """Share of the expired sessions that no eviction finds; ``collected``: there was one."""
        if self.eviction == "scheduled":
            return 0.0
        later = self.leak_share_collected if collected else None
        return self.leak_share if later is None else later
