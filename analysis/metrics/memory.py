"""``memory``: growth, time to the limit, peak and kills of a service."""

from collections.abc import Iterable
from functools import partial
from math import isfinite, isnan, nan

from analysis.evidence.coverage import unsaid
from analysis.evidence.memory import ServiceMemory
from analysis.evidence.resources import counter_growth
from analysis.metrics.case import Case
from analysis.metrics.decide import as_measured, gap
from analysis.metrics.metric import Claim, Decision, Metric
from analysis.metrics.subjects import is_service
from analysis.words.units import COUNT, HOURS, MEGABYTES, MEGABYTES_PER_HOUR
from analysis.words.values import Measurement, Outcome
from recording.events import OOM_KILLED
from recording.metric_names import MEMORY_LIMIT, OOM_EVENTS, RSS


def _slope(case: Case, subject: str) -> Iterable[Measurement]:
    memory = case.memory[subject]
    found = memory.verdict
    low, high = (x if isfinite(x) else None for x in (found.ci_low, found.ci_high))
    yield Measurement(
        subject, "slope", found.slope_mb_per_h, "MB/h", memory.samples, low, high,
        note=found.class_.value,
    )  # fmt: skip


def _time_to_limit(case: Case, subject: str) -> Iterable[Measurement]:
    memory = case.memory[subject]
    note = memory.verdict.class_.value
    yield Measurement(
        subject, "time_to_limit", memory.likely_hours, "h", memory.samples, note=note
    )  # fmt: skip


def _peak_rss(case: Case, subject: str) -> Iterable[Measurement]:
    memory = case.memory[subject]
    yield Measurement(subject, "peak_rss", memory.peak_mb, "MB", memory.samples, phase="run")


def _oom_killed(case: Case, subject: str) -> Iterable[Measurement]:
    """How often a service was killed for memory: its own events, and the kernel's counter.

    No event is no kill only of a service that the run started, which writes its events into it.
    """
    seen, steps = counter_growth(case.evidence, subject, OOM_EVENTS)
    events = [row for row in case.evidence.events_named(OOM_KILLED) if row.get("source") == subject]
    kills = max(float(len(events)), float(steps.sum()))
    told = case.evidence.resources.get(subject, OOM_EVENTS)[1]
    known = kills > 0 or case.evidence.is_ours() or bool((told >= 0).any())
    note = "" if known else f"it neither is ours nor exports {OOM_EVENTS}"
    value = kills if known else nan
    yield Measurement(subject, "oom_killed", value, "", max(1, seen.size), phase="run", note=note)


def _slope_decided(case: Case, claim: Claim, subject: str, _measured: Measurement) -> Decision:
    memory = case.memory[subject]
    found = by_interval(claim, memory, memory.slowest, memory.verdict.ci_high)
    return _told(found, case, subject)


def _time_decided(case: Case, claim: Claim, subject: str, _measured: Measurement) -> Decision:
    memory = case.memory[subject]
    if memory.limit_mb is None:
        return Outcome.INCONCLUSIVE, "no memory limit known"
    likely, soonest = memory.verdict.slope_mb_per_h, memory.verdict.ci_high
    hours = memory.hours_to_limit(likely), memory.hours_to_limit(soonest)
    found = by_interval(claim, memory, *hours)
    if found[0] is Outcome.PASS and memory.over_limit:
        return Outcome.INCONCLUSIVE, gap(memory.over_limit)
    return _told(found, case, subject)


def _peak_decided(case: Case, claim: Claim, subject: str, measured: Measurement) -> Decision:
    return _told(as_measured(case, claim, subject, measured), case, subject)


def _kills_decided(case: Case, claim: Claim, subject: str, measured: Measurement) -> Decision:
    """A service that the run started writes into its events that it was killed; no other does."""
    found = as_measured(case, claim, subject, measured)
    return found if case.evidence.is_ours() else _told(found, case, subject, OOM_EVENTS)


def _told(found: Decision, case: Case, subject: str, series: str = RSS) -> Decision:
    """No rule is kept by what a service did not say all the time."""
    if found[0] is not Outcome.PASS:
        return found
    left_out = case.unsampled.get(subject) or unsaid(case.evidence, subject, [series])
    values = case.evidence.resources.get(subject, series)[1]
    if impossible := int((values < (1.0 if series == RSS else 0.0)).sum()):
        left_out = left_out or f"{series} cannot be so in {impossible} of {values.size} samples"
    return (Outcome.INCONCLUSIVE, gap(left_out)) if left_out else found


def by_interval(claim: Claim, memory: ServiceMemory, decisive: float, worst: float) -> Decision:
    """A slope decides only by its interval: a line through noise proves nothing.

    Of a claim that it is at least so much the other end is the worst.
    """
    if isnan(memory.verdict.slope_mb_per_h):
        return Outcome.INCONCLUSIVE, memory.verdict.explanation
    if claim.holds(worst) and claim.holds(decisive):
        return Outcome.PASS, ""
    if memory.growing and not claim.holds(decisive):
        return Outcome.FAIL, ""
    return Outcome.INCONCLUSIVE, memory.verdict.explanation


_metric = partial(
    Metric,
    kind="memory",
    of=is_service,
    explain=lambda case, subject, _measured: case.memory[subject].explanation,
)
METRICS = (
    _metric("slope", unit="MB/h", scales=MEGABYTES_PER_HOUR, measure=_slope,
            decide=_slope_decided, signed=True, live=False, reads=((RSS,),)),
    _metric("time_to_limit", unit="h", scales=HOURS, measure=_time_to_limit,
            decide=_time_decided, live=False, reads=((RSS,), (MEMORY_LIMIT,))),
    _metric("peak_rss", unit="MB", scales=MEGABYTES, measure=_peak_rss, decide=_peak_decided,
            reads=((RSS,),)),
    _metric("oom_killed", unit="", scales=COUNT, measure=_oom_killed, decide=_kills_decided,
            reads=((OOM_EVENTS,),)),
)  # fmt: skip
