"""``availability``: the share of the time in which a service's requests went well.

Of a service as a whole, as SLAs promise it, and not of each of its steps.
"""

from collections.abc import Iterable
from dataclasses import replace
from math import ceil, isnan, nan

from analysis.evidence.downtime import downtime
from analysis.metrics.case import Case
from analysis.metrics.errors import RULE_OF_THREE, explained, server_errors
from analysis.metrics.metric import Claim, Decision, Metric
from analysis.metrics.subjects import is_service
from analysis.words.units import PERCENT
from analysis.words.values import NO_DATA, Measurement, Outcome
from recording.flow import Services
from recording.profile import JOURNEY

NAME = "availability"


def _of(services: Services, subject: str) -> bool:
    return subject == JOURNEY or is_service(services, subject)


def _measured(case: Case, subject: str) -> Iterable[Measurement]:
    """Its lower bound takes every request that never ended for one that failed."""
    steps = _steps(case, subject)
    if not steps:
        yield _by_its_own_count(case, subject)
        return
    if untold := sum(case.samples[step].untold for step in steps if step in case.samples):
        note = f"nobody says of {untold:,} requests whether they failed"
        yield Measurement(subject, NAME, nan, "%", 0, note=note)
        return
    found = downtime(case.evidence, steps)
    percent = 100 * found.availability
    measured = Measurement(subject, NAME, percent, "%", found.requests)
    if found.undecided:
        least = max(0.0, percent - 100 * found.undecided / found.requests)
        note = f"{found.undecided} requests never ended"
        measured = replace(measured, ci_low=least, ci_high=percent, note=note)
    yield measured


def _steps(case: Case, subject: str) -> tuple[str, ...]:
    return case.services.steps if subject == JOURNEY else case.services.steps_of(subject)


def _by_its_own_count(case: Case, subject: str) -> Measurement:
    """Of one that users never call: its answers were as good all the time as they were on average.

    What its counters leave open may have failed.
    """
    failing = server_errors(case.evidence, subject, NAME, "%")
    percent = 100 - failing.value
    low, high = (0.0, percent) if failing.at_least else (None, None)
    return replace(failing, value=percent, ci_low=low, ci_high=high, at_least=False)


def _decided(_case: Case, claim: Claim, _subject: str, measured: Measurement) -> Decision:
    """Nothing from so few requests that a single failure would break the rule."""
    if isnan(measured.value):
        return Outcome.INCONCLUSIVE, NO_DATA + (f": {measured.note}" if measured.note else "")
    allowed = 1 - claim.limit / 100
    if allowed > 0 and measured.n < (enough := ceil(round(RULE_OF_THREE / allowed, 6))):
        few = f"{measured.n:,} requests are too few for {claim.limit:g} %: it takes {enough:,}"
        return Outcome.INCONCLUSIVE, few
    if not claim.holds(measured.value):
        return Outcome.FAIL, ""
    if measured.ci_low is not None and not claim.holds(measured.ci_low):
        return Outcome.INCONCLUSIVE, measured.note
    return Outcome.PASS, ""


def _explained(case: Case, subject: str, measured: Measurement) -> str:
    """By the step that failed most often."""
    steps = [case.samples[step] for step in _steps(case, subject) if step in case.samples]
    worst = max(steps, key=lambda sample: sample.failures, default=None)
    of = measured if worst is None else replace(measured, subject=worst.subject)
    return explained(case, subject, of)


METRICS = (
    Metric(
        NAME, "availability", "%", PERCENT, of=_of, measure=_measured, decide=_decided,
        explain=_explained,
    ),
)  # fmt: skip
