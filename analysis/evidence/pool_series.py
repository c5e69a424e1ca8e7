"""Connection pools: when they were exhausted, how full they were, how long callers waited."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recording.arrays import Floats
from recording.metric_names import POOL_TIMEOUTS, POOL_WAITING

# A single good sample between two bad ones is the pool gasping, not a recovery.
_MERGE_SAMPLES = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class PoolSeries:
    """The sampled state of one pool, summed over its replicas; arrays of equal length.

    `maximum`, `active` and `waiting` are numbers of connections and callers,
    `timeouts_total` is a counter, which may start again at zero when the service does.
    NaN where the service did not say. Times ascend.
    """

    t_s: Floats
    maximum: Floats
    active: Floats
    waiting: Floats
    timeouts_total: Floats

    @property
    def size(self) -> Floats:
        """Connections it may open; NaN where that is not known, or unlimited (0, -1, inf)."""
        limited = (self.maximum > 0) & np.isfinite(self.maximum)
        return np.where(limited, self.maximum, math.nan)

    @property
    def blind_to(self) -> str:
        """Why exhaustion could have gone unseen; "" where every sample could show it."""
        for name, values in ((POOL_WAITING, self.waiting), (POOL_TIMEOUTS, self.timeouts_total)):
            if missing := int(np.isnan(values).sum()):
                return f"no {name} in {missing} of {len(values)} samples"
        if np.any((self.waiting > 0) & np.isnan(self.size)):
            return "callers waited, and its size is unlimited or not exported"
        return ""

    @property
    def utilization_peak_percent(self) -> float:
        """How full it was at most; a pool that was full for a minute turned callers away then.

        NaN, as the next two, where no sample says so.
        """
        return _peak(100.0 * self.active / self.size)

    @property
    def peak_waiting(self) -> float:
        """Callers who waited at once."""
        return _peak(self.waiting)

    @property
    def timeouts(self) -> float:
        """Callers who waited in vain."""
        total = self.timeouts_total
        return math.nan if np.isnan(total).all() else float(_new(total).sum())


@dataclass(frozen=True, slots=True)
class ExhaustionWindow:
    """A time during which callers could not get a connection.

    `start_s` is the first sample that shows it: it began after the sample before, but no
    earlier moment is known to be bad. `end_s` is the first good sample after it, None when
    the pool was still exhausted at the last sample. `failures` are the waits that timed out.
    """

    start_s: float
    end_s: float | None
    failures: int
    peak_waiting: int
    pool_max: int


class BucketQuantile(NamedTuple):
    """A quantile read from buckets; with `at_least` it lies above the last finite bound."""

    value: float
    at_least: bool


def exhaustion_windows(pool: PoolSeries) -> list[ExhaustionWindow]:
    """The times when waits timed out, or callers waited while every connection was taken.

    Good stretches shorter than two median sample intervals do not end a window.
    """
    timeouts = _new(pool.timeouts_total)
    starved = (pool.waiting > 0) & (pool.active >= pool.size)
    runs = _merged(_runs((timeouts > 0) | starved), pool.t_s)
    return [_window(pool, timeouts, first, stop) for first, stop in runs]


def _peak(values: Floats) -> float:
    return float(np.nanmax(values)) if np.isfinite(values).any() else math.nan


def _new(total: Floats) -> Floats:
    """Increase of a counter at each sample; 0 where the service did not say."""
    known = np.isfinite(total)
    steps = np.zeros(len(total))
    steps[known] = counter_steps(total[known])
    return steps


def counter_steps(total: Floats) -> Floats:
    """Increase of a counter at each sample; the first is 0, for what came before is unknown.

    After a fall the counter has started again, and all it shows is new (Prometheus'
    ``increase()``).
    """
    steps = np.diff(total, prepend=total[:1])
    return np.where(steps < 0, total, steps)


def histogram_quantile(upper_bounds: Floats, cumulative: Floats, q: float) -> BucketQuantile:
    """Quantile from the increase of a Prometheus histogram's cumulative buckets.

    `upper_bounds` are the ``le`` labels, ascending to +Inf. Linear within the bucket, the
    lowest one beginning at 0, as in Prometheus' ``histogram_quantile()``
    (https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile).
    NaN when nothing was counted.

    Raises:
        ValueError: `q` outside 0..1, fewer than two buckets, or the last one not +Inf.
    """
    if not 0.0 <= q <= 1.0:
        raise ValueError(f"q must lie in 0..1, not {q}")
    if len(upper_bounds) < 2 or upper_bounds[-1] != math.inf:
        raise ValueError("a histogram needs at least two buckets, the last up to +Inf")
    # Buckets scraped while they change may be out of step by a request.
    counts = np.maximum.accumulate(cumulative)
    if not counts[-1] > 0:
        return BucketQuantile(math.nan, at_least=False)
    rank = q * counts[-1]
    bucket = int(np.searchsorted(counts, rank))
    if bucket == len(counts) - 1:
        return BucketQuantile(float(upper_bounds[-2]), at_least=True)
    edges = np.append(min(0.0, upper_bounds[0]), upper_bounds)
    lower, upper = edges[bucket : bucket + 2]
    before, up_to = np.append(0.0, counts)[bucket : bucket + 2]
    inside = (rank - before) / (up_to - before) if up_to > before else 0.0
    return BucketQuantile(float(lower + (upper - lower) * inside), at_least=False)


def _runs(bad: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(first, one past the last) of each stretch of bad samples."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], bad, [False]))))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _merged(runs: list[tuple[int, int]], t_s: Floats) -> list[tuple[int, int]]:
    gap_s = _MERGE_SAMPLES * float(np.median(np.diff(t_s))) if len(t_s) > 1 else 0.0
    merged: list[tuple[int, int]] = []
    for first, stop in runs:
        if merged and t_s[first] - t_s[merged[-1][1]] < gap_s:
            merged[-1] = (merged[-1][0], stop)
        else:
            merged.append((first, stop))
    return merged


def _window(pool: PoolSeries, timeouts: Floats, first: int, stop: int) -> ExhaustionWindow:
    return ExhaustionWindow(
        start_s=float(pool.t_s[first]),
        end_s=float(pool.t_s[stop]) if stop < len(pool.t_s) else None,
        failures=int(timeouts[first:stop].sum()),
        peak_waiting=int(np.nan_to_num(_peak(pool.waiting[first:stop]))),
        pool_max=int(np.nan_to_num(_peak(pool.size[first:stop]))),
    )
