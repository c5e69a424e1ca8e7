"""What a slot says of a level, as numbers: how far each rule is from its limit, and what was used.

A peak grows with the time in which one looks for it. So how full a pool is at its peak is not read
from slots that are shorter than a run, but follows from what they used: see `demand.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from types import MappingProxyType

import numpy as np

from analysis.evidence.resources import Pool
from analysis.levels.margins import UPPER, UTILIZATION, latency_margins
from analysis.levels.seen import JUDGED, Seen
from analysis.limits.rules import Rule
from analysis.limits.thresholds import Thresholds
from analysis.words.values import Outcome, RuleRow
from recording.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Used:
    """Connections of a service's pools in use at each sample, of all replicas together.

    ``room`` is how many may be, by the rule on its utilization and the headroom. A slot in which
    callers waited says how small is too small, and not how much is used.
    """

    samples: Floats
    room: float
    starved: bool


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """One slot. ``levels`` are values of the settings.

    ``margins`` are by rule the logarithm of its value over its limit: above zero it is broken.
    ``broken`` are rules that have none as well, such as a count that must be zero.
    """

    levels: tuple[float, ...]
    load: float
    margins: Mapping[str, float]
    broken: frozenset[str]
    used: Mapping[str, Used]

    @property
    def all_broken(self) -> frozenset[str]:
        """With pools that were full, or fuller than they may be, in the slot itself."""
        full = (
            of for of, used in self.used.items() if used.starved or used.samples.max() > used.room
        )
        return self.broken | {f"{of} is full" for of in full}


def tightened(thresholds: Thresholds, headroom: float) -> Thresholds:
    """The same rules with this share of every upper limit left over; counts stay as they are."""
    rules = {
        subject: tuple(_tight(rule, headroom) for rule in own)
        for subject, own in thresholds.rules.items()
    }
    return replace(thresholds, rules=MappingProxyType(rules))


def _tight(rule: Rule, headroom: float) -> Rule:
    has_room = rule.metric.kind in JUDGED and rule.metric.unit and rule.op in UPPER
    if not has_room or not headroom:
        return rule
    limit = rule.limit * (1 - headroom)
    text = f"{rule.metric.name} {rule.op} {limit:.4g} {rule.metric.unit}"
    return replace(rule, text=text, limit=limit)


def slot_of(seen: Seen, levels: tuple[float, ...], thresholds: Thresholds) -> Slot:
    """From what was seen of it under these thresholds."""
    limits = {(subject, str(rule)): rule for subject, rule in thresholds}
    used = dict(_used(seen, limits))
    broken = set()
    for row in seen.rows:
        metric = limits[row.subject, row.rule].metric.name
        by_use = metric == UTILIZATION and row.subject in used
        if row.kind in JUDGED and not by_use and row.outcome is Outcome.FAIL:
            broken.add(_name(row))
    margins = {_name(row): margin for row, margin in latency_margins(seen.rows, thresholds)}
    return Slot(levels, seen.level.load, margins, frozenset(broken), used)


def _name(row: RuleRow) -> str:
    return f"{row.measurement.subject} {row.rule}"


def _used(seen: Seen, limits: Mapping[tuple[str, str], Rule]) -> Iterator[tuple[str, Used]]:
    for (subject, _), rule in limits.items():
        pools = seen.case.pools.get(subject, ())
        if rule.metric.name == UTILIZATION and rule.op in UPPER and pools:
            samples, size = _in_use(pools)
            if samples.size and isfinite(size):
                starved = any(pool.windows or np.nanmax(pool.series.waiting) > 0 for pool in pools)
                yield subject, Used(samples, size * rule.limit / 100, bool(starved))


def _in_use(pools: Sequence[Pool]) -> tuple[Floats, float]:
    """Of all replicas together, where all were sampled; and how many there may be."""
    there = [pool.series for pool in pools if pool.series.t_s.size]
    least = min((series.t_s.size for series in there), default=0)
    if not least:
        return np.empty(0), np.nan
    samples = np.sum([series.active[-least:] for series in there], axis=0)
    return samples, float(sum(series.size[-1] for series in there))
