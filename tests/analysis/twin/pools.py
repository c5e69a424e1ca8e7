"""Workloads made to order."""

from typing import Any

import numpy as np

from analysis.twin.holds import Holds
from analysis.twin.workload import Workload

MEAN_S = 0.1


def markov(
    servers: int, load: float, seconds: float = 60.0, seed: int = 1, **more: Any
) -> Workload:
    """Poisson arrivals at `load` of what so many connections can serve, exponential holds."""
    rng = np.random.default_rng(seed)
    n = round(load * servers / MEAN_S * seconds)
    asked_s = np.sort(rng.uniform(0.0, seconds, n))
    holds = Holds.from_values(MEAN_S * -np.log((np.arange(20_000) + 0.5) / 20_000))
    return Workload(asked_s, seconds, holds, **more)
