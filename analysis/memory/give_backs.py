"""Memory that is given back now and then, and grows on: falls that a growth is seen through.

An allocator that returns its arenas, or a purge of a cache, takes away a part of what has grown.
That is no collector's rhythm: what is kept outweighs what is given back. How much falls took that
show is read from a curve that may bend as it likes between them, so that no growth is assumed;
those that noise hides are what a growth would need (``curves.py``), and the same growth must then
explain the curve better than one that levels off (``shape.py``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from analysis.memory.curves import MOST_GIVEN_BACK, Grown
from analysis.statistics.pieces import find_pieces
from analysis.statistics.trend import BLOCKS
from recording.arrays import Floats

# Points between two falls, at the least.
_SHORTEST = 3


@dataclass(frozen=True, slots=True)
class Restored:
    """A curve as if nothing had been given back; `cuts` are the first points after each fall."""

    level: Floats
    cuts: tuple[int, ...] = ()

    def since(self, first: int) -> Restored:
        """What comes from this point on."""
        return Restored(self.level[first:], tuple(c - first for c in self.cuts if c > first))

    def through(self, growth: Grown) -> Restored:
        """Without the falls, too, that this growth of its block means goes through."""
        points = len(self.level)
        wide = points // min(points, BLOCKS) + 1
        middles = [round(fall * points / growth.n) for fall in growth.falls]
        cuts = [_steepest(self.level, middle, wide) for middle in middles]
        level = self.level.copy()
        for cut, size in zip(cuts, growth.sizes, strict=True):
            level[cut:] += size
        return Restored(level, tuple(sorted({*self.cuts, *cuts})))


def restore(level: Floats, cuts: Sequence[int]) -> Restored | None:
    """The curve without the falls before these points.

    None where one is no fall, or all of them took too much of what had grown to be give-backs, or
    are so many that they are a rhythm.
    """
    if not cuts:
        return Restored(level)
    if _SHORTEST * len(cuts) > len(level):
        return None
    index = np.arange(float(len(level)))
    curve = find_pieces(index, level, cuts, most_correlation=0.0)
    design = curve.design(index)
    found = np.linalg.lstsq(design, level, rcond=None)[0]
    falls = design[:, -len(cuts) :] @ found[-len(cuts) :]
    grown = design @ found - falls
    grew, given_back = float(grown[-1] - grown[0]), -float(falls[-1])
    if max(found[-len(cuts) :]) >= 0.0 or given_back >= MOST_GIVEN_BACK * grew:
        return None
    return Restored(level - falls, tuple(cuts))


def widening(t: Floats, cuts: Sequence[int]) -> float:
    """How many times a slope's error grows when each stretch between cuts has its own offset."""
    stretches = (t[a:b] for a, b in pairwise([0, *cuts, len(t)]))
    within = sum(float(np.square(part - part.mean()).sum()) for part in stretches)
    return math.sqrt(float(np.square(t - t.mean()).sum()) / within) if within > 0.0 else math.inf


def _steepest(level: Floats, near: int, wide: int) -> int:
    """The first point after the deepest fall near this one."""

    def fall(cut: int) -> float:  # beyond what the level changes just before and just after
        a, b, c, d = (level[cut + i * wide : cut + (i + 1) * wide].mean() for i in (-2, -1, 0, 1))
        return float(b - c + (b - a + d - c) / 2.0)

    found = range(max(2 * wide, near - wide), min(len(level) - 2 * wide, near + wide) + 1)
    return max(found, key=fall, default=near)
