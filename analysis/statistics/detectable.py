"""The smallest effect that another run of the same kind would find, POWER of the time or more."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import inf, isinf

import numpy as np

from recording.arrays import Floats

# "Could have seen" and "would take" mean: with this probability.
POWER = 0.80
# The promise is "at least": a little more is aimed at, for what these draws do not know of, such as
# skewed counts. It costs a fiftieth of the effect.
AIM = 0.82
# Imagined runs over which the effect is counted: AIM comes out to within half a point.
_RUNS = 10_000


@dataclass(frozen=True, slots=True)
class Hurdle:
    """An estimate with this standard `error`, which has to reach `critical` of those that the other
    run will estimate, beyond `tested_against`."""

    error: float
    critical: float
    tested_against: float = 0.0


@lru_cache(maxsize=1024)  # whoever chooses, prints or draws a row asks for it again
def smallest_found(hurdles: tuple[Hurdle, ...], degrees: float, least: float = -inf) -> float:
    """The effect at which AIM of other runs clear every hurdle, estimated at `least` or more.

    The standard errors are estimates with so many `degrees` of freedom. What is true given them,
    what the other run estimates, and the noise of its effect are drawn (fiducially; for one hurdle
    without `least` this is exact). The first hurdle's estimate is part of every further one's,
    as the adjusted ratio is of the raw one: what the host adds is independent of it. Where it adds
    nothing, they still differ by the one degree of freedom that looking for it takes.
    """
    needed = np.full(_RUNS, -inf)
    noise, variance, before = np.zeros(_RUNS), np.zeros(_RUNS), 0.0
    draws = iter(_draws(degrees, len(hurdles)))
    for hurdle in hurdles:
        square = hurdle.error**2
        true = max(square - before, square / degrees if before else 0.0) * next(draws)
        variance = variance + true * next(draws)
        noise = noise + np.sqrt(true) * next(draws)
        before = max(before, square)
        reach = hurdle.tested_against + hurdle.critical * np.sqrt(variance)
        needed = np.maximum(needed, np.maximum(reach, least) - noise)
    return float(np.quantile(needed, AIM))


@lru_cache(maxsize=32)
def _draws(degrees: float, hurdles: int) -> tuple[Floats, ...]:
    """For each hurdle: true variance over the estimated one, estimated over true, and noise."""
    rng = np.random.default_rng(0)
    found: list[Floats] = []
    for _ in range(hurdles):
        here, there = (_mean_square(rng, degrees) for _ in range(2))
        found += [1 / here, there, rng.standard_normal(_RUNS)]
    return tuple(found)


def _mean_square(rng: np.random.Generator, degrees: float) -> Floats:
    return np.ones(_RUNS) if isinf(degrees) else rng.chisquare(degrees, _RUNS) / degrees
