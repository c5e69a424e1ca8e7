"""Pools that ran dry: how full, who waited, what was scaled meanwhile, and whose patience ended."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from analysis.evidence.pool_series import ExhaustionWindow
from analysis.evidence.resources import Pool
from analysis.evidence.run import Evidence
from analysis.evidence.stretches import Stretch, joined
from analysis.metrics.case import Case
from analysis.metrics.pools import METRICS, first_refusal
from analysis.single.incident import Incident, short, slack_s
from analysis.single.timeouts import conflict
from analysis.words.causes import CauseKind
from analysis.words.units import counted
from recording.events import SCALED

Dry = tuple[Pool, ExhaustionWindow]
BREAKS = frozenset(metric.name for metric in METRICS)


def exhaustion_of(case: Case, subject: str) -> Iterator[Incident]:
    """All times in which pools of a service were dry, as one."""
    dry = [(pool, window) for pool in case.pools[subject] for window in pool.windows]
    if not dry:
        return
    evidence, slack = case.evidence, slack_s(case.evidence)
    ends_s = [evidence.end_s if w.end_s is None else w.end_s for _, w in dry]
    found = (Stretch(w.start_s, end_s) for (_, w), end_s in zip(dry, ends_s, strict=True))
    stretches = joined(found, slack)
    lasts = any(window.end_s is None for _, window in dry)
    longest = max(stretches, key=lambda one: one.end_s - one.start_s)
    near = tuple(Stretch(s.start_s - slack, s.end_s + slack) for s in stretches)
    odds = conflict(case, subject, near, [pool for pool in case.pools[subject] if pool.windows])
    name = f"{short(subject)} pool exhausted {_when(evidence, longest, len(stretches) - 1)}"
    yield Incident(
        CauseKind.CONFLICTING_TIMEOUTS if odds else CauseKind.POOL_EXHAUSTED,
        subject,
        stretches,
        f"{name}{odds.name if odds else _callers(dry)}",
        (
            *_fill(dry),
            *(odds.evidence if odds else ()),
            *_scaled(evidence, subject, stretches),
            _ended(evidence, longest, lasts),
        ),
        first_refusal(case, subject),
        BREAKS,
        lasts=lasts,
        slack_s=slack,
    )


def _when(evidence: Evidence, longest: Stretch, others: int) -> str:
    """When it was worst, and how often besides."""
    more = f" and {counted(others, 'time')} more" if others else ""
    return f"at {evidence.elapsed(longest.start_s)}{more}"


def _callers(dry: Sequence[Dry]) -> str:
    if failures := sum(window.failures for _, window in dry):
        return f", {counted(failures, 'caller')} timed out"
    peak = _peak_waiting(dry)
    return f", up to {counted(peak, 'caller')} waited" if peak else ""


def _peak_waiting(dry: Sequence[Dry]) -> int:
    """The most of each replica, added up."""
    peaks: dict[str, int] = {}
    for pool, window in dry:
        peaks[pool.label] = max(window.peak_waiting, peaks.get(pool.label, 0))
    return sum(peaks.values())


def _fill(dry: Sequence[Dry]) -> Iterator[str]:
    """``pool locks 134/134``: of all replicas that ran dry; and who waited, if others timed out."""
    by_name: dict[str, dict[str, tuple[float, float]]] = {}
    for pool, window in dry:
        name, _, replica = pool.label.partition("/")
        full = by_name.setdefault(name, {})
        now = _most_active(pool, window), float(window.pool_max)
        full[replica] = max(now, full.get(replica, now))
    for name, replicas in by_name.items():
        active, size = (sum(values) for values in zip(*replicas.values(), strict=True))
        yield f"pool {name} {active:.0f}/{size:.0f}" if size else f"pool {name} {active:.0f} in use"
    if any(window.failures for _, window in dry) and (waiting := _peak_waiting(dry)):
        yield f"up to {waiting:,} waiting"


def _most_active(pool: Pool, window: ExhaustionWindow) -> float:
    end_s = np.inf if window.end_s is None else window.end_s
    inside = (pool.series.t_s >= window.start_s) & (pool.series.t_s < end_s)
    return float(pool.series.active[inside].max())


def _scaled(evidence: Evidence, subject: str, stretches: Sequence[Stretch]) -> Iterator[str]:
    """Meanwhile, or as long before as the shortage then lasted."""
    for row in evidence.events_named(SCALED):
        near = any(_is_near(row, stretch, slack_s(evidence)) for stretch in stretches)
        if row.get("source") == subject and near:
            sizes = f"{row.get('replicas_before', '?')}→{row.get('replicas_after', '?')}"
            yield f"scaled {sizes} at {evidence.elapsed(float(row['t_s']))}"


def _is_near(row: Any, stretch: Stretch, slack: float) -> bool:
    before_s = max(slack, stretch.end_s - stretch.start_s)
    return bool(stretch.start_s - before_s <= float(row["t_s"]) <= stretch.end_s + slack)


def _ended(evidence: Evidence, longest: Stretch, lasts: bool) -> str:
    if lasts:
        return "not recovered by the end"
    return f"recovered at {evidence.elapsed(longest.end_s)}"
