"""What gives first: the pool or service behind the rules that break just above the border."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.capacity.trials import slots
from analysis.evidence.resources import Pool
from analysis.levels.seen import Seen
from analysis.metrics.case import Case
from analysis.words.values import RuleRow
from recording.profile import JOURNEY

NEAREST = 4
"""Levels above the border that are asked."""


@dataclass(frozen=True, slots=True)
class Gave:
    """``resource`` is a pool or a service, ``rule`` what its callers felt of it."""

    resource: str
    rule: str

    def __str__(self) -> str:
        return f"{self.resource} ({self.rule})" if self.rule else self.resource


def gives_first(seen: Sequence[Seen], load: float) -> Gave | None:
    """Of the levels nearest above a load that broke a rule; None where none did."""
    broke = sorted((s for s in slots(seen) if not s.holds), key=lambda s: s.level.load)
    above = [one for one in broke if one.level.load >= load] or broke[-1:]
    named = [found for one in above[:NEAREST] if (found := _of(one)) is not None]
    if not named:
        return None
    (resource, rule), _ = Counter((found.resource, found.rule) for found in named).most_common(1)[0]
    return Gave(resource, rule)


def _of(one: Seen) -> Gave | None:
    """Of one level: the fullest pool among those that a broken rule leads to, else the service."""
    pools = [pool for subject in _behind(one) for pool in one.case.pools.get(subject, ())]
    felt = _felt(one)
    if pools:
        return Gave(_pool(max(pools, key=_fullness)), felt)
    services = (one.case.services.service_of(row.measurement.subject) for row in one.broken)
    first = next(filter(None, services), "")
    return Gave(first, felt) if first else None


def _behind(one: Seen) -> list[str]:
    """Whose pools broke a rule of their own, or starved who broke one."""
    own = [row.subject for row in one.broken if row.kind == "pool"]
    called = [
        subject
        for row in one.broken
        if row.kind != "pool"
        for subject in _starving(one.case, row.measurement.subject)
    ]
    return list(dict.fromkeys(own + called))


def _starving(case: Case, step: str) -> tuple[str, ...]:
    """Whom a step calls, where any of their pools ran dry."""
    called = case.services.calls(step)
    dry = any(pool.windows for subject in called for pool in case.pools.get(subject, ()))
    return called if dry else ()


def _felt(one: Seen) -> str:
    """The broken rule that clients feel most, else that of the pool: ``start_checkout p99``."""
    felt = [row for row in one.broken if row.kind != "pool" and row.measurement.subject != JOURNEY]
    for row in (*felt, *one.broken):
        return _said(row)
    return ""


def _said(row: RuleRow) -> str:
    measured = row.measurement
    return f"{measured.subject.removesuffix('-service')} {measured.metric} {measured.shown}"


def _fullness(pool: Pool) -> float:
    peak = pool.series.utilization_peak_percent
    return -1.0 if np.isnan(peak) else peak


def _pool(pool: Pool) -> str:
    """``inventory-lock pool locks 200/200``."""
    series, name = pool.series, pool.label.partition("/")[0]
    most, size = np.nanmax(series.active), np.nanmax(series.maximum)
    return f"{pool.subject.removesuffix('-service')} pool {name} {most:.0f}/{size:.0f}"
