"""What a service can be told: frozen models, every unit in its name, unknown keys refused.

One schema for all callers: the environment (`MOCK_SETTINGS`), `POST /admin/behaviour`, and the
`[services.*]` tables of a profile.
"""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    Strict,
    ValidationError,
    model_validator,
)

from mock_services.kit.curve import Shape
from mock_services.kit.database import Capacity

LEAST_PER_S = 0.001
MEAN_TOLERANCE = 0.005
"""Published figures are rounded; so much of a mean may be out of reach."""


def _off_or_some(per_s: float) -> float:
    """Of a rate next to nothing, the time between two has no end."""
    if 0 < per_s < LEAST_PER_S:
        raise ValueError(f"must be 0 (off) or at least {LEAST_PER_S:g} a second")
    return per_s


def _parsable(url: str) -> str:
    try:
        HttpUrl(url)
    except ValidationError as error:
        why = error.errors()[0]["msg"].rpartition(", ")[2]
        raise ValueError(f"not a url: {why}; write http://HOST:PORT") from None
    return url


Share = Annotated[float, Field(ge=0.0, le=1.0)]
PositiveSeconds = Annotated[float, Field(ge=0.001, le=86_400.0)]
"""A millisecond at least: what is done again and again at such intervals must leave time."""
RatePerS = Annotated[float, Field(ge=0.0, le=1e6), AfterValidator(_off_or_some)]
"""0 = off."""
BaseUrl = Annotated[
    str, Field(pattern=r"^https?://[^/\\?#@\s]+$", max_length=2000), AfterValidator(_parsable)
]
"""Of another service; without a path."""
Milliseconds = Annotated[float, Field(ge=0.001, le=600_000)]


class Frozen(BaseModel):
    """A value: cannot be changed, refuses keys it does not know and values of another kind."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Quantiles(Frozen):
    """Latency of an endpoint by its published percentiles, in milliseconds."""

    p50_ms: Milliseconds = Field(description="median")
    p95_ms: Milliseconds = Field(description="95th percentile")
    p99_ms: Milliseconds = Field(description="99th percentile")
    max_ms: Milliseconds = Field(description="nothing takes longer than this")
    mean_ms: Milliseconds | None = Field(
        default=None, description="mean; shapes the half below the median"
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

    @model_validator(mode="after")
    def _mean_within_reach(self) -> Self:
        mean = self.mean_ms
        if mean is None:
            return self
        least, most = self.shape.means_ms()
        if not (1 - MEAN_TOLERANCE) * least <= mean <= (1 + MEAN_TOLERANCE) * most:
            raise ValueError(
                f"mean_ms={mean:g} is out of reach: with these percentiles a mean is "
                f"{least:.4g} to {most:.4g}"
            )
        return self

    @property
    def shape(self) -> Shape:
        """Of the curve through the percentiles."""
        return Shape(self.p50_ms, self.p95_ms, self.p99_ms, self.max_ms)


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
    unavailable_share: Share = Field(
        default=0.0,
        description="share of business requests answered 503 ServiceUnavailable with Retry-After, "
        "dealt exactly; no work is done for them",
    )
    retry_after_s: float = Field(
        default=1.0,
        ge=1.0,
        le=86_400.0,
        description="what Retry-After says of these; whole seconds, rounded up",
    )
    malformed_body_share: Share = Field(
        default=0.0,
        description="share of business requests whose answer has a body that is no JSON, dealt "
        "exactly; their work is done",
    )
    stall_s: float = Field(
        default=0.0,
        ge=0.0,
        le=3600.0,
        description="business requests that start within this time from now wait until it is "
        "over; 0 = off (seconds)",
    )
    latency_scale: float = Field(
        default=1.0, ge=1e-9, le=1000.0, description="multiplies every drawn latency"
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


class DatabaseSettings(ServiceSettings):
    """What services share whose connections lead to a database (`mock_services/kit/database.py`).

    No load test published its cores: off, latencies are as published whatever the load.
    """

    db_cores: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="cores of the database behind the pool's connections, shared by all work on "
        "more of them; 0 = off, a core for each",
    )
    db_share: Share = Field(
        default=1.0,
        description="share of the modelled time on a connection that is work for a core; in the "
        "rest the connection is only held",
    )
    db_switch_cost: float = Field(
        default=0.01,
        ge=0.0,
        le=1.0,
        description="what each connection at work beyond the cores costs, as a share of all work: "
        "at 0.01, throughput is halved at 100 beyond them",
    )

    @property
    def capacity(self) -> Capacity:
        """Of the database."""
        return Capacity(self.db_cores, self.db_share, self.db_switch_cost)


class ConnectedSettings(DatabaseSettings):
    """What services share that ask others, and keep a ledger."""

    FIXED_WHILE_RUNNING = DatabaseSettings.FIXED_WHILE_RUNNING | {
        "ledger_path",
        "ledger_commit_interval_s",
    }

    ask_attempts: int = Field(
        default=2, ge=1, le=10, description="attempts at another service; after the last one 503"
    )
    ask_attempt_timeout_s: PositiveSeconds = Field(
        default=0.8, description="one attempt at another service (seconds)"
    )
    ask_retry_backoff_s: float = Field(
        default=0.1, ge=0.0, le=60.0, description="pause between two attempts (seconds)"
    )
    ledger_path: Annotated[Path | None, Strict(False)] = Field(
        default=None,
        description="SQLite file of what must not be forgotten; none = a file in the temporary "
        "directory that is removed at exit",
    )
    ledger_commit_interval_s: float = Field(
        default=0.015,
        ge=0.0,
        le=1.0,
        description="what is written is committed in groups this often (seconds)",
    )


def overlaid(base: Mapping[str, Quantiles], given: Mapping[str, Any]) -> dict[str, Any]:
    """Latency tables of `given` laid over `base`, percentile by percentile.

    A mean that belongs to other percentiles is dropped: with a new p50 or p95 it would shape the
    half below the median anew. A new p99 or max hardly moves the mean, so it stays within reach.
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
        if "mean_ms" not in table and not _valid(merged[endpoint]):
            merged[endpoint]["mean_ms"] = None
    return merged


def _valid(table: Mapping[str, Any]) -> bool:
    try:
        Quantiles.model_validate(table)
    except ValidationError:
        return False
    return True
