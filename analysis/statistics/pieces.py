"""A curve of unknown shape: a line that bends and falls where that explains the points past doubt.

One kink or fall after the other is added, each where it explains most, more than needed; then one
after the other is taken out again, and of all these curves the most credible is chosen (Friedman,
Ann. Statist. 19, 1991). Two falls that only show together are found so. What the curve means is
not asked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recording.arrays import Floats

# Twice the gain in log likelihood at which a kink is believed: it may lie anywhere, and fits
# correlated noise by chance. There is one for eight points at most.
_EVIDENCE_OF_KINK = 10.0
_MOST_KINKS, _POINTS_PER_KINK = 6, 8
# Among more points than this a kink is as well placed at some of them.
_MOST_PLACES = 64
# A fall fits correlated noise better than a kink does.
_EVIDENCE_OF_FALL = 25.0
_MOST_FALLS = 2
# Stretches of fewer points are spikes.
_SHORTEST = 3
# Where in a point a fall may lie.
_PARTS_OF_A_POINT = 0.25
# Noise that follows itself bends as well; what follows itself even more closely is a curve.
MOST_CORRELATION = 0.9
# Of the squared deviations, so that a curve without noise has a likelihood.
_LEAST_LEFT = 1e-12
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Pieces:
    """Where the line bends (times), and the first points after each fall (indices).

    The index of a fall in the middle of a point, a mean, lies so much before that of the next one.
    """

    kinks: tuple[float, ...]
    falls: tuple[float, ...]

    def design(self, t: Floats) -> Floats:
        """Columns whose combinations are such curves: 1, t, kinks, and the falls at the end."""
        kinks, falls = np.array(self.kinks), np.array(self.falls)
        return np.hstack([_line(t), _hinges(t, kinks), _steps(len(t), falls)])


def find_pieces(
    t: Floats,
    y: Floats,
    known: Sequence[float] = (),
    falls: int = 0,
    most_correlation: float = MOST_CORRELATION,
) -> Pieces:
    """The curve through points, with falls at `known` and at most so many at other places.

    Where `most_correlation` of the noise is 0 the curve rather bends too much than too little.
    """
    terms = _Terms(t, known, falls, most_correlation)
    kinks = min(_MOST_KINKS, len(t) // _POINTS_PER_KINK - 1)
    chosen = terms.pruned(y, terms.added(y, max(0, kinks), falls))
    bends, drops = terms.bends, terms.drops
    return Pieces(
        tuple(float(t[bends[i]]) for i in chosen if i < len(bends)),
        (*known, *(float(drops[i - len(bends)]) for i in chosen if i >= len(bends))),
    )


class _Terms:
    """Columns that a curve may have, beside those that it always has."""

    def __init__(
        self, t: Floats, known: Sequence[float], falls: int, most_correlation: float
    ) -> None:
        self.most_correlation = most_correlation
        n = len(t)
        self.bends = np.unique(np.linspace(1, n - 2, _MOST_PLACES).astype(np.int64))
        self.drops = np.arange(_SHORTEST, n - _SHORTEST if falls else 0, _PARTS_OF_A_POINT)
        self.columns = np.hstack([_hinges(t, t[self.bends]), _steps(n, self.drops)])
        self.always = np.hstack([_line(t), _steps(n, np.array(known))])
        self.is_fall = np.arange(self.columns.shape[1]) >= len(self.bends)

    def added(self, y: Floats, kinks: int, falls: int) -> list[int]:
        """So many, each where it explains most of what those before it left."""
        basis = np.linalg.qr(self.always)[0]
        columns, left = _off(basis, self.columns), _off(basis, y)
        least = _TINY * np.square(self.columns).sum(axis=0)
        chosen: list[int] = []
        while kinks + falls > 0:
            along, sizes = left @ columns, np.square(columns).sum(axis=0)
            may = np.where(self.is_fall, (falls > 0) & (along < 0.0), kinks > 0) & (sizes > least)
            best = int(np.argmax(np.where(may, np.square(along) / np.maximum(sizes, least), 0.0)))
            if not may[best]:
                break
            chosen.append(best)
            kinks, falls = kinks - (not self.is_fall[best]), falls - bool(self.is_fall[best])
            unit = (columns[:, best] / math.sqrt(float(sizes[best])))[:, None]
            columns, left = _off(unit, columns), _off(unit, left)
        return chosen

    def pruned(self, y: Floats, chosen: list[int]) -> list[int]:
        """The most credible of the curves that are left when the least needed goes each time."""
        least = _LEAST_LEFT * float(np.square(y - y.mean()).sum()) + math.ulp(0.0)
        best, best_score, fixed = chosen, math.inf, self.always.shape[1]
        while True:
            falls = self.is_fall[chosen]
            design = np.hstack([self.always, self.columns[:, chosen]])
            basis, triangle = np.linalg.qr(design)
            inverse = np.linalg.pinv(triangle)
            found = inverse @ (basis.T @ y)
            off = y - design @ found
            needed = np.where(falls, _EVIDENCE_OF_FALL, _EVIDENCE_OF_KINK)
            surprise = max(_surprise(off, self.most_correlation), least)
            score = len(y) * math.log(surprise) + float(needed.sum())
            if score <= best_score and not np.any(found[fixed:][falls] >= 0.0):
                best, best_score = chosen, score
            if not chosen:
                return best
            losses = np.square(found[fixed:]) / np.square(inverse[fixed:]).sum(axis=1)
            gains = len(y) * np.log1p(losses / max(float(off @ off), least)) - needed
            chosen = [one for at, one in enumerate(chosen) if at != int(np.argmin(gains))]


def _surprise(off: Floats, most_correlation: float) -> float:
    """Squares of what noise that follows itself (AR(1)) does not foretell of itself."""
    own = float(off @ off)
    rho = min(most_correlation, max(0.0, float(off[1:] @ off[:-1]) / own)) if own > 0.0 else 0.0
    new = off[1:] - rho * off[:-1]
    return (1.0 - rho * rho) * float(off[0] ** 2) + float(new @ new)


def _line(t: Floats) -> Floats:
    return np.column_stack([np.ones(len(t)), (t - t.mean()) / (t[-1] - t[0])])


def _hinges(t: Floats, at: Floats) -> Floats:
    bent = np.maximum(t[:, None] - at, 0.0) / (t[-1] - t[0])
    return np.asarray(bent, dtype=np.float64)


def _steps(n: int, at: Floats) -> Floats:
    return np.asarray(np.clip(np.arange(n)[:, None] - at + 1.0, 0.0, 1.0), dtype=np.float64)


def _off(basis: Floats, y: Floats) -> Floats:
    return np.asarray(y - basis @ (basis.T @ y), dtype=np.float64)
