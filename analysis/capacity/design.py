"""Where to try next: doubling until the border is between two loads, then at random around it.

A sequential design for the median of a quantal response (Wu, JASA 80, 1985): each trial is drawn
from where the border may lie by the trials so far, so that its place and its steepness sharpen
together, repeats gather around it, and order is random. Where what breaks is a latency or a full
pool, they say by how much, which is sharper (`causes.py`).
"""

from collections.abc import Sequence
from functools import lru_cache
from math import exp, log
from random import Random

from analysis.capacity.causes import SURE, Trial, by_causes
from analysis.statistics.crossing import Crossing, crossing

FACTOR = 2.0


def bracketed(trials: Sequence[Trial]) -> bool:
    """Whether some held and some did not."""
    return len({trial.held for trial in trials}) == 2


def doubled(trials: Sequence[Trial], start: float) -> float:
    """The next load while all held, or none did."""
    if not trials:
        return start
    loads = [trial.load for trial in trials]
    return max(loads) * FACTOR if trials[0].held else min(loads) / FACTOR


def drawn(trials: Sequence[Trial], random: Random) -> float:
    """The next load around the border."""
    fit = border(trials)
    return exp(random.uniform(min(fit.low, fit.x - fit.width), max(fit.high, fit.x + fit.width)))


def safe(trials: Sequence[Trial]) -> float:
    """The load that a run should hold at: the border's lower end, where 95 % of runs hold."""
    fine = _fine(trials)
    return exp(min(fine.low, fine.at(SURE)) if fine else border(trials).low)


def border(trials: Sequence[Trial]) -> Crossing:
    """In the logarithm of the load. Raises ValueError while they are not bracketed."""
    return _fine(trials) or _rough(trials)


def _fine(trials: Sequence[Trial]) -> Crossing | None:
    return by_causes(trials, _rough(trials).x)


def _rough(trials: Sequence[Trial]) -> Crossing:
    return _by_outcome(tuple((trial.load, trial.held) for trial in trials))


@lru_cache(maxsize=8)
def _by_outcome(trials: tuple[tuple[float, bool], ...]) -> Crossing:
    return crossing([log(load) for load, _ in trials], [held for _, held in trials])
