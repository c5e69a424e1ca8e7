"""Is the run evidence at all? Tests of the harness itself, before any rule is looked at.

A run whose load was not delivered, whose generator or mocks were starved, or whose recording has
holes measures the harness, not the shop. Its verdict is INVALID, with every reason.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from analysis.evidence.begun import requests_begun
from analysis.evidence.distance import ADDED, beyond_the_way, is_far
from analysis.evidence.late import late_alone
from analysis.evidence.requests import Sample, pooled
from analysis.evidence.resources import rate_while_measured
from analysis.evidence.run import Evidence
from analysis.evidence.sampling import enough_of, samples_taken, unwell
from analysis.evidence.stalls import undisturbed
from analysis.single.by_name import unknown_by_name
from analysis.single.delivery import delivered
from analysis.single.jitter import jitter_in_words
from analysis.statistics.percentiles import quantile
from analysis.words.values import NO_DATA, Check
from recording.durations import format_duration
from recording.events import GENERATOR_ENDED, WORKER_LOST
from recording.histogram import Histogram, merge
from recording.hlog import GENERATOR, LATENCY, of_requests
from recording.manifest import Origin
from recording.metric_names import CPU, CPU_BUSY, CPU_STEAL, HOST, OWN_CPU, RUN_QUEUE_WAIT
from recording.profile import JOURNEY

WORTH_SAYING = 0.03
"""Share of all cores; less than this explains nothing."""

_MOST_CORES = 1e6
_REPORTS = 10
"""Of each worker: with more of them in a measured phase it said how it was in at least two."""
_ENDS_THAT_COUNT = ("completed", "interrupted")
_REASONS = {
    "running": "the harness could not end the run: it was killed, or the disk was full",
    "service_died": "a service died",
    "generator_died": "the load generator died",
    "aborted": "the harness gave up",
}


def checks(evidence: Evidence, samples: dict[str, Sample]) -> list[Check]:
    """Every check of the run, in the order a reader should see them."""
    if evidence.manifest.origin is not None:
        return of_an_import(evidence, evidence.manifest.origin, samples[JOURNEY].n)
    whole = completeness(evidence) if evidence.manifest.source == "loadgate" else ()
    return [
        ending(evidence), *damage(evidence), *whole, *so_far(evidence, samples, over=True)
    ]  # fmt: skip


def of_an_import(evidence: Evidence, origin: Origin, measured: int) -> list[Check]:
    """Whether the recording is whole. What made it, and what that stood on, nobody recorded."""
    return [
        ending(evidence),
        *damage(evidence),
        _measured(evidence, measured),
        Check(f"what {origin.format} lacks", NO_DATA, f"none of: {', '.join(origin.lacks)}", True),
    ]


def _measured(evidence: Evidence, n: int) -> Check:
    hint = "" if evidence.measured_s else "no measured phase was reached"
    return Check("measured requests", f"{n:,}", "> 0", n > 0, hint)


def so_far(evidence: Evidence, samples: dict[str, Sample], *, over: bool) -> Iterator[Check]:
    """Those that can be asked of a run while it goes on, and, once it is `over`, of its plan."""
    if evidence.manifest.source == "loadgate":
        yield _recorded(evidence)
        yield from samples_taken(evidence, unwell(evidence, samples))
    journey = samples[JOURNEY]
    yield _measured(evidence, journey.n)
    if journey.n and evidence.measured_s > 0:
        yield from delivered(evidence, samples, over=over)
        yield from unknown_by_name(evidence)
        yield from bench(evidence, journey.answered)


def bench(evidence: Evidence, answered: int) -> Iterator[Check]:
    """What generator, mocks and host added to the measured requests, and what they had left."""
    yield from _distortion(evidence, answered)
    yield from generator(evidence)
    yield from host(evidence)
    yield from _mocks(evidence)


def ending(evidence: Evidence) -> Check:
    how = evidence.manifest.ended
    hint = evidence.manifest.ended_because or _REASONS.get(how, "")
    return Check("end of the run", how, "completed", how in _ENDS_THAT_COUNT, hint)


def damage(evidence: Evidence) -> Iterator[Check]:
    wrong = evidence.damage
    yield Check("damaged files", f"{len(wrong)}", "0", not wrong, "; ".join(wrong))


def completeness(evidence: Evidence) -> Iterator[Check]:
    closing = evidence.events_named(GENERATOR_ENDED)
    if not closing and evidence.manifest.ended == "interrupted" and not evidence.phases:
        return  # stopped in good order before there was any load to count
    if not closing:
        yield Check("closing count", "missing", "present", False, "the recording was cut off")
        return
    said = closing[-1]
    recorded = sum(i.histogram.n for i in of_requests(evidence.log.intervals))
    yield _equal("requests in latency.hlog", recorded, _count(said, "recorded"), "recorded")
    orders = len(evidence.confirmed)
    yield _equal("orders in confirmed.csv", orders, _count(said, "orders"), "recorded")
    if "given_up" in said:  # recordings of before do not know
        given_up = 0 if evidence.unconfirmed is None else len(evidence.unconfirmed)
        name = "orders in unconfirmed.csv"
        yield _equal(name, given_up, _count(said, "given_up"), "recorded")
    errors = _count(said, "errors")
    yield Check("recorder errors", f"{errors}", "0", not errors, str(said.get("last_error", "")))
    told = recorded - max(0, _count(said, "cut_off"))  # Locust never hears of these
    yield _locust_count(evidence, told, _count(said, "locust_requests"))
    yield from requests_begun(evidence, said, _died_with_workers(evidence, recorded))


def _count(said: Mapping[str, Any], name: str) -> int:
    """One of the generator's closing counts; -1, which fits nothing, where it is spoilt."""
    value = said.get(name)
    return value if type(value) is int else -1


def _equal(name: str, actual: int, expected: int, what: str) -> Check:
    return Check(name, f"{actual:,}", f"{expected:,} {what}", actual == expected)


def _locust_count(evidence: Evidence, ours: int, theirs: int) -> Check:
    tolerance = evidence.manifest.profile.validity.count_tolerance
    allowed = tolerance * max(ours, theirs) + _died_with_workers(evidence, ours)
    alike = abs(ours - theirs) <= allowed
    return Check(
        "requests by Locust's own count", f"{theirs:,}", f"{ours:,} ± {allowed:,.0f}", alike
    )


def _died_with_workers(evidence: Evidence, recorded: int) -> float:
    """Requests that lost workers may have told Locust of and not yet us: two intervals' worth."""
    lost = len(evidence.events_named(WORKER_LOST))
    interval_s = evidence.manifest.profile.recording.interval
    duration_s = max(interval_s, evidence.end_s - evidence.load_start_s)
    return lost * 2 * interval_s * recorded / duration_s


def _recorded(evidence: Evidence) -> Check:
    """Holes in the recording, by what is written whether or not there is load."""
    recorded: dict[float, int] = {}
    for i in evidence.log.intervals:
        if i.tag.step == GENERATOR and evidence.is_measured(i):
            recorded[i.start_s] = max(i.recorded, recorded.get(i.start_s, 0))
    return enough_of(
        "recorded intervals",
        sum(recorded.values()),
        evidence.measured_s / evidence.manifest.profile.recording.interval,
        evidence.manifest.profile.validity.missing_intervals,
    )


def _distortion(evidence: Evidence, answered: int) -> Iterator[Check]:
    is_nobodys, left = undisturbed(evidence, late_alone(evidence)), beyond_the_way(evidence)
    total = merge(
        left(i)
        for i in evidence.log.intervals
        if i.tag.kind in ADDED and evidence.is_measured(i) and is_nobodys(i)
    )
    yield from distortion_check(evidence, "distortion p99", total, answered=answered)


def distortion_check(
    evidence: Evidence, name: str, total: Histogram, arm: str = "", *, answered: int
) -> Iterator[Check]:
    """Whether harness and host added little to what was measured; only our services must say.

    Where nothing was answered there is nothing that they could have said it in.
    """
    limit_s = evidence.manifest.profile.validity.distortion_p99
    hint = "client time minus the server's own: what harness and host added to every latency"
    if total.n:
        hint = jitter_in_words(evidence) if is_far(evidence, arm) else hint
        yield _p99(name, total, limit_s, hint + stolen(evidence))
    elif evidence.is_ours(arm) and answered:
        yield _p99(name, total, limit_s, "")


def _p99(
    name: str, of: Histogram, limit_s: float, hint: str, *, may_be_empty: bool = False
) -> Check:
    limit = f"≤ {format_duration(limit_s)}"
    if not of.n:
        return Check(name, NO_DATA, limit, may_be_empty, hint)
    p99_ms = quantile(of.values_us, of.counts, 0.99) / 1000
    return Check(name, f"{p99_ms:.1f} ms", limit, p99_ms <= 1000 * limit_s, hint)


def generator(evidence: Evidence) -> Iterator[Check]:
    validity = evidence.manifest.profile.validity
    own = evidence.manifest.source == "loadgate"  # whose generator always says
    lag, limit_s = pooled(evidence, LATENCY, GENERATOR), validity.generator_lag_p99
    hint = "how late its own timers fired" + stolen(evidence)
    yield _p99("generator lag p99", lag, limit_s, hint, may_be_empty=not own)
    workers = evidence.load.subjects(CPU)
    if not workers:
        yield Check("CPU of the generator", NO_DATA, "present", not own)
    longest_s = max((end - start for start, end in evidence.measured), default=0.0)
    reports = longest_s / evidence.manifest.profile.recording.interval
    must = own and reports > _REPORTS and not evidence.events_named(WORKER_LOST)
    for worker in workers:
        cpu = rate_while_measured(evidence, *evidence.load.get(worker, CPU))
        check = share_check(f"CPU of {worker}", cpu, validity.generator_cpu, "of one core")
        yield replace(check, ok=check.ok and not (must and cpu is None))
        wait = rate_while_measured(evidence, *evidence.load.get(worker, RUN_QUEUE_WAIT))
        hint = "it was ready to run and other processes had the cores"
        yield share_check(f"CPU wait of {worker}", wait, validity.generator_wait, "of time", hint)


def stolen(evidence: Evidence) -> str:
    """What a virtual machine's host took from it, in words; "" where that is next to nothing."""
    steal = rate_while_measured(evidence, *evidence.resources.get(HOST, CPU_STEAL))
    cores = _cores(evidence)
    if not steal or not cores or steal / cores < WORTH_SAYING:
        return ""
    return f"; the hypervisor took {100 * steal / cores:.0f} % of the CPU for others"


def _cores(evidence: Evidence) -> float | None:
    """Of the generator's machine; None where nobody said a number that can be."""
    cores = evidence.manifest.host.get("cores")
    return cores if isinstance(cores, int | float) and 0 < cores <= _MOST_CORES else None


def host(evidence: Evidence) -> Iterator[Check]:
    """What other processes took from the machine: a busy neighbour is not a slow shop."""
    cores = _cores(evidence)
    busy, own = (
        rate_while_measured(evidence, *evidence.resources.get(HOST, metric))
        for metric in (CPU_BUSY, OWN_CPU)
    )
    share = None
    if busy is not None and own is not None and cores:
        share = max(0.0, busy - own) / cores
    limit = evidence.manifest.profile.validity.foreign_cpu
    hint = "other processes were using this machine"
    yield share_check("CPU taken by others", share, limit, f"of {cores or '?'} cores", hint)


def _mocks(evidence: Evidence) -> Iterator[Check]:
    if not evidence.manifest.profile.starts_mocks:
        return  # a real service may use all the cores it has
    for subject in evidence.services.subjects:
        cpu = rate_while_measured(evidence, *evidence.resources.get(subject, CPU))
        limit = evidence.manifest.profile.validity.mock_cpu
        hint = "a saturated mock measures itself"
        yield share_check(f"CPU of the {subject} mock", cpu, limit, "of one core", hint)


def share_check(name: str, value: float | None, limit: float, of: str, hint: str = "") -> Check:
    """A share of CPU or time; None, where the system does not say, is shown and spoils nothing."""
    allowed = f"≤ {100 * limit:g} % {of}"
    if value is None:
        return Check(name, NO_DATA, allowed, True, hint)
    return Check(name, f"{100 * value:.0f} %", allowed, value <= limit, hint)
