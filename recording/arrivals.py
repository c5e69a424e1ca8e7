"""When the journeys of the open model are due: a pure function of profile, seed and worker.

The generator follows it, and the judge counts by it what had to be delivered.
"""

import random
from collections.abc import Iterator

from recording.load import Load


def arrival_times_s(load: Load, seed: int | None, worker: int, workers: int) -> Iterator[float]:
    """When journeys are due, s after the load's start: this worker's share of the profile's rate.

    Poisson arrivals at a changing rate come from thinning (Lewis and Shedler, 1979): candidates
    at the highest rate, kept with the probability rate/highest.
    """
    share = 1 / workers
    peak = share * load.peak_arrivals_per_s
    draw = random.Random(f"{seed}/arrivals/{worker}")
    t_s, owed = 0.0, 0.0
    while True:
        step_s = draw.expovariate(peak) if load.arrivals == "poisson" else 1 / peak
        t_s += step_s
        rate = load.intended(t_s)
        if rate is None:
            return
        kept = rate * share / peak
        if load.arrivals == "uniform":
            owed += kept
            if owed >= 1.0:
                owed -= 1.0
                yield t_s
        elif draw.random() < kept:
            yield t_s
