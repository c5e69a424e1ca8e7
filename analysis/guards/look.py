"""A look at a run that goes on: which guards do not hold, and whether it is evidence so far.

Measured as the judge does, by the metrics themselves, over the last stretch that is recorded.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

from analysis.evidence.run import Evidence
from analysis.evidence.window import narrowed, recorded_until_s, until
from analysis.limits.guard import Guard, Guards
from analysis.metrics.case import Case
from analysis.single.checks import so_far
from analysis.words.values import Check, Measurement
from recording.metric_names import UP

OF_REQUESTS = ("latency", "errors")
"""Kinds that only requests can show; the others are sampled whether or not there is load."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a guard measured on a subject over a stretch, s since the epoch.

    ``holds`` None: nothing was measured.
    """

    guard: Guard
    subject: str
    measured: Measurement
    start_s: float
    end_s: float
    holds: bool | None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells it from the others of the same moment."""
        return self.guard.action, str(self.guard), self.subject, self.measured.subject

    def told(self) -> dict[str, Any]:
        """What its event says."""
        action, rule, subject, where = self.key
        measured = self.measured
        return {
            "guard": action, "rule": rule, "subject": subject, "where": where,
            "metric": measured.metric, "value": measured.value, "unit": measured.unit,
            "n": measured.n, "from_s": round(self.start_s, 3), "to_s": round(self.end_s, 3),
        }  # fmt: skip

    def is_proven(self, fewest: int) -> bool:
        """Whether it surely does not hold: so many requests, and no bound of it within the limit.

        A run breaks a rule by the point estimate. A stretch has few requests and is looked at again
        and again: by chance alone one of them would break it some day.
        """
        if self.holds is not False or self.guard.rule.metric.kind not in OF_REQUESTS:
            return self.holds is False
        bounds = (self.measured.ci_low, self.measured.ci_high)
        doubtful = any(b is not None and self.guard.rule.holds(b) for b in bounds)
        return self.measured.n >= fewest and not doubtful

    def __str__(self) -> str:
        _, rule, subject, where = self.key
        who = subject if where == subject else f"{subject}/{where}"
        return f"{who}: {self.measured.metric} is {self.measured.shown}, guard {rule}"


def looks(evidence: Evidence, guards: Sequence[Guard], since_s: float) -> Iterator[Look]:
    """Every guard on each whom it watches; a stretch begins no earlier than ``since_s``."""
    end_s = recorded_until_s(evidence)
    cases: dict[float, Case] = {}
    for guard in guards:
        start_s = max(since_s, end_s - guard.over_s)
        if start_s >= end_s:
            continue
        case = cases.get(guard.over_s)
        if case is None:
            case = cases[guard.over_s] = Case(narrowed(evidence, start_s, end_s))
        for subject in guard.subjects(evidence.services):
            for measured in guard.rule.metric.measure(case, subject):
                known = not isnan(measured.value)
                holds = guard.rule.holds(measured.value) if known else None
                yield Look(guard, subject, measured, start_s, end_s, holds)


def is_cleared(evidence: Evidence, of_guard: Sequence[Look]) -> bool:
    """Whether a guard that paused the load would let it go on.

    Nothing that it looked at breaks its rule any more. What only requests show is not measured in a
    pause: there it is enough that its services answer the sampler; the load will show the rest.
    """
    for look in of_guard:
        if look.holds is False:
            return False
        if look.holds is None and look.guard.rule.metric.kind not in OF_REQUESTS:
            return False
    return all(_answers(evidence, subject) for subject in evidence.resources.subjects(UP))


def _answers(evidence: Evidence, subject: str) -> bool:
    _, up = evidence.resources.get(subject, UP)
    return bool(up[-1] > 0)


def why_no_evidence(evidence: Evidence, guards: Guards) -> tuple[Check, ...]:
    """What the judge of the recording so far would call it INVALID for.

    Nothing before as much as the grace period is measured: a few requests are no rate.
    """
    there = until(evidence, recorded_until_s(evidence))
    if there.measured_s < guards.grace_s:
        return ()
    case = Case(there)
    return tuple(check for check in so_far(there, case.samples, over=False) if not check.ok)
