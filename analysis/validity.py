"""Is the run evidence at all? Tests of the harness itself, before any rule is looked at.

A run whose load was not delivered, whose generator or mocks were starved, or whose recording has
holes measures the harness, not the shop. Its verdict is INVALID, with every reason.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from analysis.evidence import GENERATOR, Evidence
from analysis.latency import Sample, pooled
from analysis.resources import (
    cpu_share,
    grown_while_measured,
    rate_while_measured,
    run_queue_share,
)
from analysis.statistics.percentiles import quantile
from analysis.values import Check
from recording.durations import format_duration
from recording.flow import SERVICE_STEPS
from recording.histogram import Histogram
from recording.hlog import DISTORTION, LATENCY
from recording.slots import ARMS

STEAL = "cpu_steal_seconds_total"
WORTH_SAYING = 0.03
"""Share of all cores; less than this explains nothing."""
USERS_KNOWN_AFTER_S = 0.9
"""Locust's master counts users by its workers' reports, which come once a second."""

_ENDS_THAT_COUNT = ("completed", "interrupted")
_REASONS = {
    "running": "the harness could not end the run: it was killed, or the disk was full",
    "service_died": "a service died",
    "generator_died": "the load generator died",
    "aborted": "the harness gave up",
}


def checks(evidence: Evidence, samples: dict[str, Sample]) -> list[Check]:
    """Every check of the run, in the order a reader should see them."""
    found = [ending(evidence), *damage(evidence)]
    if evidence.manifest.source == "loadgate":
        found += [*completeness(evidence), _recorded(evidence), *samples_taken(evidence)]
    journey = samples["journey"]
    found.append(
        Check("measured requests", f"{journey.n}", "> 0", journey.n > 0, _zero_hint(evidence))
    )
    if journey.n and evidence.measured_s > 0:
        deliver = _users_delivered if journey_is_closed(evidence) else _arrivals_delivered
        found += [*deliver(evidence, samples), *_distortion(evidence), *generator(evidence)]
        found += [*host(evidence), *_mocks(evidence)]
    return found


def ending(evidence: Evidence) -> Check:
    how = evidence.manifest.ended
    hint = evidence.manifest.ended_because or _REASONS.get(how, "")
    return Check("end of the run", how, "completed", how in _ENDS_THAT_COUNT, hint)


def _zero_hint(evidence: Evidence) -> str:
    return "" if evidence.measured_s else "no measured phase was reached"


def damage(evidence: Evidence) -> Iterator[Check]:
    yield Check(
        "damaged files",
        f"{len(evidence.damage)}",
        "0",
        not evidence.damage,
        "; ".join(evidence.damage),
    )


def completeness(evidence: Evidence) -> Iterator[Check]:
    closing = evidence.events_named("generator_ended")
    if not closing and evidence.manifest.ended == "interrupted" and not evidence.phases:
        return  # stopped in good order before there was any load to count
    if not closing:
        yield Check("closing count", "missing", "present", False, "the recording was cut off")
        return
    said = closing[-1]
    recorded = sum(
        i.histogram.n
        for i in evidence.log.intervals
        if i.tag.kind == LATENCY and i.tag.step != GENERATOR
    )
    yield _equal("requests in latency.hlog", recorded, _count(said, "recorded"), "recorded")
    orders = len(evidence.confirmed)
    yield _equal("orders in confirmed.csv", orders, _count(said, "orders"), "recorded")
    errors = _count(said, "errors")
    yield Check("recorder errors", f"{errors}", "0", not errors, str(said.get("last_error", "")))
    yield _locust_count(evidence, recorded, _count(said, "locust_requests"))


def _count(said: Mapping[str, Any], name: str) -> int:
    """One of the generator's closing counts; -1, which fits nothing, where it is spoilt."""
    value = said.get(name)
    return int(value) if isinstance(value, int | float) else -1


def _equal(name: str, actual: int, expected: int, what: str) -> Check:
    return Check(name, f"{actual}", f"{expected} {what}", actual == expected)


def _locust_count(evidence: Evidence, ours: int, theirs: int) -> Check:
    tolerance = evidence.manifest.profile.validity.count_tolerance
    allowed = tolerance * max(ours, theirs) + _died_with_workers(evidence, ours)
    return Check(
        "requests by Locust's own count",
        f"{theirs}",
        f"{ours} ± {allowed:.0f}",
        abs(ours - theirs) <= allowed,
    )


def _died_with_workers(evidence: Evidence, recorded: int) -> float:
    """Requests that lost workers may have told Locust of and not yet us: two intervals' worth."""
    lost = len(evidence.events_named("worker_lost"))
    interval_s = evidence.manifest.profile.recording.interval
    duration_s = max(interval_s, evidence.end_s - evidence.load_start_s)
    return lost * 2 * interval_s * recorded / duration_s


def _recorded(evidence: Evidence) -> Check:
    """Holes in the recording, by what is written whether or not there is load."""
    recorded: dict[float, int] = {}
    for i in evidence.log.intervals:
        if i.tag.step == GENERATOR and evidence.is_measured(i):
            recorded[i.start_s] = max(i.recorded, recorded.get(i.start_s, 0))
    return _missing(
        "recorded intervals",
        sum(recorded.values()),
        evidence.measured_s / evidence.manifest.profile.recording.interval,
        evidence.manifest.profile.validity.missing_intervals,
    )


def samples_taken(evidence: Evidence) -> Iterator[Check]:
    """Whether each service answered the sampler all the time that was measured."""
    sampled = evidence.resources.subjects("up")
    arms = ARMS if evidence.manifest.paired else ("",)
    own = (arm for arm in arms if evidence.is_ours(arm))
    for subject in (f"{service}@{arm}".rstrip("@") for arm in own for service in SERVICE_STEPS):
        if subject not in sampled:
            yield Check(f"samples of {subject}", "none", "all", False)
    for subject in sampled:
        t_s, up = evidence.resources.get(subject, "up")
        inside = np.zeros(t_s.size, bool)
        for start, end in evidence.measured:
            inside |= (t_s >= start) & (t_s <= end)
        yield _missing(
            f"samples of {subject}",
            int((up[inside] > 0).sum()),
            evidence.measured_s / evidence.manifest.profile.sampling.interval,
            evidence.manifest.profile.validity.missing_samples,
        )


def _missing(name: str, actual: int, expected: float, tolerated: float) -> Check:
    # A phase may begin and end inside an interval: one at either end is not a hole.
    enough = actual >= (1 - tolerated) * expected - 2
    return Check(name, f"{actual}", f"≥ {100 * (1 - tolerated):g} % of {expected:.0f}", enough)


def journey_is_closed(evidence: Evidence) -> bool:
    """Whether users drive the load; otherwise arrivals do."""
    return evidence.manifest.profile.load.model == "users"


def _arrivals_delivered(evidence: Evidence, samples: dict[str, Sample]) -> Iterator[Check]:
    """Journeys that were due, against the plan and against those that began."""
    validity = evidence.manifest.profile.validity
    due, begun = (
        sum(
            grown_while_measured(evidence, worker, f"arrivals_{name}_total", "load")
            for worker in evidence.load.subjects("arrivals_planned_total")
        )
        for name in ("planned", "started")
    )
    planned = _planned_arrivals(evidence)
    # Poisson arrivals scatter by the root of their number; five of them is never chance.
    allowed = validity.rate_tolerance * planned + 5 * planned**0.5
    yield Check(
        "arrivals due",
        f"{due:.0f}",
        f"{planned:.0f} ± {allowed:.0f}",
        abs(due - planned) <= allowed,
    )
    undelivered = max(0.0, 1 - begun / due) if due else 1.0
    yield Check(
        "arrivals not delivered",
        f"{100 * undelivered:.2g} %",
        f"≤ {100 * validity.undelivered_arrivals:g} %",
        undelivered <= validity.undelivered_arrivals,
        "due, but no user was free: raise load.max_concurrent, or the shop cannot keep up",
    )


def _planned_arrivals(evidence: Evidence) -> float:
    load = evidence.manifest.profile.load
    total = 0.0
    for start, end in evidence.measured:
        moments = np.linspace(start, end, 200) - evidence.load_start_s
        total += float(np.mean([load.intended(float(t)) or 0.0 for t in moments])) * (end - start)
    return total


def _users_delivered(evidence: Evidence, samples: dict[str, Sample]) -> Iterator[Check]:
    validity = evidence.manifest.profile.validity
    intended, delivered = _users(evidence)
    if delivered is None:
        yield Check("users delivered", "no data", "present", False)
        return
    share = delivered / intended if intended else 0.0
    yield Check(
        "users delivered",
        f"{delivered:.0f}",
        f"{intended:.0f} ± {100 * validity.users_tolerance:g} %",
        abs(share - 1) <= validity.users_tolerance,
    )
    rate = samples["journey"].n / evidence.measured_s
    yield rate_check(evidence, "request rate", rate, samples, delivered)


def rate_check(
    evidence: Evidence, name: str, rate: float, samples: dict[str, Sample], users: float
) -> Check:
    """Whether the requests per second fit the users who made them."""
    tolerance = evidence.manifest.profile.validity.rate_tolerance
    expected = littles_law_rate(evidence, samples, users)
    return Check(
        name,
        f"{rate:.1f}/s",
        f"{expected:.1f}/s ± {100 * tolerance:g} %",
        abs(rate / expected - 1) <= tolerance,
        "Little's law over users, declared think time and measured latency",
    )


def _users(evidence: Evidence) -> tuple[float, float | None]:
    """Mean users the plan asked for and mean users there were, over the measured phases."""
    load = evidence.manifest.profile.load
    pairs = [
        (wanted, float(there))
        for t_s, there in zip(*evidence.load.get("locust", "users"), strict=True)
        if _users_known_at(evidence, float(t_s))
        and (wanted := load.intended(float(t_s) - evidence.load_start_s)) is not None
    ]
    if not pairs:
        return 0.0, None
    intended, delivered = np.mean(pairs, axis=0)
    return float(intended), float(delivered)


def _users_known_at(evidence: Evidence, t_s: float) -> bool:
    return any(start + USERS_KNOWN_AFTER_S <= t_s <= end for start, end in evidence.measured)


def littles_law_rate(evidence: Evidence, samples: dict[str, Sample], users: float) -> float:
    """Requests/s that ``users`` can make: each request takes its latency and a think time.

    Little's law, N = X·(R + Z) (J. D. C. Little, 1961; Z is think time in the interactive form).
    With a journey period the users wait for it, so the rate follows from requests per period.
    """
    journey = evidence.manifest.profile.journey
    all_steps = samples["journey"]
    mean_s = all_steps.measure("mean").value / 1000
    per_user = 1 / (mean_s + journey.think.mean_s)
    if journey.period is not None:
        started = samples.get("browse")
        per_journey = all_steps.n / started.n if started and started.n else 1.0
        per_user = min(per_user, per_journey / journey.period)
    return users * per_user


def _distortion(evidence: Evidence) -> Iterator[Check]:
    yield from distortion_check(evidence, "distortion p99", pooled(evidence, DISTORTION))


def distortion_check(
    evidence: Evidence, name: str, total: Histogram, arm: str = ""
) -> Iterator[Check]:
    """Whether harness and host added little to what was measured; only our services must say."""
    limit_s = evidence.manifest.profile.validity.distortion_p99
    if not total.n:
        if evidence.is_ours(arm):
            yield Check(name, "no data", f"≤ {format_duration(limit_s)}", False)
        return
    p99_ms = quantile(total.values_us, total.counts, 0.99) / 1000
    yield Check(
        name,
        f"{p99_ms:.1f} ms",
        f"≤ {format_duration(limit_s)}",
        p99_ms <= 1000 * limit_s,
        "client time minus the server's own: what harness and host added to every latency"
        + stolen(evidence),
    )


def generator(evidence: Evidence) -> Iterator[Check]:
    validity = evidence.manifest.profile.validity
    lag = pooled(evidence, LATENCY, GENERATOR)
    if lag.n:
        p99_ms = quantile(lag.values_us, lag.counts, 0.99) / 1000
        yield Check(
            "generator lag p99",
            f"{p99_ms:.1f} ms",
            f"≤ {format_duration(validity.generator_lag_p99)}",
            p99_ms <= 1000 * validity.generator_lag_p99,
            "how late its own timers fired" + stolen(evidence),
        )
    for worker in evidence.load.subjects("process_cpu_seconds_total"):
        cpu = cpu_share(evidence, worker, "load")
        if cpu is not None:
            yield share_check(f"CPU of {worker}", cpu, validity.generator_cpu, "of one core")
        wait = run_queue_share(evidence, worker)
        if wait is not None:
            hint = "it was ready to run and other processes had the cores"
            yield share_check(
                f"CPU wait of {worker}", wait, validity.generator_wait, "of time", hint
            )


def stolen(evidence: Evidence) -> str:
    """What a virtual machine's host took from it, in words; "" where that is next to nothing."""
    steal = rate_while_measured(evidence, *evidence.resources.get("host", STEAL))
    cores = evidence.manifest.host.get("cores")
    if not steal or not cores or steal / float(cores) < WORTH_SAYING:
        return ""
    return f"; the hypervisor took {100 * steal / float(cores):.0f} % of the CPU for others"


def host(evidence: Evidence) -> Iterator[Check]:
    """What other processes took from the machine: a busy neighbour is not a slow shop."""
    cores = evidence.manifest.host.get("cores")
    busy, own = (
        rate_while_measured(evidence, *evidence.resources.get("host", f"{name}_seconds_total"))
        for name in ("cpu_busy", "own_cpu")
    )
    if busy is not None and own is not None and cores:
        limit = evidence.manifest.profile.validity.foreign_cpu
        share = max(0.0, busy - own) / float(cores)
        hint = "other processes were using this machine"
        yield share_check("CPU taken by others", share, limit, f"of {cores} cores", hint)


def _mocks(evidence: Evidence) -> Iterator[Check]:
    if evidence.manifest.profile.target.urls:
        return  # a real service may use all the cores it has
    for subject in SERVICE_STEPS:
        cpu = cpu_share(evidence, subject)
        if cpu is not None:
            limit = evidence.manifest.profile.validity.mock_cpu
            hint = "a saturated mock measures itself"
            yield share_check(f"CPU of the {subject} mock", cpu, limit, "of one core", hint)


def share_check(name: str, value: float, limit: float, of: str, hint: str = "") -> Check:
    return Check(name, f"{100 * value:.0f} %", f"≤ {100 * limit:g} % {of}", value <= limit, hint)
