"""What the sampled series say about services: pools, CPU, errors on the server's side, memory."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.evidence import Evidence
from analysis.pools import (
    BucketQuantile,
    ExhaustionWindow,
    PoolSeries,
    counter_steps,
    exhaustion_windows,
    histogram_quantile,
    pool_use,
)
from analysis.statistics.distributions import share_interval
from analysis.values import Measurement
from recording.series_reader import Series

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pool:
    """One connection pool of one replica, over the whole run; ``label`` is ``locks/0``."""

    subject: str
    label: str
    series: PoolSeries
    windows: tuple[ExhaustionWindow, ...]


def pools_of(evidence: Evidence, subject: str) -> list[Pool]:
    """Every pool of a service. Exhaustion counts in every phase, not only while measuring."""
    return list(_pools(evidence.resources, subject))


def _pools(series: Series, subject: str) -> Iterator[Pool]:
    for metric in series.metrics(subject):
        name, _, label = metric.partition("/")
        if name == "connection_pool_active":
            pool = _pool_series(series, subject, label)
            yield Pool(subject, label, pool, tuple(exhaustion_windows(pool)))


def _pool_series(series: Series, subject: str, label: str) -> PoolSeries:
    t_s, active = series.get(subject, f"connection_pool_active/{label}")

    def at_same_times(name: str) -> Floats:
        return carried(series, subject, f"{name}/{label}", t_s)

    return PoolSeries(
        name=label,
        t_s=t_s,
        maximum=at_same_times("connection_pool_max"),
        active=active,
        waiting=at_same_times("connection_pool_waiting"),
        timeouts_total=at_same_times("connection_pool_timeouts_total"),
    )


def carried(series: Series, subject: str, metric: str, t_s: Floats) -> Floats:
    """The metric's last written value at each time; 0 before the first."""
    times, values = series.get(subject, metric)
    if not times.size:
        return np.zeros(len(t_s))
    # Samples of one pass share a time up to the writing of it, hence the small slack.
    place = np.searchsorted(times, t_s + 1e-6, side="right") - 1
    return np.where(place >= 0, values[np.maximum(place, 0)], 0.0)


def pool_measurement(
    pools: list[Pool], subject: str, metric: str, evidence: Evidence
) -> Measurement:
    """One pool metric of thresholds.toml: the worst pool of the service, and which it is."""
    n = sum(len(pool.series.t_s) for pool in pools)
    if not n:
        return Measurement(subject, metric, float("nan"), "", 0, phase="run")
    if metric == "exhausted_windows":
        total = sum(len(pool.windows) for pool in pools)
        return Measurement(subject, metric, float(total), "", n, phase="run")
    if metric == "acquire_wait_p99":
        wait = acquire_wait(evidence, pools, 0.99)
        note = "at least (past the last bucket)" if wait.at_least else ""
        return Measurement(subject, metric, 1000 * wait.value, "ms", n, phase="run", note=note)
    uses = {pool.label: pool_use(pool.series) for pool in pools}
    if metric == "utilization":
        worst = max(uses, key=lambda label: uses[label].utilization_peak_percent)
        value = uses[worst].utilization_peak_percent
        return Measurement(subject, metric, value, "%", n, phase="run", note=f"peak of {worst}")
    if metric == "timeouts":
        return Measurement(
            subject, metric, float(sum(use.timeouts for use in uses.values())), "", n, phase="run"
        )
    worst = max(uses, key=lambda label: uses[label].peak_waiting)
    peak = float(uses[worst].peak_waiting)
    return Measurement(subject, metric, peak, "", n, phase="run", note=f"peak of {worst}")


def acquire_wait(evidence: Evidence, pools: list[Pool], q: float) -> BucketQuantile:
    """Quantile of the wait for a connection over the run, s, all pools of a service together."""
    bounds: dict[float, float] = {}
    for pool in pools:
        prefix = f"connection_pool_acquire_seconds_bucket/{pool.label}/"
        for metric in evidence.resources.metrics(pool.subject):
            if metric.startswith(prefix):
                _, values = evidence.resources.get(pool.subject, metric)
                bound = float(metric.removeprefix(prefix))
                bounds[bound] = bounds.get(bound, 0.0) + float(counter_steps(values).sum())
                bounds[bound] += float(values[0])
    if not bounds:
        return BucketQuantile(float("nan"), False)
    ordered = sorted(bounds)
    return histogram_quantile(np.array(ordered), np.array([bounds[bound] for bound in ordered]), q)


def server_errors(evidence: Evidence, subject: str) -> Measurement:
    """Share of a service's own 5xx answers in the measured phases, from its request counters."""
    failed = total = 0.0
    for metric in evidence.resources.metrics(subject):
        name, _, labels = metric.partition("/")
        if name == "http_requests_total":
            grown = grown_while_measured(evidence, subject, metric)
            total += grown
            failed += grown if labels.rpartition("/")[2].startswith("5") else 0.0
    if not total:
        return Measurement(subject, "error_rate", float("nan"), "%", 0)
    ci = share_interval(round(failed), round(total))
    rate = 100 * failed / total
    return Measurement(subject, "error_rate", rate, "%", round(total), 100 * ci.low, 100 * ci.high)


def grown_while_measured(evidence: Evidence, subject: str, metric: str, source: str = "") -> float:
    """How much a counter grew in the measured phases; a restart of the service is no loss."""
    series = evidence.load if source == "load" else evidence.resources
    t_s, values = series.get(subject, metric)
    if not t_s.size:
        return 0.0
    steps = counter_steps(values)
    born_late = t_s[0] > 0 and not np.isclose(t_s[0], _first_sample_s(series, subject))
    if born_late:  # a labelled counter appears with its first event
        steps = np.concatenate([[values[0]], steps[1:]])
    inside = np.zeros(t_s.size, bool)
    for start, end in evidence.measured:
        inside |= (t_s > start) & (t_s <= end)
    return float(steps[inside].sum())


def _first_sample_s(series: Series, subject: str) -> float:
    t_s, _ = series.get(subject, "up")
    return float(t_s[0]) if t_s.size else 0.0


def cpu_share(evidence: Evidence, subject: str, source: str = "") -> float | None:
    """Cores a process used on average in the measured phases; None without samples."""
    series = evidence.load if source == "load" else evidence.resources
    t_s, values = series.get(subject, "process_cpu_seconds_total")
    return rate_while_measured(evidence, t_s, values)


def run_queue_share(evidence: Evidence, subject: str) -> float | None:
    """Share of time a generator process was ready but had no core; None without samples."""
    t_s, values = evidence.load.get(subject, "run_queue_wait_seconds")
    return rate_while_measured(evidence, t_s, values)


def rate_while_measured(evidence: Evidence, t_s: Floats, values: Floats) -> float | None:
    """Growth per second of a counter in the measured phases; None with fewer than two samples."""
    grown = span = 0.0
    for start, end in evidence.measured:
        inside = np.flatnonzero((t_s >= start) & (t_s <= end))
        if inside.size >= 2:
            grown += float(values[inside[-1]] - values[inside[0]])
            span += float(t_s[inside[-1]] - t_s[inside[0]])
    return grown / span if span else None
