"""Where a prediction rests on more than was recorded, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from analysis.statistics.percentiles import min_samples
from analysis.twin.workload import LEAST_BLOCKS, Workload

_UNFINISHED, _WIDE, _BRIEF_MS = 0.05, 1.25, 1.0
_SURE, _LOAD = 2.576, 0.03
"""Standard errors of 99 %, and how far off the load may be by then."""


def reasons(
    workload: Workload, size: int, load: float, p99_ms: float, high_ms: float
) -> Iterator[str]:
    """What whoever reads it must know; ``p99_ms`` is the estimate before it was raised."""
    yield from _of_load(workload, size, load)
    yield from _of_size(workload, size)
    yield from _of_sample(workload)
    if high_ms > _WIDE * max(p99_ms, 5.0):
        upper = f"{high_ms:.0f} ms" if math.isfinite(high_ms) else "growth without end"
        yield (
            f"{workload.seconds:.0f} s of recording leave the p99 open up to {upper}: "
            "the upper side is told"
        )


def _of_load(workload: Workload, size: int, load: float) -> Iterator[str]:
    busiest = _busiest_per_s(workload)
    if load * workload.rate_per_s > busiest:
        yield (
            f"{load * workload.rate_per_s:.4g}/s are more than was recorded at any time "
            f"({busiest:.4g}/s)"
        )
    if load * workload.offered(size) >= 1.0:
        yield (
            f"the load is {100 * load * workload.offered(size):.0f} % of what {size} connections "
            f"of {workload.replicas} replicas can serve: not in equilibrium"
        )


def _busiest_per_s(workload: Workload) -> float:
    """Arrivals in the busiest of the blocks."""
    counts, _ = np.histogram(workload.asked_s, LEAST_BLOCKS, (0.0, workload.seconds))
    return float(counts.max()) * LEAST_BLOCKS / workload.seconds


def _of_size(workload: Workload, size: int) -> Iterator[str]:
    recorded = workload.recorded
    if size < recorded.size and recorded.wait_p99_ms < _BRIEF_MS:
        yield f"of {recorded.size:g} connections all found one free: waits were never recorded"


def _of_sample(workload: Workload) -> Iterator[str]:
    least = min_samples(0.99)
    n = min(workload.asked_s.size, workload.holds.n)
    if n < least:
        yield f"{n} arrivals with their hold times were recorded: a p99 takes {least}"
    if (error := _SURE * workload.load_error) > _LOAD:
        yield (
            f"{workload.seconds:.0f} s of recording tell the load, and so the occupancy, to "
            f"± {100 * error:.0f} % only"
        )
    if (share := workload.recorded.unfinished_share) > _UNFINISHED:
        yield (
            f"{100 * share:.0f} % of the connections given out were not given back while it was "
            "recorded: the longest holds are not known"
        )
