"""``errors``: requests with an outcome that the plan did not ask for, as a share and as a count."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from math import ceil, nan

import numpy as np

from analysis.evidence.coverage import samples_without, unsaid
from analysis.evidence.processes import restarts_of
from analysis.evidence.resources import grown_while_measured
from analysis.evidence.run import Evidence
from analysis.metrics.case import Case
from analysis.metrics.decide import decided, longer, unseen
from analysis.metrics.latency import hung
from analysis.metrics.metric import Claim, Decision, Metric
from analysis.metrics.pools import exhaustion
from analysis.metrics.subjects import has_requests, is_service, of_steps
from analysis.statistics.distributions import share_interval
from analysis.words.units import COUNT, PERCENT
from analysis.words.values import Measurement
from recording.flow import Services
from recording.metric_names import HTTP_REQUESTS, REPLICAS
from recording.outcomes import is_failure
from recording.profile import JOURNEY

RULE_OF_THREE = 3.0
"""No failure among n requests excludes, at 95 %, shares above 3/n only (Hanley and Lippman-Hand,
"If Nothing Goes Wrong, Is Everything All Right?", JAMA 249, 1983)."""


def _of(services: Services, subject: str) -> bool:
    return has_requests(services, subject) or is_service(services, subject)


def _measured(case: Case, subject: str, name: str, unit: str) -> Iterable[Measurement]:
    """Who is never called by users counts requests itself."""
    if has_requests(case.services, subject):
        return of_steps(case, subject, name, unit)
    return (server_errors(case.evidence, subject, name, unit),)


def server_errors(evidence: Evidence, subject: str, name: str, unit: str) -> Measurement:
    """A service's own 5xx answers in the measured phases, from its request counters.

    Counters that name no status leave open how many of them failed.
    """
    failed = total = unknown = 0
    counters = [
        n for n in evidence.resources.metrics(subject) if n.partition("/")[0] == HTTP_REQUESTS
    ]
    for counter in counters:
        grown = max(0, round(grown_while_measured(evidence, subject, counter)))
        status = counter.rpartition("/")[2].lower()
        total += grown
        failed += grown if re.fullmatch(r"5(\d\d|xx)", status) else 0
        unknown += 0 if re.fullmatch(r"[1-5](\d\d|xx)", status) else grown
    measured = Measurement(subject, name, nan, unit, total)
    if not total:
        return replace(measured, note=f"no request was counted in {HTTP_REQUESTS}")
    note = f"{unknown} of its {total} requests are counted without a status" if unknown else ""
    note = unsaid(evidence, subject, counters, may_begin_late=True) or note
    note = note or _ends(evidence, subject, counters)
    if any((evidence.resources.get(subject, counter)[1] < 0).any() for counter in counters):
        note = f"some of {HTTP_REQUESTS} is below zero"
    if note and not failed:
        return replace(measured, note=note)
    measured = replace(measured, note=note, at_least=bool(note))
    if not unit:
        return replace(measured, value=float(failed))
    ci = share_interval(failed, total)
    high = None if note else 100 * ci.high
    return replace(measured, value=100 * failed / total, ci_low=100 * ci.low, ci_high=high)


def _ends(evidence: Evidence, subject: str, counters: Iterable[str]) -> str:
    """That one of its counters was told and is no more; "" where none is, or with whom it ended.

    A process that restarts, or a replica that is taken away, has counters that end.
    """
    _, replicas = evidence.resources.get(subject, REPLICAS)
    if restarts_of(evidence, subject) or (np.diff(replicas) < 0).any():
        return ""
    tolerated = evidence.manifest.profile.validity.missing_samples
    for counter in counters:
        t_s, _ = evidence.resources.get(subject, counter)
        since_s = max(evidence.measured_from_s, float(t_s[0]))
        gaps = samples_without(evidence, subject, t_s, since_s)
        if gaps.missing > tolerated * gaps.samples:
            return gaps.of(counter)
    return ""


def _decided(case: Case, claim: Claim, _subject: str, measured: Measurement) -> Decision:
    return decided(claim, measured, _doubts(case, claim, measured))


def _doubts(case: Case, claim: Claim, measured: Measurement) -> Iterator[str]:
    yield unseen(claim, measured)
    if measured.unit == "%":
        yield _too_few(claim, measured, case.evidence.measured_s)


def _too_few(claim: Claim, measured: Measurement, measured_s: float) -> str:
    """Whether so few requests could have shown a rate above the limit. None at all is a count."""
    if claim.limit == 0 or claim.holds(100.0):
        return ""
    enough = ceil(RULE_OF_THREE / (claim.limit / 100))
    if measured.n >= enough:
        return ""
    more = longer(measured_s * (enough / measured.n - 1))
    return f"{measured.n:,} requests are too few for {claim.limit:g} %: it takes {enough:,}, {more}"


def explained(case: Case, subject: str, measured: Measurement) -> str:
    """What requests failed of, an example, and whom they waited for."""
    step = measured.subject
    sample = case.samples.get(step)
    if sample is None:
        return exhaustion(case, subject) if is_service(case.services, subject) else ""
    failed = [(n, name) for name, n in sample.outcomes.items() if is_failure(name)]
    text = ", ".join(f"{n} × {name}" for n, name in sorted(failed, key=lambda pair: -pair[0]))
    if late := hung(case, sample):
        text += f" ({late})"
    return text + _example(case.evidence, step)


def _example(evidence: Evidence, step: str) -> str:
    """The first failure that was kept whole; "" without any."""
    for row in evidence.exemplars:
        if row.get("why") == "failure" and step in (row.get("step"), JOURNEY):
            body = str(row.get("body") or row.get("error") or "no body").strip()
            return f"; for example {row['request_id']}: {row.get('status')} {body[:200]}"
    return ""


_metric = partial(Metric, kind="errors", of=_of, decide=_decided, explain=explained)
METRICS = tuple(
    _metric(name, unit=unit, scales=scales, measure=partial(_measured, name=name, unit=unit))
    for name, unit, scales in (("error_rate", "%", PERCENT), ("failures", "", COUNT))
)
