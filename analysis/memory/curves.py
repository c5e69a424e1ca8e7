"""Growth that goes on: every curve whose pace never falls below about half of what it was before.

Such a curve is a sum of lines, of bends upwards anywhere, and of bends to such a pace anywhere,
each with a weight of at least 0; and each such sum is one. So the nearest of them to some points
is found by least squares with weights that are not negative (Lawson & Hanson 1974). Parts of what
grew may have been given back at once, where that explains more than chance would.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy  # its parts load when they are used

from recording.arrays import Floats

# Bends lie so close, as shares of the trace.
_BENDS = np.arange(1, 16) / 16
# A leak may go on at half its pace; noise and give-backs leave that a little uncertain.
_SLOWED_TO = 0.45
# More falls are a rhythm.
_MOST_FALLS = 2
# Twice the gain in log likelihood that a fall must bring: it may lie anywhere.
_EVIDENCE_OF_FALL = 16.0
# Points before, between and after falls, at the least; and where in a point, a mean, one may lie.
_SHORTEST, _PARTS_OF_A_POINT = 3, 0.25
# A leak keeps more than all falls take together. A collector that has run once or twice has taken
# half of what grew, or more.
MOST_GIVEN_BACK = 0.45
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Grown:
    """The best growth that goes on through some points: what it leaves unexplained, and its falls.

    `left` is a sum of squares, increased by what a fall explains by chance. `falls` are the first
    points after each, `sizes` what was given back. A fall in the middle of a point lies so much
    before the next one.
    """

    left: float
    n: int
    falls: tuple[float, ...] = ()
    sizes: tuple[float, ...] = ()


def grown(y: Floats) -> Grown:
    """The growth that explains the points best, through no more falls than it needs."""
    columns = _columns(len(y))
    falls: list[int] = []
    curves: list[Grown] = []
    slowed = left_by_slowing(y)
    for _ in range(_MOST_FALLS + 1):
        design = columns.with_falls(falls)
        weights, size = scipy.optimize.nnls(design, y - y.mean())
        spare = max(1, len(y) - int(np.count_nonzero(weights)))
        left = float(size**2) * math.exp(len(falls) * _EVIDENCE_OF_FALL / spare)
        if not falls or (left < slowed and columns.keeps(weights)):
            sizes = tuple(weights[columns.growths.shape[1] :].tolist())
            at = tuple(columns.first_after[falls].tolist())
            curves.append(Grown(left, len(y), at, sizes))
        off = y - y.mean() - design @ weights
        falls = [*falls, columns.next_fall(design[:, weights > 0.0], off)]
    return min(curves, key=lambda curve: curve.left)


def left_by_slowing(y: Floats) -> float:
    """Squares left by the best curve that grows ever more slowly, if it is to nothing."""
    return float(scipy.optimize.nnls(_slowing(len(y)), y - y.mean())[1] ** 2)


def unit(curve: Floats) -> Floats:
    """The curve around its mean, of length 1."""
    centred = curve - curve.mean()
    return np.asarray(centred / math.sqrt(float(centred @ centred)), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Of growths and of falls, and the first points after these; around their means."""

    growths: Floats
    falls: Floats
    first_after: Floats

    def with_falls(self, chosen: Sequence[int]) -> Floats:
        return np.hstack([self.growths, self.falls[:, chosen]])

    def keeps(self, weights: Floats) -> bool:
        """Whether all falls are some, and took less than a collector does."""
        growths = self.growths.shape[1]
        sizes = weights[growths:]
        rise = float((self.growths[-1] - self.growths[0]) @ weights[:growths])
        return not sizes.size or bool(sizes.min() > 0.0 and sizes.sum() < MOST_GIVEN_BACK * rise)

    def next_fall(self, used: Floats, off: Floats) -> int:
        """The fall that explains most of what these columns left."""
        basis = np.linalg.qr(used)[0]
        free = self.falls - basis @ (basis.T @ self.falls)
        lengths = np.square(free).sum(axis=0)
        gains = np.square(np.maximum(off @ free, 0.0)) / np.maximum(lengths, _TINY)
        return int(np.argmax(np.where(lengths > _TINY, gains, 0.0)))


@lru_cache(maxsize=64)
def _columns(n: int) -> _Columns:
    x = (np.arange(n) + 0.5) / n
    curves = [x, *(np.maximum(x - at, 0.0) for at in _BENDS)]
    curves += [_SLOWED_TO * x + (1.0 - _SLOWED_TO) * np.minimum(x, at) for at in _BENDS]
    first_after = np.arange(_SHORTEST, n - _SHORTEST, _PARTS_OF_A_POINT)
    falls = -np.clip(np.arange(n)[:, None] - first_after + 1.0, 0.0, 1.0)
    growths = np.column_stack([unit(curve) for curve in curves])
    return _Columns(growths, falls - falls.mean(axis=0), first_after)


@lru_cache(maxsize=64)
def _slowing(n: int) -> Floats:
    x = (np.arange(n) + 0.5) / n
    return np.column_stack([unit(np.minimum(x, at)) for at in (*_BENDS, 1.0)])
