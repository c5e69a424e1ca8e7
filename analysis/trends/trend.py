"""One metric of one subject over the runs of a history: its levels, and what began each."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np

from analysis.trends.change_points import FEWEST, change_points
from analysis.trends.history import History, Kept, Key, Known
from analysis.words.values import show


@dataclass(frozen=True, slots=True)
class Change:
    """From one level to the next: the medians of both, and the runs on either side."""

    before: float
    after: float
    shown: str
    last: Kept
    first: Kept

    @property
    def percent(self) -> float:
        """Of the level before; nan where that is 0."""
        return 100 * (self.after / self.before - 1) if self.before else float("nan")


@dataclass(frozen=True)
class Trend:
    """The runs that have the figure, oldest first."""

    key: Key
    runs: tuple[Kept, ...]

    @cached_property
    def points(self) -> tuple[Known, ...]:
        """One of each run."""
        return tuple(run.figures[self.key] for run in self.runs)

    @property
    def unit(self) -> str:
        """As the newest run has it."""
        return self.points[-1].unit

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """Where each level begins, the first one at 0."""
        return (0, *change_points(np.array([point.value for point in self.points])))

    @cached_property
    def levels(self) -> tuple[float, ...]:
        """Median of each."""
        return tuple(median(p.value for p in points) for points in self._parts)

    @cached_property
    def shown(self) -> tuple[str, ...]:
        """Each level with its unit. One of lower bounds is one: those above it change nothing."""
        return tuple(
            show(level, self.unit, at_least=any(p.at_least and p.value <= level for p in points))
            for level, points in zip(self.levels, self._parts, strict=True)
        )

    @property
    def _parts(self) -> Iterator[tuple[Known, ...]]:
        """The points of each level."""
        ends = (*self.starts[1:], len(self.points))
        return (self.points[a:b] for a, b in zip(self.starts, ends, strict=True))

    @property
    def changes(self) -> tuple[Change, ...]:
        """Oldest first."""
        sides = zip(pairwise(self.levels), pairwise(self.shown), self.starts[1:], strict=True)
        return tuple(
            Change(*levels, " → ".join(shown), self.runs[at - 1], self.runs[at])
            for levels, shown, at in sides
        )

    @property
    def can_tell(self) -> bool:
        """Whether there are runs enough for a change."""
        return len(self.points) >= FEWEST

    @property
    def said(self) -> str:
        """What became of it, in one line; a dot where nothing can be told."""
        if not self.can_tell:
            return "·"
        if not self.changes:
            return "no change"
        return "; ".join(map(_said, self.changes))

    def to_json(self) -> dict[str, Any]:
        """For `--json`: every point, and every change."""
        subject, metric = self.key
        points = [
            {"run": run.run_id, "started_utc": run.started_utc, "revision": run.revision,
             "value": p.value, "ci_low": p.low, "ci_high": p.high, "at_least": p.at_least}
            for run, p in zip(self.runs, self.points, strict=True)
        ]  # fmt: skip
        changes = [
            {"run": c.first.run_id, "before": c.before, "after": c.after} for c in self.changes
        ]
        return {"subject": subject, "metric": metric, "unit": self.unit, "points": points,
                "can_tell": self.can_tell, "changes": changes}  # fmt: skip


def trend_of(past: History, key: Key) -> Trend:
    """Of the runs that have the figure. Raises LookupError where none has."""
    runs = tuple(run for run in past.runs if key in run.figures)
    if not runs:
        raise LookupError(key)
    return Trend(key, runs)


def _said(change: Change) -> str:
    known = np.isfinite(change.percent) and "at least" not in change.shown
    by = f" ({change.percent:+.0f} %)" if known else ""
    revisions = " ".join((change.last.revision, "→", change.first.revision))
    where = f", revisions {revisions}" if change.first.revision else ""
    return f"{change.shown}{by} from {change.first.run_id} on{where}"
