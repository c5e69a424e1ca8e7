"""What the slots of a search saw: each level against every rule, and whether it is evidence."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import nan

from analysis.evidence.requests import Sample
from analysis.evidence.run import Evidence
from analysis.evidence.window import narrowed, recorded_until_s
from analysis.levels.margins import UTILIZATION, Fullness, fullnesses, latency_margins
from analysis.limits.thresholds import Thresholds
from analysis.metrics.case import Case
from analysis.single.checks import bench
from analysis.single.judge import ruled
from analysis.words.values import Check, Outcome, RuleRow
from recording.levels import Level
from recording.profile import JOURNEY

JUDGED = ("latency", "errors", "pool")
"""Kinds of rule that a slot can break; memory and orders take longer than one."""


@dataclass(frozen=True)
class Seen:
    """A level whose slot is over; ``case`` is what was recorded in what counts of it.

    Everything is as a run of that length would have it, but that a rule breaks by its point
    estimate only: a slot is too short to prove what it keeps.
    """

    level: Level
    case: Case
    rows: tuple[RuleRow, ...]
    checks: tuple[Check, ...]
    latency: float = nan
    """The largest of the latency rules' margins; nan where none has one."""
    full: Mapping[str, Fullness] = field(default_factory=dict)
    """By service whose utilization has a rule."""

    @property
    def samples(self) -> dict[str, Sample]:
        """The requests that began in what counts, by step, and the journey."""
        return self.case.samples

    @cached_property
    def broken(self) -> tuple[RuleRow, ...]:
        """The rules that do not hold."""
        found = (row for row in self.rows if row.kind in JUDGED)
        return tuple(row for row in found if row.outcome is Outcome.FAIL)

    @property
    def holds(self) -> bool:
        """Whether none is broken."""
        return not self.broken

    @property
    def broke_otherwise(self) -> bool:
        """Whether a rule is broken that is about neither latency nor how full a pool is."""
        return any(
            row.kind != "latency"
            and not (row.measurement.metric == UTILIZATION and row.subject in self.full)
            for row in self.broken
        )

    @cached_property
    def spoilt(self) -> tuple[Check, ...]:
        """Why it says more about generator and host than about the shop; empty where it does not.

        Load that was not delivered counts here only where the shop broke no rule: one that is too
        slow keeps the users who should have made it.
        """
        return tuple(check for check in self.checks if not check.ok)


def levels_seen(evidence: Evidence, thresholds: Thresholds) -> tuple[Seen, ...]:
    """All levels whose slots were recorded to their end."""
    until_s = recorded_until_s(evidence)
    return tuple(
        see(evidence, level, thresholds)
        for level in evidence.levels
        if level.end_s <= until_s and level.counted_s > 0
    )


def see(evidence: Evidence, level: Level, thresholds: Thresholds) -> Seen:
    """One of them."""
    inside = narrowed(evidence, level.counted_from_s, level.end_s)
    case = Case(inside)
    rows = ruled(case, thresholds)
    answered = case.samples[JOURNEY].answered
    checks = (*_delivered(inside, level, case.samples, rows), *bench(inside, answered))
    latency = max((margin for _, margin in latency_margins(rows, thresholds)), default=nan)
    return Seen(level, case, rows, checks, latency, dict(fullnesses(case, thresholds)))


def _delivered(
    evidence: Evidence, level: Level, samples: dict[str, Sample], rows: tuple[RuleRow, ...]
) -> Iterator[Check]:
    """Journeys that were due, which are known to the journey, against those that began."""
    profile, first = evidence.manifest.profile, evidence.services.order[0]
    begun = samples[first].n if first in samples else 0
    if level.load and not any(sample.n for sample in samples.values()):
        yield Check("requests begun", "0", "> 0", False, "nothing was asked of the shop")
    if profile.load.model != "arrivals":
        return
    due = due_in(evidence, level)
    tolerance = profile.validity.undelivered_arrivals
    slow = any(row.outcome is Outcome.FAIL and row.kind in JUDGED for row in rows)
    enough = begun >= (1 - tolerance) * due - 1
    yield Check(
        "journeys begun",
        f"{begun}",
        f"{due} ± {100 * tolerance:g} %",
        enough or slow,
        "due, but no user was free: raise load.max_concurrent",
    )


def due_in(evidence: Evidence, level: Level) -> int:
    """Journeys that were due in what counts of a level."""
    profile, workers = evidence.manifest.profile, evidence.manifest.workers or 1
    cut_s = level.counted_from_s - level.start_s
    return sum(
        t_s >= cut_s
        for worker in range(workers)
        for t_s in level.times_s(profile.load.arrivals, profile.seed, worker, workers)
    )
