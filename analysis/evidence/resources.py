"""What the sampled series say about services: their pools, and how counters grew."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf

import numpy as np

from analysis.evidence.coverage import Gaps, samples_without, stopped_s
from analysis.evidence.pool_series import (
    ExhaustionWindow,
    PoolSeries,
    counter_steps,
    exhaustion_windows,
)
from analysis.evidence.run import Evidence
from recording.arrays import Floats
from recording.metric_names import (
    POOL_ACTIVE,
    POOL_MAX,
    POOL_TIMEOUTS,
    POOL_WAITING,
    REPLICAS,
    UP,
)
from recording.series_reader import Series

_RESTARTED = 0.5
"""A counter that falls below this share of what it was has begun anew."""
_SAME_PASS_S = 1e-3
"""Samples of one pass share a time, up to the writing of it."""


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
    names = (metric.partition("/") for metric in evidence.resources.metrics(subject))
    return [_pool(evidence, subject, label) for name, _, label in names if name == POOL_ACTIVE]


def _pool(evidence: Evidence, subject: str, label: str) -> Pool:
    series = _pool_series(evidence, subject, label)
    windows = tuple(exhaustion_windows(series))
    return Pool(subject, label, series, windows, _unseen(evidence, subject, label))


def _unseen(evidence: Evidence, subject: str, label: str) -> str:
    """That no replica of a pool was in some samples since its first; before, none need have been.

    Replicas come and go: one that is taken away is no longer told of.
    """
    name = named(POOL_ACTIVE, label.partition("/")[0])
    replicas = [m for m in evidence.resources.metrics(subject) if f"{m}/".startswith(f"{name}/")]
    told = [_told(evidence.resources, subject, metric)[0] for metric in replicas]
    t_s = np.unique(np.concatenate(told))
    gaps = samples_without(evidence, subject, t_s, float(min(t_s, default=0.0)))
    return gaps.of(POOL_ACTIVE) if gaps.missing else _away(evidence, subject, label, told)


def _away(evidence: Evidence, subject: str, label: str, told: Sequence[Floats]) -> str:
    """That a replica was told of, then not, and again: it was there, if not fewer were then.

    ``told`` has when each replica of its pool was told of.
    """
    own_s, _ = _told(evidence.resources, subject, named(POOL_ACTIVE, label))
    up_s, up = evidence.resources.get(subject, UP)
    if not own_s.size:
        return ""
    asked_s = up_s[(up > 0) & (up_s >= own_s[0]) & (up_s <= own_s[-1])]
    away_s = asked_s[~np.isin(asked_s, own_s)]
    replicas = carried(*evidence.resources.get(subject, REPLICAS), away_s)
    seen = np.sum([np.isin(away_s, t_s) for t_s in told], axis=0)
    gaps = Gaps(int((~(replicas <= seen)).sum()), asked_s.size)  # nan: nobody counts them
    tolerated = evidence.manifest.profile.validity.missing_samples
    return gaps.of(POOL_ACTIVE) if gaps.missing > tolerated * gaps.samples else ""


def _told(series: Series, subject: str, metric: str) -> tuple[Floats, Floats]:
    """Times and values of a number of connections; -1 is how some say that they cannot tell."""
    t_s, values = series.get(subject, metric)
    return t_s[values >= 0], values[values >= 0]


def _pool_series(evidence: Evidence, subject: str, label: str) -> PoolSeries:
    series = evidence.resources
    t_s, active = _told(series, subject, named(POOL_ACTIVE, label))

    def sampled(metric: str) -> tuple[Floats, Floats]:
        return series.get(subject, named(metric, label))

    timeouts = _at_same_times(*sampled(POOL_TIMEOUTS), t_s)
    if np.isfinite(timeouts).any():  # a counter may appear with its first event
        timeouts[: int(np.isfinite(timeouts).argmax())] = 0.0
    maximum = carried(*sampled(POOL_MAX), t_s)
    maximum[t_s >= stopped_s(evidence, subject, named(POOL_MAX, label))] = np.nan
    return PoolSeries(
        t_s=t_s,
        maximum=maximum,
        active=active,
        waiting=_at_same_times(*sampled(POOL_WAITING), t_s),
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


def counter_growth(
    evidence: Evidence, subject: str, metric: str, source: str = ""
) -> tuple[Floats, Floats]:
    """Times, and how much a counter grew at each; a restart of the service is no loss.

    What it showed in the subject's first sample came before the run.
    """
    series = evidence.load if source == "load" else evidence.resources
    t_s, values = series.get(subject, metric)
    steps = counter_steps(values)
    first_s = next(iter(series.get(subject, UP)[0]), 0.0)
    if t_s.size and t_s[0] > 0 and not np.isclose(t_s[0], first_s):
        steps[0] = values[0]  # a labelled counter appears with its first event
    return t_s, steps


def grown_buckets(evidence: Evidence, subject: str, prefix: str) -> dict[float, float]:
    """How much each bucket of a histogram grew over the run, by its upper bound.

    A name that goes on with anything but a number belongs to another histogram. One without its
    last bucket, which has all, or with no other, is none.
    """
    found = {}
    for metric in evidence.resources.metrics(subject):
        with suppress(ValueError):
            if metric.startswith(prefix):
                bound = float(metric.removeprefix(prefix))
                if bound > -inf:  # nor nan
                    found[bound] = float(counter_growth(evidence, subject, metric)[1].sum())
    return found if inf in found and len(found) > 1 else {}


def grown_while_measured(evidence: Evidence, subject: str, metric: str, source: str = "") -> float:
    """How much a counter grew in the measured phases."""
    t_s, steps = counter_growth(evidence, subject, metric, source)
    inside = np.zeros(t_s.size, bool)
    for start, end in evidence.measured:
        inside |= (t_s > start) & (t_s <= end)
    return float(steps[inside].sum())


def rate_while_measured(evidence: Evidence, t_s: Floats, values: Floats) -> float | None:
    """Growth per second of a counter in the measured phases; None with fewer than two samples.

    A process that restarted begins at zero again. Sums of several may go back a little.
    """
    steps = np.diff(values, prepend=values[:1])
    before = values - steps
    steps = np.where(values < _RESTARTED * before, values, steps)
    grown = span = 0.0
    for start, end in evidence.measured:
        inside = np.flatnonzero((t_s >= start) & (t_s <= end))
        if inside.size >= 2:
            grown += float(steps[inside[1:]].sum())
            span += float(t_s[inside[-1]] - t_s[inside[0]])
    return grown / span if span else None
