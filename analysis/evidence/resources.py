"""What the sampled series say about services: pools, CPU, errors on the server's side, memory."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf, isnan, nan

import numpy as np
import numpy.typing as npt

from analysis.evidence.coverage import samples_without, unsaid
from analysis.evidence.pool_series import (
    BucketQuantile,
    ExhaustionWindow,
    PoolSeries,
    counter_steps,
    exhaustion_windows,
    histogram_quantile,
    pool_use,
)
from analysis.evidence.run import Evidence
from analysis.limits.rules import METRICS
from analysis.statistics.distributions import share_interval
from analysis.words.values import Measurement
from recording.series_reader import Series

Floats = npt.NDArray[np.float64]

BRIEF_WAIT_S = 0.05
"""Longer than it takes to open a connection (TCP, TLS and a login in one data centre: 10 to 40 ms):
who waited longer, waited for somebody else's."""
_REQUESTS = "http_requests_total"
_SAME_PASS_S = 1e-3
"""Samples of one pass share a time, up to the writing of it."""
_SAYS = {
    "utilization": (
        "utilization_peak_percent", "size", "no connection_pool_max, or an unlimited one"
    ),
    "peak_waiting": ("peak_waiting", "waiting", "no connection_pool_waiting"),
    "timeouts": ("timeouts", "timeouts_total", "no connection_pool_timeouts_total"),
}  # fmt: skip
"""Where a pool's use has each metric, the series behind it, and what a pool without it lacks."""


@dataclass(frozen=True, slots=True)
class Pool:
    """One connection pool of one replica, over the whole run; ``label`` is ``locks/0``."""

    subject: str
    label: str
    series: PoolSeries
    windows: tuple[ExhaustionWindow, ...]
    unseen: str = ""
    """That the service was sampled and said nothing of this pool any more; "" where it did."""


def pools_of(evidence: Evidence, subject: str) -> list[Pool]:
    """Every pool of a service. Exhaustion counts in every phase, not only while measuring."""
    return list(_pools(evidence, subject))


def _pools(evidence: Evidence, subject: str) -> Iterator[Pool]:
    for metric in evidence.resources.metrics(subject):
        name, _, label = metric.partition("/")
        if name == "connection_pool_active":
            pool = _pool_series(evidence.resources, subject, label)
            windows = tuple(exhaustion_windows(pool))
            yield Pool(subject, label, pool, windows, _unseen(evidence, subject, label))


def _unseen(evidence: Evidence, subject: str, label: str) -> str:
    """That no replica of a pool was in some samples since its first; before, none need have been.

    Replicas come and go: one that is taken away is no longer told of.
    """
    name = named("connection_pool_active", label.partition("/")[0])
    replicas = [m for m in evidence.resources.metrics(subject) if f"{m}/".startswith(f"{name}/")]
    told = [_told(evidence.resources, subject, metric)[0] for metric in replicas]
    t_s = np.unique(np.concatenate(told))
    gaps = samples_without(evidence, subject, t_s, float(min(t_s, default=0.0)))
    return gaps.of("connection_pool_active") if gaps.missing else ""


def _told(series: Series, subject: str, metric: str) -> tuple[Floats, Floats]:
    """Times and values of a number of connections; -1 is how some say that they cannot tell."""
    t_s, values = series.get(subject, metric)
    return t_s[values >= 0], values[values >= 0]


def _pool_series(series: Series, subject: str, label: str) -> PoolSeries:
    t_s, active = _told(series, subject, named("connection_pool_active", label))

    def sampled(name: str) -> tuple[Floats, Floats]:
        return series.get(subject, named(f"connection_pool_{name}", label))

    timeouts = _at_same_times(*sampled("timeouts_total"), t_s)
    if np.isfinite(timeouts).any():  # a counter may appear with its first event
        timeouts[: int(np.isfinite(timeouts).argmax())] = 0.0
    return PoolSeries(
        name=label,
        t_s=t_s,
        maximum=carried(*sampled("max"), t_s),
        active=active,
        waiting=_at_same_times(*sampled("waiting"), t_s),
        timeouts_total=timeouts,
    )


def named(metric: str, label: str) -> str:
    """The flat name of a metric with a label; one that has none is only its name."""
    return f"{metric}/{label}" if label else metric


def carried(times: Floats, values: Floats, t_s: Floats) -> Floats:
    """The last written value at each time, of what is written when it changes; NaN before it."""
    if not times.size:
        return np.full(len(t_s), np.nan)
    place = np.searchsorted(times, t_s + _SAME_PASS_S, side="right") - 1
    return np.where(place >= 0, values[np.maximum(place, 0)], np.nan)


def _at_same_times(times: Floats, values: Floats, t_s: Floats) -> Floats:
    """The values written in the same passes, of what is written in each; NaN where it was not.

    Callers and timeouts are numbers of things: one below zero says that nobody knows.
    """
    place = np.searchsorted(times, t_s + _SAME_PASS_S, side="right") - 1
    there = place >= 0
    there[there] = times[place[there]] >= t_s[there] - _SAME_PASS_S
    found = np.full(len(t_s), np.nan)
    found[there] = values[place[there]]
    return np.where(found < 0, np.nan, found)


def pool_measurement(
    pools: list[Pool], subject: str, metric: str, evidence: Evidence
) -> Measurement:
    """One pool metric of thresholds.toml, over all pools of the service.

    What a pool does not say is not zero: without any that says it the value is nan, and else
    ``at_least``, with why.
    """
    n = sum(len(pool.series.t_s) for pool in pools)
    measured = Measurement(subject, metric, nan, METRICS[metric].unit, n, phase="run")
    if not n:
        return replace(measured, note="no connection_pool_active is exported")
    if metric == "exhausted_windows":
        return _exhaustion(measured, pools, evidence)
    if metric == "acquire_wait_p99":
        return _acquire_p99(measured, pools, evidence)
    return _use(measured, pools)


def _acquire_p99(measured: Measurement, pools: list[Pool], evidence: Evidence) -> Measurement:
    """Its samples are the callers who got a connection, or waited for one in vain."""
    n = round(_acquire_buckets(evidence, pools).get(inf, 0.0))
    wait = acquire_wait(evidence, pools, 0.99)
    notes = [f"pool {pool.label}: {pool.unseen}" for pool in pools if pool.unseen]
    notes += ["past the last bucket"] if wait.at_least else []
    note = "; ".join(notes)
    return replace(measured, value=1000 * wait.value, n=n, note=note, at_least=bool(notes))


def _exhaustion(measured: Measurement, pools: list[Pool], evidence: Evidence) -> Measurement:
    total = float(sum(len(pool.windows) for pool in pools))
    unseen = [f"pool {pool.label}: {why}" for pool in pools if (why := unseen_by(evidence, pool))]
    if not unseen:
        return replace(measured, value=total)
    return replace(measured, value=total or nan, note="; ".join(unseen), at_least=True)


def unseen_by(evidence: Evidence, pool: Pool) -> str:
    """Why callers may have gone without a connection unseen, or surely did; "" where neither."""
    return (
        pool.unseen or pool.series.blind_to or ("" if pool.windows else brief_waits(evidence, pool))
    )


def brief_waits(evidence: Evidence, pool: Pool) -> str:
    """That callers waited for a connection between two samples; "" where none did, or none says."""
    buckets = _acquire_buckets(evidence, [pool])
    bound = min((b for b in buckets if b >= BRIEF_WAIT_S), default=inf)
    waits = buckets.get(inf, 0.0) - buckets.get(bound, 0.0)
    if waits < 1:
        return ""
    return (
        f"{waits:.0f} callers waited longer than {1000 * bound:g} ms for a connection, "
        "between the samples"
    )


def _use(measured: Measurement, pools: list[Pool]) -> Measurement:
    """Utilization and waiting callers of the worst pool, timeouts of all together."""
    field, behind, says = _SAYS[measured.metric]
    uses = {pool.label: float(getattr(pool_use(pool.series), field)) for pool in pools}
    known = {label: value for label, value in uses.items() if not isnan(value)}
    if not known:
        return replace(measured, note=says)
    worst = max(known, key=lambda label: known[label])
    if measured.metric == "timeouts":
        measured = replace(measured, value=sum(known.values()))
    else:
        measured = replace(measured, value=known[worst], note=f"peak of {worst}")
    silent = [p for p in pools if p.unseen or np.isnan(getattr(p.series, behind)).any()]
    if not silent:
        return measured
    lacks = (f"pool {pool.label}: {pool.unseen or f'{says} in some samples'}" for pool in silent)
    return replace(measured, note="; ".join(lacks), at_least=True)


def acquire_wait(evidence: Evidence, pools: list[Pool], q: float) -> BucketQuantile:
    """Quantile of the wait for a connection over the run, s, all pools of a service together."""
    bounds = _acquire_buckets(evidence, pools)
    if inf not in bounds or len(bounds) < 2:
        return BucketQuantile(nan, False)
    ordered = sorted(bounds)
    return histogram_quantile(np.array(ordered), np.array([bounds[bound] for bound in ordered]), q)


def _acquire_buckets(evidence: Evidence, pools: list[Pool]) -> dict[float, float]:
    """How many callers waited no longer than each bound (s) during the run."""
    bounds: dict[float, float] = {}
    for pool in pools:
        prefix = named("connection_pool_acquire_seconds_bucket", pool.label) + "/"
        for metric in evidence.resources.metrics(pool.subject):
            bound = _bound(metric.removeprefix(prefix)) if metric.startswith(prefix) else nan
            if not isnan(bound):
                grown = float(counter_growth(evidence, pool.subject, metric)[1].sum())
                bounds[bound] = bounds.get(bound, 0.0) + grown
    return bounds


def _bound(label: str) -> float:
    """What ``le`` says, s; nan where that is no number, or belongs to another pool."""
    try:
        return float(label)
    except ValueError:
        return nan


def server_errors(evidence: Evidence, subject: str, metric: str = "error_rate") -> Measurement:
    """A service's own 5xx answers in the measured phases, from its request counters.

    Counters that name no status leave open how many of them failed.
    """
    failed = total = unknown = 0
    counters = [n for n in evidence.resources.metrics(subject) if n.partition("/")[0] == _REQUESTS]
    for name in counters:
        grown = max(0, round(grown_while_measured(evidence, subject, name)))
        status = name.rpartition("/")[2].lower()
        total += grown
        failed += grown if re.fullmatch(r"5(\d\d|xx)", status) else 0
        unknown += 0 if re.fullmatch(r"[1-5](\d\d|xx)", status) else grown
    measured = Measurement(subject, metric, nan, METRICS[metric].unit, total)
    if not total:
        return replace(measured, note=f"no request was counted in {_REQUESTS}")
    note = f"{unknown} of its {total} requests are counted without a status" if unknown else ""
    note = unsaid(evidence, subject, counters, may_begin_late=True) or note
    if any((evidence.resources.get(subject, name)[1] < 0).any() for name in counters):
        note = f"some of {_REQUESTS} is below zero"
    if note and not failed:
        return replace(measured, note=note)
    measured = replace(measured, note=note, at_least=bool(note))
    if metric == "failures":
        return replace(measured, value=float(failed))
    ci = share_interval(failed, total)
    high = None if note else 100 * ci.high
    return replace(measured, value=100 * failed / total, ci_low=100 * ci.low, ci_high=high)


def counter_growth(
    evidence: Evidence, subject: str, metric: str, source: str = ""
) -> tuple[Floats, Floats]:
    """Times, and how much a counter grew at each; a restart of the service is no loss.

    What it showed in the subject's first sample came before the run.
    """
    series = evidence.load if source == "load" else evidence.resources
    t_s, values = series.get(subject, metric)
    steps = counter_steps(values)
    if t_s.size and t_s[0] > 0 and not np.isclose(t_s[0], _first_sample_s(series, subject)):
        steps[0] = values[0]  # a labelled counter appears with its first event
    return t_s, steps


def grown_while_measured(evidence: Evidence, subject: str, metric: str, source: str = "") -> float:
    """How much a counter grew in the measured phases."""
    t_s, steps = counter_growth(evidence, subject, metric, source)
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
