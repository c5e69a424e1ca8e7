"""What a slot says of a level, as numbers: how far each rule is from its limit, and what was used.

A peak grows with the time in which one looks for it. So how full a pool is at its peak is not read
from slots that are shorter than a run, but follows from what they used: see `demand.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from analysis.levels.margins import UPPER, UTILIZATION, Fullness, latency_margins
from analysis.levels.seen import JUDGED, Seen
from analysis.limits.rules import Rule
from analysis.limits.thresholds import Thresholds
from analysis.words.values import Outcome, RuleRow


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
    full: Mapping[str, Fullness]

    @property
    def all_broken(self) -> frozenset[str]:
        """With pools that were full, or fuller than they may be, in the slot itself."""
        return self.broken | {f"{of} is full" for of, full in self.full.items() if full.broke}


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
    broken = set()
    for row in seen.rows:
        metric = limits[row.subject, row.rule].metric.name
        by_use = metric == UTILIZATION and row.subject in seen.full
        if row.kind in JUDGED and not by_use and row.outcome is Outcome.FAIL:
            broken.add(_name(row))
    margins = {_name(row): margin for row, margin in latency_margins(seen.rows, thresholds)}
    return Slot(levels, seen.level.load, margins, frozenset(broken), seen.full)


def _name(row: RuleRow) -> str:
    return f"{row.measurement.subject} {row.rule}"
