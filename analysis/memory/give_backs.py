"""Memory that is given back now and then, and grows on: falls that a growth is seen through.

An allocator that returns its arenas, or a purge of a cache, takes away a part of what has grown.
That is no collector's rhythm: what is kept outweighs what is given back. So a curve of growth is
fitted together with an offset for each stretch between falls, and the offsets are taken off.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from analysis.memory.curves import growing_curves, left_by_one_bend
from analysis.memory.shape import ARENA_MB, left_by_levelling
from analysis.statistics.trend import BLOCKS, Floats, block_means

Singles = npt.NDArray[np.float32]

# A leak keeps most of what it takes: one fall takes less than this share of all growth, and all
# falls together less than half. A collector that has run once or twice has taken more.
_MOST_AT_ONCE, _MOST_IN_ALL = 0.3, 0.5
# Twice the gain in log likelihood at which falls are believed over every curve without one, for
# they fit correlated noise in many places; and what each of them must gain.
_EVIDENCE, _EVIDENCE_OF_ONE = 40.0, 10.0
_MOST_FALLS = 2
_FEWEST_POINTS = 16
# A bend is fitted by offsets as well, but nothing falls there: so much of a fall must be sudden.
_SUDDEN = 1 / 3
# Stretches of fewer blocks are spikes.
_SHORTEST = 4
# Of the squared deviations: a curve that leaves less explains the points, falls or not. The least
# that single precision tells from nothing.
_LEAST_LEFT = 1e-5
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Restored:
    """A curve as if nothing had been given back; `cuts` are the first points after each fall."""

    level: Floats
    cuts: tuple[int, ...] = ()


def restore(level: Floats, known: Sequence[int] = ()) -> Restored | None:
    """The curve without its falls: those before `known`, and shallow ones that noise hides.

    None where the known ones took too much of what had grown to be give-backs.
    """
    seen = _without(level, known) if known else Restored(level)
    if seen is None or len(level) < _FEWEST_POINTS:
        return seen
    cuts = sorted({*known, *_hidden(seen.level)})
    return (_without(level, cuts) if len(cuts) > len(known) else None) or seen


def widening(t: Floats, cuts: Sequence[int]) -> float:
    """How many times a slope's error grows when each stretch between cuts has its own offset."""
    stretches = (t[a:b] for a, b in pairwise([0, *cuts, len(t)]))
    within = sum(float(np.square(part - part.mean()).sum()) for part in stretches)
    return math.sqrt(float(np.square(t - t.mean()).sum()) / within) if within > 0.0 else math.inf


def _without(level: Floats, cuts: Sequence[int]) -> Restored | None:
    best = _best(level, cuts)
    if not best.shallow:
        return None
    given_back = np.zeros(len(level))
    for cut, size in zip(cuts, best.falls, strict=True):
        given_back[cut:] += size
    return Restored(level + given_back, tuple(cuts))


@dataclass(frozen=True, slots=True)
class _Fit:
    """What grew in all, what each fall took, and the squares that are left unexplained."""

    growth: float
    falls: tuple[float, ...]
    left: float

    @property
    def shallow(self) -> bool:
        """Whether most of what grew was kept."""
        one, total = _MOST_AT_ONCE * self.growth, _MOST_IN_ALL * self.growth
        return min(self.falls) > 0.0 and max(self.falls) < one and sum(self.falls) < total


def _best(level: Floats, cuts: Sequence[int]) -> _Fit:
    return min((_fit(level, c, cuts) for c in growing_curves(len(level))), key=lambda fit: fit.left)


def _fit(level: Floats, curve: Floats, cuts: Sequence[int]) -> _Fit:
    """Least squares of a growth with an offset for each stretch between cuts."""
    stretches = list(pairwise([0, *cuts, len(level)]))
    x = np.concatenate([curve[a:b] - curve[a:b].mean() for a, b in stretches])
    y = np.concatenate([level[a:b] - level[a:b].mean() for a, b in stretches])
    growth = float(x @ y) / max(float(x @ x), _TINY)
    offsets = [float((level[a:b] - growth * curve[a:b]).mean()) for a, b in stretches]
    left = float(np.square(y - growth * x).sum())
    return _Fit(growth, tuple(before - after for before, after in pairwise(offsets)), left)


def _hidden(level: Floats) -> list[int]:
    """Falls without which no curve explains the points, be it one that levels off.

    Looked for among block means, where noise hides least, and then among the points nearby.
    """
    starts, blocks = block_means(np.arange(float(len(level))), level, BLOCKS)
    n, total = len(blocks), float(np.square(blocks - blocks.mean()).sum())
    if total <= _TINY:
        return []
    places, left = _left_by_growth(blocks, total)
    counts = np.array([len(place) for place in places])
    scores = n * np.log(np.maximum(left, _LEAST_LEFT * total)) + _EVIDENCE_OF_ONE * counts
    best = int(np.argmin(scores))
    bent = min(left_by_levelling(blocks), left_by_one_bend(blocks))
    without = min(float(scores[0]), n * math.log(max(bent, _LEAST_LEFT * total)))
    if not places[best] or scores[best] > without - _EVIDENCE:
        return []
    wide = len(level) // n + 1
    middles = [round(float(starts[at] + starts[at - 1]) / 2) for at in places[best]]
    cuts = [_steepest(level, middle, wide) for middle in middles]
    fitted = zip(cuts, _best(level, cuts).falls, strict=True)
    falls = [(cut, fall) for cut, fall in fitted if fall > ARENA_MB]
    sudden = all(_fall(level, cut, wide) > _SUDDEN * fall for cut, fall in falls)
    return [cut for cut, _ in falls] if sudden else []


def _steepest(level: Floats, near: int, wide: int) -> int:
    """The first point after the deepest fall near this one."""
    found = range(max(2 * wide, near - wide), min(len(level) - 2 * wide, near + wide) + 1)
    return max(found, key=lambda i: _fall(level, i, wide))


def _fall(level: Floats, cut: int, wide: int) -> float:
    """How far the level falls here beyond what it changes just before and just after."""
    a, b, c, d = (level[cut + i * wide : cut + (i + 1) * wide].mean() for i in (-2, -1, 0, 1))
    return float(b - c + (b - a + d - c) / 2.0)


def _left_by_growth(blocks: Floats, total: float) -> tuple[list[tuple[int, ...]], Floats]:
    """Squares that the best growth with falls at each of these places leaves."""
    places, steps, rises = _designs(len(blocks))
    level = (blocks - blocks.mean()).astype(np.float32)
    offsets = np.square(steps @ level).sum(axis=1)
    gains = np.square(np.maximum(rises @ level, 0.0)).max(axis=1)
    return places, np.asarray(total - offsets - gains, dtype=np.float64)


@lru_cache(maxsize=2)
def _designs(n: int) -> tuple[list[tuple[int, ...]], Singles, Singles]:
    """Places of falls, unit vectors of the offsets there, and of each growth beside them."""
    inner = range(_SHORTEST, n - _SHORTEST + 1)
    places: list[tuple[int, ...]] = [(), *((at,) for at in inner)]
    places += [pair for pair in combinations(inner, 2) if pair[1] - pair[0] >= _SHORTEST]
    steps = np.zeros((len(places), _MOST_FALLS, n))
    for row, place in enumerate(places):
        for column, at in enumerate(place):
            steps[row, column, at:] = 1.0
    curves = growing_curves(n)
    curves = curves - curves.mean(axis=1, keepdims=True)
    steps = _orthonormal(steps - steps.mean(axis=2, keepdims=True))
    within = curves - np.einsum("psk,pkn->psn", np.einsum("sn,pkn->psk", curves, steps), steps)
    lengths = np.sqrt(np.square(within).sum(axis=2, keepdims=True))
    # Single precision tells likelihoods well enough apart, and takes half the time.
    return places, steps.astype(np.float32), (within / lengths).astype(np.float32)


def _orthonormal(steps: Floats) -> Floats:
    """Gram and Schmidt; a fall that is not there stays zero."""
    first, second = steps[:, 0], steps[:, 1]
    first = first / np.maximum(np.linalg.norm(first, axis=1, keepdims=True), _TINY)
    second = second - (second * first).sum(axis=1, keepdims=True) * first
    second = second / np.maximum(np.linalg.norm(second, axis=1, keepdims=True), _TINY)
    return np.stack([first, second], axis=1)
