"""What a service can be told: frozen models, every unit in its name, unknown keys refused.

One schema for all callers: the environment (`MOCK_SETTINGS`), `POST /admin/behaviour`, and the
`[services.*]` tables of a profile.
"""

import secrets
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0.0, le=1.0)]
PositiveSeconds = Annotated[float, Field(gt=0.0, le=86_400.0)]


class Frozen(BaseModel):
    """A value: cannot be changed, refuses keys it does not know and values of another kind."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Quantiles(Frozen):
    """Latency of an endpoint by its published percentiles, in milliseconds."""

    p50_ms: float = Field(gt=0, le=600_000, description="median")
    p95_ms: float = Field(gt=0, le=600_000, description="95th percentile")
    p99_ms: float = Field(gt=0, le=600_000, description="99th percentile")
    max_ms: float = Field(gt=0, le=600_000, description="nothing takes longer than this")
    mean_ms: float | None = Field(
        default=None, gt=0, le=600_000, description="mean; shapes the half below the median"
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.p50_ms <= self.p95_ms <= self.p99_ms <= self.max_ms:
            raise ValueError(
                "quantiles must not decrease: "
                f"p50_ms={self.p50_ms:g} p95_ms={self.p95_ms:g} "
                f"p99_ms={self.p99_ms:g} max_ms={self.max_ms:g}"
            )
        return self


Row = tuple[float | None, float, float, float, float]
"""Mean, p50, p95, p99 and maximum, ms."""


def published(**rows: Row) -> Mapping[str, Quantiles]:
    """Latencies by endpoint, as a load test's report has them."""
    names = ("mean_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms")
    return {
        endpoint: Quantiles.model_validate(dict(zip(names, row, strict=True)))
        for endpoint, row in rows.items()
    }


class ServiceSettings(Frozen):
    """What all services share."""

    DEFAULT_LATENCY: ClassVar[Mapping[str, Quantiles]] = {}
    FIXED_WHILE_RUNNING: ClassVar[frozenset[str]] = frozenset({"seed"})
    """Settings that only count at start-up."""

    seed: int = Field(
        default_factory=lambda: secrets.randbits(32),
        ge=0,
        lt=2**63,
        description="seed of everything drawn at random; without one each process draws its own",
    )
    error_share: Share = Field(
        default=0.0,
        description="share of business requests answered 500 InternalError, dealt exactly "
        "(every 1/share-th request of an endpoint), not by chance",
    )
    stall_s: float = Field(
        default=0.0,
        ge=0.0,
        le=3600.0,
        description="business requests that start within this time from now wait until it is "
        "over; 0 = off (seconds)",
    )
    latency_scale: float = Field(
        default=1.0, gt=0.0, le=1000.0, description="multiplies every drawn latency"
    )
    memory_limit_bytes: int = Field(
        default=2 * 1024**3,
        ge=1,
        lt=2**63,
        description="memory limit of the container, as /metrics says it; only the cart, whose "
        "memory can run away, is ended past it (bytes)",
    )
    require_auth: bool = Field(
        default=True, description="business endpoints need a bearer token lt-user-/lt-svc-token-*"
    )
    latency: dict[str, Quantiles] = Field(
        default_factory=dict,
        validate_default=True,
        description="latency per endpoint; laid over the defaults, so that naming one endpoint "
        "(or one percentile of it) leaves the others",
    )

    @model_validator(mode="before")
    @classmethod
    def _over_defaults(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        latency = given.get("latency", {})
        if not isinstance(latency, dict):
            return given
        return {**given, "latency": overlaid(cls.DEFAULT_LATENCY, latency)}

    def updated(self, partial: Mapping[str, Any]) -> Self:
        """These settings with some replaced; `latency` is laid over what is in force.

        Raises pydantic.ValidationError for unknown keys and values outside their limits.
        """
        changed: dict[str, Any] = {**self.model_dump(), **partial}
        tables = partial.get("latency")
        if isinstance(tables, Mapping):
            known = {name: table for name, table in tables.items() if name in self.latency}
            # Unknown names go through to the validation, which words the refusal.
            changed["latency"] = {**tables, **overlaid(self.latency, known)}
        return type(self).model_validate(changed)


def overlaid(base: Mapping[str, Quantiles], given: Mapping[str, Any]) -> dict[str, Any]:
    """Latency tables of `given` laid over `base`, percentile by percentile.

    A mean that belongs to other percentiles is dropped: with a new p50 or p95 the old mean may
    not be reachable any more. A new p99 or max hardly moves the mean, so it stays.
    Raises ValueError for an endpoint that `base` does not know.
    """
    unknown = sorted(set(given) - set(base))
    if unknown:
        raise ValueError(f"unknown endpoint {unknown[0]!r} in latency; known: {', '.join(base)}")
    merged: dict[str, Any] = dict(base)
    for endpoint, table in given.items():
        if not isinstance(table, Mapping):
            merged[endpoint] = table
            continue
        under = base[endpoint].model_dump()
        if {"p50_ms", "p95_ms"} & set(table):
            under["mean_ms"] = None
        merged[endpoint] = {**under, **table}
    return merged
