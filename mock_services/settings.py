"""What each service can be told: frozen models, every unit in its name, unknown keys refused.

One schema for all callers: the environment (`MOCK_SETTINGS`), `POST /admin/behaviour`, and the
`[services.*]` tables of a profile.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, Strict, model_validator

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


def _q(mean: float | None, p50: float, p95: float, p99: float, top: float) -> Quantiles:
    return Quantiles(mean_ms=mean, p50_ms=p50, p95_ms=p95, p99_ms=p99, max_ms=top)


class ServiceSettings(Frozen):
    """What all four services share."""

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

    @classmethod
    def endpoints(cls) -> tuple[str, ...]:
        """Names of the endpoints, as used in `latency` and in metric labels."""
        return tuple(cls.DEFAULT_LATENCY)

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


class CheckoutSettings(ServiceSettings):
    """checkout-service: catalogue, coupons, checkouts, orders."""

    # Appendix A of the load test LT-2025-Q3-CHECKOUT (mean, p50, p95, p99, max).
    DEFAULT_LATENCY: ClassVar[Mapping[str, Quantiles]] = {
        "browse": _q(89, 72, 187, 312, 891),
        "detail": _q(112, 98, 234, 401, 1204),
        "apply_coupon": _q(134, 112, 278, 442, 987),
        "start_checkout": _q(287, 245, 512, 789, 1847),
        "confirm": _q(198, 167, 398, 601, 1412),
    }

    FIXED_WHILE_RUNNING: ClassVar[frozenset[str]] = frozenset(
        {"seed", "ledger_path", "ledger_commit_interval_s", "lock_connections_max"}
    )

    pool_max: int = Field(
        default=200, ge=1, le=1_000_000, description="connections to the orders database"
    )
    pool_wait_timeout_s: PositiveSeconds = Field(
        default=2.0, description="longest wait for one of them, then 503 (seconds)"
    )
    inventory_lock_url: str = Field(
        default="http://127.0.0.1:8003", pattern=r"^https?://[^/\s]+$", description="lock service"
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
        default=1000, ge=1, le=100_000, description="HTTP connections to the lock service"
    )
    lock_ttl_s: int = Field(
        default=300, ge=1, le=86_400, description="time to live asked for a lock (seconds)"
    )
    checkout_ttl_s: PositiveSeconds = Field(
        default=900.0, description="a checkout not confirmed by then is forgotten (seconds)"
    )
    ledger_path: Annotated[Path | None, Strict(False)] = Field(
        default=None,
        description="SQLite file of the confirmed orders; none = a file in the temporary "
        "directory that is removed at exit",
    )
    ledger_commit_interval_s: float = Field(
        default=0.015, ge=0.0, le=1.0, description="orders are committed in groups this often"
    )


class PaymentSettings(ServiceSettings):
    """payment-gateway: charges against a processor's sandbox."""

    DEFAULT_LATENCY: ClassVar[Mapping[str, Quantiles]] = {
        "charge": _q(342, 298, 612, 890, 2104),
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
    rate_limit_per_s: float = Field(
        default=200.0, ge=0.0, le=1e6, description="sandbox rate limit, 0 = off (charges/second)"
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


class InventoryLockSettings(ServiceSettings):
    """inventory-lock-service: locks on stock, each holding a pooled connection."""

    # The seed publishes no percentiles for the lock service. Assumption: they must fit inside
    # start_checkout and confirm, of which an acquire and a release are a part.
    DEFAULT_LATENCY: ClassVar[Mapping[str, Quantiles]] = {
        "acquire": _q(None, 25, 50, 80, 400),
        "release": _q(None, 8, 15, 25, 100),
    }

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


class CartSettings(ServiceSettings):
    """cart-service: carts in an in-memory session cache."""

    DEFAULT_LATENCY: ClassVar[Mapping[str, Quantiles]] = {
        "add_to_cart": _q(156, 134, 312, 498, 1521),
    }

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


MODELS: Mapping[str, type[ServiceSettings]] = {
    "checkout": CheckoutSettings,
    "payment": PaymentSettings,
    "inventory_lock": InventoryLockSettings,
    "cart": CartSettings,
}
"""Settings model of each service, by its key in `[services.*]`."""

DEFAULT_PORTS: Mapping[str, int] = {
    "checkout": 8001,
    "payment": 8002,
    "inventory_lock": 8003,
    "cart": 8004,
}

SUBJECTS: Mapping[str, str] = {
    "checkout": "checkout-service",
    "payment": "payment-gateway",
    "inventory_lock": "inventory-lock-service",
    "cart": "cart-service",
}
"""What thresholds and reports call each service."""
