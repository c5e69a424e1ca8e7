"""What cart-service can be told."""

from typing import Literal

from pydantic import Field

from mock_services.kit.settings import PositiveSeconds, ServiceSettings, Share, published


class CartSettings(ServiceSettings):
    """cart-service: carts in an in-memory session cache."""

    DEFAULT_LATENCY = published(add_to_cart=(156, 134, 312, 498, 1521))

    session_bytes: int = Field(
        default=16_384, ge=0, le=16_777_216, description="memory one session really holds"
    )
    eviction: Literal["scheduled", "lazy"] = Field(
        default="scheduled",
        description="scheduled: expired sessions are dropped each interval; lazy: only when "
        "they are accessed (the seed's leak VC-QA-2891)",
    )
    ttl_s: PositiveSeconds = Field(
        default=1800.0, description="a session not accessed this long is expired (seconds)"
    )
    eviction_interval_s: PositiveSeconds = Field(
        default=300.0, description="time between two scheduled evictions (seconds)"
    )
    memory_limit_bytes: int = Field(
        default=2 * 1024**3, ge=1, lt=2**63, description="memory limit of the container"
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
