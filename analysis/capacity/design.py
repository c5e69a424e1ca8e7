"""Where to try next: doubling until the border is between two loads, then at random around it.

A sequential design for the median of a quantal response (Wu, JASA 80, 1985): each trial is drawn
from where the border may lie by the trials so far, so that its place and its steepness sharpen
together, repeats gather around it, and order is random.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import exp, log
from random import Random

from analysis.statistics.crossing import Crossing, crossing

FACTOR = 2.0
Trial = tuple[float, bool]
"""A load, and whether every rule held at it."""


def bracketed(trials: Sequence[Trial]) -> bool:
    """Whether some held and some did not."""
    return len({held for _, held in trials}) == 2


def doubled(trials: Sequence[Trial], start: float) -> float:
    """The next load while all held, or none did."""
    if not trials:
        return start
    loads = [load for load, _ in trials]
    return max(loads) * FACTOR if trials[0][1] else min(loads) / FACTOR


def drawn(trials: Sequence[Trial], random: Random) -> float:
    """The next load around the border."""
    fit = border(trials)
    return exp(random.uniform(min(fit.low, fit.x - fit.width), max(fit.high, fit.x + fit.width)))


def border(trials: Sequence[Trial]) -> Crossing:
    """In the logarithm of the load. Raises ValueError while they are not bracketed."""
    return _border(tuple(trials))


@lru_cache(maxsize=8)
def _border(trials: tuple[Trial, ...]) -> Crossing:
    return crossing([log(load) for load, _ in trials], [held for _, held in trials])
