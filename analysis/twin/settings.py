"""What a pool and its callers were told, as far as the recording says it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.evidence.run import Evidence
from analysis.twin.workload import Callers, Contention, Routing

Told = Mapping[str, Mapping[str, Any]]
"""By the key of a service."""

_LOCKS, _ITS_CALLER = "inventory_lock", "checkout"
_CALLERS = {
    "attempts": "lock_attempts",
    "patience_s": "lock_attempt_timeout_s",
    "backoff_s": "lock_retry_backoff_s",
}
_CONTENTION = {"cores": "db_cores", "share": "db_share", "switch_cost": "db_switch_cost"}
_TIMEOUTS = ("wait_timeout_s", "pool_wait_timeout_s")


@dataclass(frozen=True, slots=True)
class Settings:
    """``assumed`` names what was not said, in words."""

    wait_timeout_s: float
    callers: Callers
    contention: Contention
    routing: Routing
    assumed: tuple[str, ...]

    @classmethod
    def of(cls, evidence: Evidence, subject: str, told: Told | None) -> Settings:
        """Of the pools of a service. The locks' callers are checkout's; others ask once."""
        every = evidence.manifest.profile.services if told is None else told
        key = next((s.key for s in evidence.manifest.services if s.subject == subject), subject)
        own = every.get(key, {})
        timeouts = [float(own[name]) for name in _TIMEOUTS if name in own]
        wait_timeout_s = min(timeouts, default=math.inf)
        asks = every.get(_ITS_CALLER, {}) if key == _LOCKS else {}
        callers = Callers(**_said(asks, _CALLERS))
        if callers.patience_s >= wait_timeout_s:
            callers = Callers()  # a 503 is an answer, and nobody asks again after it
        assumed = []
        if not timeouts:
            assumed.append("the recording does not say when a wait times out: never, here")
        if key == _LOCKS and not asks.keys() >= set(_CALLERS.values()):
            assumed.append("the recording does not say how often callers ask, and how long")
        routing: Routing = "round_robin"
        if own.get("routing", "least_connections") == "least_connections":
            routing = "least_connections"
        return cls(
            wait_timeout_s, callers, Contention(**_said(own, _CONTENTION)), routing, tuple(assumed)
        )


def _said(table: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {ours: table[theirs] for ours, theirs in names.items() if theirs in table}
