"""What a follower has counted, as Prometheus' metrics."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from harness.observe import names
from harness.observe.follower import Follower
from recording.flow import Services
from recording.metric_names import CPU, RSS, RUN_QUEUE_WAIT
from recording.outcomes import is_failure
from recording.profile import Profile
from recording.version import version

STATES = ("starting", "running", "stopping", "ended")


@dataclass(frozen=True, slots=True)
class Told:
    """A run that is followed: its id, its profile, and the wall clock at its epoch, s."""

    run_id: str
    profile: Profile
    epoch_wall_s: float
    follower: Follower


def families(told: Told) -> Iterator[Metric]:
    """Everything on the page."""
    seen = told.follower
    info = GaugeMetricFamily(
        names.INFO, "The run; always 1", labels=("run_id", "profile", "version")
    )
    info.add_metric((told.run_id, told.profile.name, version()), 1)
    yield info
    if seen.users is not None:
        yield GaugeMetricFamily(names.USERS, "Simulated users", value=seen.users)
    flow = told.profile.flow
    yield from _requests(seen, flow)
    yield from _journeys(seen, told.profile)
    yield from _harness(seen, told.profile)
    yield from _workers(seen)
    yield from _progress(seen)
    yield from _events(seen, told.epoch_wall_s)


def _requests(seen: Follower, flow: Services) -> Iterator[Metric]:
    labels = ("service", "step", "outcome", "measured")
    total = CounterMetricFamily(
        names.REQUESTS, "Requests that ended, by what became of them", labels=labels
    )
    took = HistogramMetricFamily(
        names.DURATION,
        "What clients waited; from when it was due in the open model",
        labels=labels,
    )
    for (step, outcome, measured), count in seen.requests.items():
        total.add_metric((flow.service_of(step), step, outcome, _truth(measured)), count)
    for (step, outcome, measured), tally in seen.durations.items():
        values = (flow.service_of(step), step, outcome, _truth(measured))
        took.add_metric(values, tally.cumulative, tally.sum_s)
    yield from (total, took, _failed(seen, flow))


def _failed(seen: Follower, flow: Services) -> Metric:
    family = CounterMetricFamily(
        names.FAILED,
        "Requests with an outcome that the plan did not ask for",
        labels=("service", "step", "measured"),
    )
    counts = Counter(dict.fromkeys(product(flow.steps, (False, True)), 0))
    for (step, outcome, measured), count in seen.requests.items():
        counts[step, measured] += count if is_failure(outcome) else 0
    for (step, measured), count in counts.items():
        family.add_metric((flow.service_of(step), step, _truth(measured)), count)
    return family


def _journeys(seen: Follower, profile: Profile) -> Iterator[Metric]:
    outline = profile.scenario.outline
    first = outline.steps[0].name if outline else next(iter(profile.flow.steps), "")
    asked = sum(n for (step, *_), n in seen.requests.items() if step == first)
    begun = asked - seen.retries[first]
    yield CounterMetricFamily(names.JOURNEYS, "Journeys whose first step ended", value=begun)
    yield CounterMetricFamily(
        names.CONFIRMED, "Orders that clients saw confirmed", value=seen.confirmed
    )


def _harness(seen: Follower, profile: Profile) -> Iterator[Metric]:
    """What the run is no evidence for when it is too large."""
    added = HistogramMetricFamily(
        names.DISTORTION,
        "Client time minus the server's own X-Response-Time",
        labels=("service", "step", "measured"),
    )
    for (step, measured), tally in seen.distortions.items():
        labels = (profile.flow.service_of(step), step, _truth(measured))
        added.add_metric(labels, tally.cumulative, tally.sum_s)
    lag = HistogramMetricFamily(names.LAG, "How late the generator's timers fired")
    lag.add_metric((), seen.lag.cumulative, seen.lag.sum_s)
    limit = GaugeMetricFamily(names.VALIDITY_LIMIT, "Past it a run is INVALID", labels=("check",))
    limit.add_metric(("distortion_p99",), profile.validity.distortion_p99)
    limit.add_metric(("generator_lag_p99",), profile.validity.generator_lag_p99)
    yield from (added, lag, limit)


_OF_A_WORKER: Mapping[str, tuple[type[CounterMetricFamily | GaugeMetricFamily], str, str]] = {
    CPU: (CounterMetricFamily, names.WORKER_CPU, "CPU of a Locust worker"),
    RUN_QUEUE_WAIT: (CounterMetricFamily, names.WORKER_WAIT, "Time it waited for a core"),
    RSS: (GaugeMetricFamily, names.WORKER_RSS, "Resident memory of a Locust worker"),
}


def _workers(seen: Follower) -> Iterator[Metric]:
    for metric, (family_of, name, text) in _OF_A_WORKER.items():
        family = family_of(name, text, labels=("worker",))
        for (worker, said), value in seen.workers.items():
            if said == metric:
                family.add_metric((worker,), value)
        yield family


def _progress(seen: Follower) -> Iterator[Metric]:
    phase = GaugeMetricFamily(
        names.PHASE, "1 for the phase that is on", labels=("phase", "measured")
    )
    for name, measured in dict.fromkeys((name, m) for _, name, m in seen.phases if name):
        phase.add_metric((name, _truth(measured)), float(name == seen.phase))
    yield phase
    state = GaugeMetricFamily(names.STATE, "1 for what the run does now", labels=("state",))
    now = _state(seen)
    for name in STATES:
        state.add_metric((name,), float(name == now))
    yield state
    verdict = GaugeMetricFamily(names.VERDICT, "1, once it is judged", labels=("verdict",))
    if seen.verdict:
        verdict.add_metric((seen.verdict,), 1)
    yield verdict


def _state(seen: Follower) -> str:
    if seen.ended:
        return STATES[3]
    if seen.stopping:
        return STATES[2]
    return STATES[1] if seen.phases else STATES[0]


def _events(seen: Follower, epoch_wall_s: float) -> Iterator[Metric]:
    counted = CounterMetricFamily(names.EVENTS, "Lines of events.jsonl", labels=("event", "source"))
    for labels, count in seen.event_counts.items():
        counted.add_metric(labels, count)
    newest = GaugeMetricFamily(
        names.EVENT_TIME,
        "When it was last, seconds since 1970",
        labels=("event", "source", "detail"),
    )
    for named, at_s in seen.event_times_s.items():
        newest.add_metric(named, epoch_wall_s + at_s)
    yield from (counted, newest)


def _truth(yes: bool) -> str:
    return "true" if yes else "false"
