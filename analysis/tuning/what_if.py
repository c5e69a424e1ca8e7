"""What one setting less or more would have done to what a run found: computed, not composed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import Any, Literal

from analysis.evidence.memory import ServiceMemory
from analysis.tuning.lock_model import HOUR_S, Plan, Told, play
from analysis.tuning.predicted import Twin
from analysis.tuning.remedies import Change, remedies, suffices
from recording.durations import format_duration

AS_RECORDED = 0.15
"""Share by which the time until the mechanism runs dry may differ from the recorded one."""
SHORTER = 0.5
"""Times today's time to live: a shorter one leaves customers less time to pay."""
Elapsed = Callable[[float], str]
"""A moment, s since the load began, as people write it."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A setting of a service, ``inventory_lock.pool_max``, and what another value would do.

    ``kind`` is that of the rules that it is about. ``suffices``: it removes what was found, and
    does not only put it off.
    """

    subject: str
    kind: Literal["pool", "memory"]
    setting: str
    today: str
    value: str
    effect: str
    suffices: bool

    @property
    def option(self) -> str:
        """Of `loadgate run`: what applies it."""
        return f"--set services.{self.setting}={self.value}"


@dataclass(frozen=True, slots=True)
class LockPool:
    """The lock service's mechanism under a run's plan, and what the run saw of it.

    ``dry_s`` is when its pool was first exhausted, s since the load began; None: not in the
    ``recorded_s`` that there are. No more than ``limit_percent`` may be in use, and ``headroom`` of
    that is to be left.
    """

    subject: str
    key: str
    plan: Plan
    change: Change
    limit_percent: float
    headroom: float
    dry_s: float | None
    recorded_s: float


def of_locks(of: LockPool, elapsed: Elapsed) -> tuple[tuple[WhatIf, ...], str]:
    """Each lever alone, the least change that suffices; and what that rests on, or why not."""
    today = play(of.plan)
    if unlike := _unlike(of, today, elapsed):
        return (), unlike
    levers = (*_sufficient(of), _shorter_ttl(of, today, elapsed))
    return levers, f"by the lock pool's mechanism, {_state(today, elapsed)} under this plan"


def _state(told: Told, elapsed: Elapsed) -> str:
    if told.exhausted_h is None:
        return f"which is at most {told.peak:.0f} % full"
    return f"which runs dry at {elapsed(HOUR_S * told.exhausted_h)}"


def _unlike(of: LockPool, today: Told, elapsed: Elapsed) -> str:
    """That the mechanism does not do what was recorded, so that it is not asked further."""
    played_s = inf if today.exhausted_h is None else HOUR_S * today.exhausted_h
    if of.dry_s is None:
        alike = played_s >= (1 - AS_RECORDED) * of.recorded_s
    else:
        alike = abs(played_s - of.dry_s) <= AS_RECORDED * of.dry_s
    if alike:
        return ""
    was = "never" if of.dry_s is None else f"at {elapsed(of.dry_s)}"
    return (
        f"{of.subject}: no what-if, as its mechanism, {_state(today, elapsed)}, is not what was "
        f"recorded: dry {was}"
    )


def _sufficient(of: LockPool) -> Iterator[WhatIf]:
    limit = of.limit_percent * (1 - of.headroom)
    for each in remedies(of.plan, of.change, limit, of.headroom):
        costs = (
            f"{each.connections:+,d} connections" if each.connections else "",
            f"{each.replica_hours:+.2g} replica hours" if abs(each.replica_hours) >= 0.01 else "",
        )
        paid = ", ".join(filter(None, costs))
        yield WhatIf(
            of.subject,
            "pool",
            f"{of.key}.{each.name}",
            f"{each.today:g}",
            f"{each.value:g}",
            f"never dry, at most {each.peak:.0f} % full" + (f" ({paid})" if paid else ""),
            suffices=True,
        )


def _shorter_ttl(of: LockPool, today: Told, elapsed: Elapsed) -> WhatIf:
    """What expires sooner takes less room, and is swept no faster."""
    ttl_s = SHORTER * of.plan.ttl_s
    told = play(replace(of.plan, ttl_s=ttl_s))
    enough = suffices(told, of.limit_percent)
    effect = f"at most {told.peak:.0f} % full"
    if told.exhausted_h is not None:
        effect = f"only delays it: dry at {elapsed(HOUR_S * told.exhausted_h)}"
        if today.exhausted_h is not None:
            effect += f" in place of {elapsed(HOUR_S * today.exhausted_h)}"
    setting = f"{of.key}.lock_ttl_s"
    return WhatIf(of.subject, "pool", setting, f"{of.plan.ttl_s:g}", f"{ttl_s:g}", effect, enough)


def of_cart(memory: ServiceMemory, key: str, told: Mapping[str, Any]) -> Iterator[WhatIf]:
    """Eviction by schedule, where memory grows and nothing evicts: of what expires, as fast as it
    was lost, an interval's worth is held.
    """
    if not memory.growing or told.get("eviction") != "lazy":
        return
    paces = [memory.verdict.slope_mb_per_h, *(s.slope_mb_per_h for s in memory.verdict.segments)]
    fastest, every_s = max(paces), float(told["eviction_interval_s"])
    held_mb = fastest * every_s / HOUR_S
    effect = (
        f"memory stands: at {fastest:.1f} MB/h what expires in {format_duration(every_s)} until "
        f"it is evicted is {held_mb:.1f} MB"
    )
    yield WhatIf(memory.subject, "memory", f"{key}.eviction", "lazy", "scheduled", effect, True)


def of_twin(subject: str, setting: str, found: Twin, today: float) -> Iterator[WhatIf]:
    """The smallest pool that holds at the recorded load, where the twin knows one."""
    for row in found.rows:
        if isfinite(row.pool_max) and row.pool_max > today:
            effect = (
                f"callers wait {row.at.wait_p99_ms:.3g} ms (p99), "
                f"{100 * row.at.timeouts_share:.2g} % in vain"
            )
            yield WhatIf(
                subject, "pool", setting, f"{today:g}", f"{row.pool_max:.0f}", effect, True
            )
