"""``latency``: percentiles, mean and maximum of what clients waited."""

from collections.abc import Iterator
from functools import partial
from math import inf

from analysis.evidence.requests import MAX_ERROR_SHARE, QUANTILES, Sample, pooled
from analysis.metrics.case import Case
from analysis.metrics.decide import decided, longer, unseen
from analysis.metrics.metric import Claim, Decision, Metric
from analysis.metrics.subjects import has_requests, of_steps
from analysis.statistics.percentiles import quantile
from analysis.words.units import LATENCY
from analysis.words.values import Measurement, show
from recording.durations import format_duration
from recording.hlog import DISTORTION
from recording.outcomes import TIMEOUT
from recording.profile import JOURNEY

FEWEST_OF_A_MEAN = 30
"""The scatter of fewer is hardly known, and so is what they take on average."""
ONE_SIDED = 0.90
"""Two-sided confidence of the interval whose bounds are wrong in 5 % each."""


def _decided(case: Case, claim: Claim, _subject: str, measured: Measurement) -> Decision:
    return decided(claim, measured, _doubts(case, claim, measured))


def _doubts(case: Case, claim: Claim, measured: Measurement) -> Iterator[str]:
    behind = case.samples.get(measured.subject)
    if behind and behind.failure_share > MAX_ERROR_SHARE:
        yield (
            f"{show(100 * behind.failure_share, '%')} of its requests failed: "
            "how fast they failed says nothing"
        )
    yield unseen(claim, measured)
    if measured.metric in QUANTILES:
        bounded = behind.quantile(measured.metric, ONE_SIDED) if behind else measured
        yield straddles(claim, bounded, case.evidence.measured_s)
    elif measured.metric == "mean" and measured.n < FEWEST_OF_A_MEAN:
        yield f"{measured.n:,} requests are too few for a mean: it takes {FEWEST_OF_A_MEAN}"


def straddles(claim: Claim, measured: Measurement, measured_s: float) -> str:
    """Whether the bound on the limit's side lies past it; "" where it does not."""
    bound = measured.ci_high if claim.holds(-inf) else measured.ci_low
    if bound is None:
        return f"{measured.n:,} requests, as they are correlated, are too few to bound it"
    if claim.holds(bound):
        return ""
    reach, room = abs(bound - measured.value), abs(claim.limit - measured.value)
    # Half-widths shrink with the root of the time.
    more = longer(measured_s * ((reach / room) ** 2 - 1) if room else inf)
    return f"its 95 % bound is {show(bound, measured.unit)}: {more} could decide"


def _explained(case: Case, _subject: str, measured: Measurement) -> str:
    step = measured.subject
    sample = case.samples.get(step)
    if measured.at_least and sample and (late := hung(case, sample)):
        return late
    service = case.services.service_of(step)
    if not service:
        return _slowest_step(case)
    ours = pooled(case.evidence, DISTORTION, step)
    if not ours.n:
        return ""
    p99_ms = quantile(ours.values_us, ours.counts, 0.99) / 1000
    return (
        f"the time was spent in {service}: its own X-Response-Time accounts for all but "
        f"{p99_ms:.1f} ms (p99)"
    )


def _slowest_step(case: Case) -> str:
    steps = (sample for name, sample in case.samples.items() if name != JOURNEY and sample.n)
    worst = max(steps, key=lambda sample: sample.measure("p99").value, default=None)
    return f"slowest step: {worst.subject}" if worst else ""


def hung(case: Case, sample: Sample) -> str:
    """Which requests never got a whole answer; "" where all of them did."""
    deadline = format_duration(case.evidence.manifest.profile.load.request_timeout)
    late, cut_off = sample.outcomes.get(TIMEOUT, 0), sample.undecided
    texts = [f"{late} of {sample.n} requests had no whole answer within {deadline}"] if late else []
    if cut_off:
        texts.append(f"{cut_off} were cut off younger than that")
    return "; ".join(texts)


_metric = partial(Metric, kind="latency", of=has_requests, decide=_decided, explain=_explained)
METRICS = tuple(
    _metric(name, unit="ms", scales=LATENCY, measure=partial(of_steps, metric=name, unit="ms"))
    for name in (*QUANTILES, "mean", "max")
)
