"""Memory that is given back now and then, and grows on: falls that a growth is seen through.

An allocator that returns its arenas, or a purge of a cache, takes away a part of what has grown.
That is no collector's rhythm: what is kept outweighs what is given back. How much that was is read
from a curve that may bend as it likes between the falls, so that no growth is assumed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from analysis.memory.shape import ARENA_MB
from analysis.statistics.pieces import Floats, find_pieces
from analysis.statistics.trend import BLOCKS, block_means

# A leak keeps more than all falls take together. A collector that has run once or twice has taken
# half of what grew, or more.
_MOST_GIVEN_BACK = 0.45
# A fall that noise hides is looked for at most so often.
_MOST_HIDDEN = 2
_FEWEST_POINTS = 16
# Points between two falls, at the least.
_SHORTEST = 3
# A bend is fitted by offsets as well, but nothing falls there: so much of a fall must be sudden.
_SUDDEN = 1 / 3


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
    """None where a cut is no fall, or all of them took too much; or so many that it is a rhythm."""
    if _SHORTEST * len(cuts) > len(level):
        return None
    index = np.arange(float(len(level)))
    curve = find_pieces(index, level, cuts, most_correlation=0.0)
    design = curve.design(index)
    found = np.linalg.lstsq(design, level, rcond=None)[0]
    falls = design[:, -len(cuts) :] @ found[-len(cuts) :]
    grown = design @ found - falls
    grew, given_back = float(grown[-1] - grown[0]), -float(falls[-1])
    if max(found[-len(cuts) :]) >= 0.0 or given_back >= _MOST_GIVEN_BACK * grew:
        return None
    return Restored(level - falls, tuple(cuts))


def _hidden(level: Floats) -> list[int]:
    """Falls that show in no sample, only in means.

    Looked for among block means, where noise hides least, and then among the points nearby.
    """
    starts, blocks = block_means(np.arange(float(len(level))), level, BLOCKS)
    wide = len(level) // len(blocks) + 1
    curve = find_pieces(starts, blocks, falls=_MOST_HIDDEN)
    sizes = np.linalg.lstsq(curve.design(starts), blocks, rcond=None)[0][2 + len(curve.kinks) :]
    middles = np.interp(np.array(curve.falls) - 0.5, np.arange(len(starts)), starts)
    cuts = [_steepest(level, round(float(middle)), wide) for middle in middles]
    return [
        cut
        for cut, size in zip(cuts, sizes, strict=True)
        if size < -ARENA_MB and _fall(level, cut, wide) > -_SUDDEN * size
    ]


def _steepest(level: Floats, near: int, wide: int) -> int:
    """The first point after the deepest fall near this one."""
    found = range(max(2 * wide, near - wide), min(len(level) - 2 * wide, near + wide) + 1)
    return max(found, key=lambda i: _fall(level, i, wide))


def _fall(level: Floats, cut: int, wide: int) -> float:
    """How far the level falls here beyond what it changes just before and just after."""
    a, b, c, d = (level[cut + i * wide : cut + (i + 1) * wide].mean() for i in (-2, -1, 0, 1))
    return float(b - c + (b - a + d - c) / 2.0)
