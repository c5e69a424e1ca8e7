"""From a recording to the workload of one of its pools, and what had to be assumed for it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.evidence.pool_series import histogram_quantile
from analysis.evidence.resources import Pool, counter_growth, named, pools_of
from analysis.evidence.run import Evidence
from analysis.twin.holds import Holds
from analysis.twin.idle import idle
from analysis.twin.settings import Settings, Told
from analysis.twin.workload import Recorded, Workload
from recording.arrays import Floats
from recording.errors import RunFailedError
from recording.metric_names import (
    POOL_ABANDONED,
    POOL_ACQUIRE_BUCKET,
    POOL_ACQUIRE_COUNT,
    POOL_HOLD_BUCKET,
    POOL_HOLD_COUNT,
    POOL_HOLD_SUM,
    POOL_TIMEOUTS,
)

Span = tuple[float, float]


class NoWorkloadError(RunFailedError):
    """The recording does not say what this pool had to carry."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A pool (of all replicas) of a service in a stretch of the recording."""

    evidence: Evidence
    subject: str
    pools: tuple[Pool, ...]
    span: Span

    def grown(self, metric: str) -> tuple[Floats, Floats]:
        """Times of the samples in the stretch, and by how much a counter of the pool grew at each,
        over its replicas.
        """
        parts = [
            counter_growth(self.evidence, self.subject, named(metric, pool.label))
            for pool in self.pools
        ]
        t_s = np.concatenate([t for t, _ in parts])
        steps = np.concatenate([grown for _, grown in parts])
        inside = (t_s > self.span[0]) & (t_s <= self.span[1])
        times, place = np.unique(np.round(t_s[inside], 3), return_inverse=True)
        return np.asarray(times), np.bincount(place, steps[inside], times.size).astype(float)

    def total(self, metric: str) -> float:
        """Of a counter, in the stretch."""
        return float(self.grown(metric)[1].sum())

    def buckets(self, metric: str) -> tuple[Floats, Floats]:
        """Bounds (s) of a histogram, ascending to inf, and how many fell below each."""
        found: dict[float, float] = {}
        for pool in self.pools:
            prefix = named(metric, pool.label) + "/"
            for name in self.evidence.resources.metrics(self.subject):
                if name.startswith(prefix):
                    bound = float(name.removeprefix(prefix))
                    t_s, steps = counter_growth(self.evidence, self.subject, name)
                    inside = (t_s > self.span[0]) & (t_s <= self.span[1])
                    found[bound] = found.get(bound, 0.0) + float(steps[inside].sum())
        bounds = np.array(sorted(found))
        return bounds, np.maximum.accumulate([found[bound] for bound in bounds])


def workload_of(
    evidence: Evidence,
    subject: str,
    pool: str,
    within: Span | None = None,
    told: Told | None = None,
) -> Workload:
    """What the pools called `pool` of a service had to carry `within` a stretch of the recording
    (s since its epoch; the measured phases without it).

    ``told`` is what each service was told, defaults included, by its key; without it only what
    the profile says is known. Raises NoWorkloadError where the recording does not show the pool,
    its arrivals or its hold times.
    """
    span = within or (evidence.measured_from_s, max((e for _, e in evidence.measured), default=0.0))
    pools = tuple(
        p for p in pools_of(evidence, subject) if p.label.split("/")[0] == pool and _there(p, span)
    )
    if not pools:
        raise NoWorkloadError(f"{subject} says nothing of a pool {pool!r} in this stretch")
    asked = _Asked(evidence, subject, pools, span)
    holds = _holds(asked)
    settings = Settings.of(evidence, subject, told)
    recorded = _recorded(asked, holds)
    times_s = _times_s(asked, settings.callers.attempts)
    if times_s.size < 2:
        raise NoWorkloadError(f"nobody asked the pool {pool!r} of {subject} for a connection")
    workload = Workload(
        times_s,
        span[1] - span[0],
        holds,
        settings.wait_timeout_s,
        settings.callers,
        settings.contention,
        len(pools),
        settings.routing,
        recorded,
        (_WITHIN_SAMPLES, *_as_many(asked), *settings.assumed),
    )
    return idle(workload) if workload.contention.cores else workload


_WITHIN_SAMPLES = "between two samples callers came at random, as many as were counted"


def _as_many(asked: _Asked) -> Iterator[str]:
    """That replicas came or went in the stretch: they are taken for as many as there ever were."""
    times = np.concatenate([np.round(pool.series.t_s, 2) for pool in asked.pools])
    inside = times[(times > asked.span[0]) & (times <= asked.span[1])]
    fewest = int(np.unique(inside, return_counts=True)[1].min())
    if fewest < len(asked.pools):
        yield f"there were {fewest} to {len(asked.pools)} replicas: taken for the most all the time"


def _there(pool: Pool, span: Span) -> bool:
    return bool(((pool.series.t_s > span[0]) & (pool.series.t_s <= span[1])).any())


def _holds(asked: _Asked) -> Holds:
    bounds, cumulative = asked.buckets(POOL_HOLD_BUCKET)
    count = asked.total(POOL_HOLD_COUNT)
    if bounds.size < 3 or not math.isinf(bounds[-1]) or not cumulative[-1] > 0 or not count > 0:
        name = f"{asked.subject}'s pool {asked.pools[0].label}"
        raise NoWorkloadError(f"{name}: no hold times, {POOL_HOLD_BUCKET} is not in the recording")
    mean_s = asked.total(POOL_HOLD_SUM) / count
    return Holds.from_buckets(bounds, np.diff(cumulative, prepend=0.0), mean_s)


def _times_s(asked: _Asked, attempts: int) -> Floats:
    """When callers asked for the first time, s since the stretch began.

    Who was served or turned away since the last sample, and who has joined the queue since. Of
    these a random part asks again, as many as there were asks in vain.
    """
    edges, waiting = _waiting(asked)
    served = np.zeros(edges.size)
    t_s, grown = asked.grown(POOL_ACQUIRE_COUNT)
    np.add.at(served, np.minimum(np.searchsorted(edges, t_s), edges.size - 1), grown)
    came = np.maximum(0.0, served + np.diff(waiting, prepend=waiting[0]))
    in_vain = sum(asked.total(name) for name in (POOL_TIMEOUTS, POOL_ABANDONED))
    share = min(1.0, in_vain / max(1.0, came.sum()))
    first = 1.0 / sum(share**k for k in range(attempts))
    rng = np.random.default_rng(0)
    counts = rng.binomial(np.rint(came).astype(int), first)
    starts = np.concatenate(([asked.span[0]], edges[:-1]))
    places = np.repeat(np.arange(edges.size), counts)
    spread = rng.random(places.size) * (edges - starts)[places]
    return np.sort(starts[places] + spread - asked.span[0])


def _waiting(asked: _Asked) -> tuple[Floats, Floats]:
    """Times of the samples in the stretch, and the callers who waited then at all replicas."""
    t_s = np.concatenate([pool.series.t_s for pool in asked.pools])
    waiting = np.concatenate([np.nan_to_num(pool.series.waiting) for pool in asked.pools])
    inside = (t_s > asked.span[0]) & (t_s <= asked.span[1])
    times, place = np.unique(np.round(t_s[inside], 3), return_inverse=True)
    return np.asarray(times), np.bincount(place, waiting[inside], times.size).astype(float)


def _recorded(asked: _Asked, holds: Holds) -> Recorded:
    bounds, cumulative = asked.buckets(POOL_ACQUIRE_BUCKET)
    known = bounds.size > 1 and math.isinf(bounds[-1])
    p99_ms = 1000 * histogram_quantile(bounds, cumulative, 0.99).value if known else math.nan
    granted = asked.total(POOL_ACQUIRE_COUNT)
    active = sum(_last(pool, asked.span) for pool in asked.pools)
    sizes = [float(np.nanmax(pool.series.size)) for pool in asked.pools]
    unfinished = min(1.0, active / granted) if granted else math.nan
    return Recorded(min(sizes), p99_ms, unfinished, _dispersion(asked, holds))


def _last(pool: Pool, span: Span) -> float:
    """Connections in use at its last sample in the stretch."""
    return float(pool.series.active[pool.series.t_s <= span[1]][-1])


def _dispersion(asked: _Asked, holds: Holds) -> float:
    """Variance of the mean hold from sample to sample over that of independent holds."""
    t_s, sums = asked.grown(POOL_HOLD_SUM)
    times, counts = asked.grown(POOL_HOLD_COUNT)
    both, of_sums, of_counts = np.intersect1d(t_s, times, return_indices=True)
    n = counts[of_counts]
    some = n > 0
    variance = holds.squared_cv * holds.mean_s**2
    if both.size < 3 or some.sum() < 3 or not variance > 0:
        return math.nan
    means = sums[of_sums][some] / n[some]
    spread = n[some] @ np.square(means - holds.mean_s)
    return float(spread / (some.sum() - 1) / variance)
