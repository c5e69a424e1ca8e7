"""The confirmation: a minute at the answer, judged as a run is, and what would give next there."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

from analysis.levels.margins import UPPER
from analysis.levels.seen import JUDGED, Seen
from analysis.limits.thresholds import Thresholds
from analysis.words.values import Check, Outcome, RuleRow

DECIDE = (*JUDGED, "process")
"""Kinds of rule that a minute can decide. Orders and memory are those of all slots together."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """``failed`` and ``open`` are the rules that it broke, or could not decide."""

    levels: tuple[float, ...]
    seconds: float
    rows: tuple[RuleRow, ...]
    spoilt: tuple[Check, ...]

    @property
    def failed(self) -> tuple[RuleRow, ...]:
        """Rules that do not hold."""
        return self._of(Outcome.FAIL)

    @property
    def open(self) -> tuple[RuleRow, ...]:
        """Rules that the profile requires and that were not decided."""
        return tuple(row for row in self._of(Outcome.INCONCLUSIVE) if row.required)

    def _of(self, outcome: Outcome) -> tuple[RuleRow, ...]:
        return tuple(r for r in self.rows if r.kind in DECIDE and r.outcome is outcome)

    @property
    def passed(self) -> bool:
        """Whether a run of that length would have passed."""
        return not (self.failed or self.open or self.spoilt)

    def __str__(self) -> str:
        if self.spoilt:
            return f"is no evidence: {self.spoilt[0]}"
        for what, rows in (("failed", self.failed), ("left open", self.open)):
            if rows:
                row = rows[0]
                shown = f"{row.measurement.subject} {row.rule} ({row.measurement.shown})"
                return f"{what}: {shown}" + (f": {row.because}" if row.because else "")
        held = sum(row.outcome is Outcome.PASS for row in self.rows)
        return f"passed: {held} rules held for {self.seconds:g} s"


def confirmed(seen: Seen, levels: tuple[float, ...]) -> Confirmed:
    """Of a slot that was seen under thresholds.toml itself."""
    return Confirmed(levels, seen.level.counted_s, seen.rows, seen.spoilt)


def nearest_limits(
    of: Confirmed, thresholds: Thresholds, most: int = 3
) -> tuple[tuple[str, float], ...]:
    """Rules by how much of their limit is taken, the nearest first; one for each resource.

    What grows with the load reaches its limit at about one over that share times the load.
    """
    found: dict[str, tuple[str, float]] = {}
    for name, subject, share in sorted(_taken(of, thresholds), key=lambda row: -row[2]):
        found.setdefault(subject, (name, share))
    return tuple(found.values())[:most]


def _taken(of: Confirmed, thresholds: Thresholds) -> Iterator[tuple[str, str, float]]:
    limits = {(subject, str(rule)): rule for subject, rule in thresholds}
    for row in of.rows:
        rule, value = limits[row.subject, row.rule], row.measurement.value
        if row.kind in ("latency", "pool") and rule.op in UPPER and rule.limit and isfinite(value):
            name = f"{row.measurement.subject} {row.rule}: {row.measurement.shown}"
            yield name, f"{row.measurement.subject} {row.kind}", value / rule.limit
