"""Curves that grow on, to be told from curves that level off: powers, exponentials, two slopes."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from analysis.statistics.trend import Floats

# From growth that slows to half its pace to growth that has hardly begun.
_POWERS = (0.75, 1.0, 1.2, 1.5, 2.0, 3.0)
_RATES = (3.0, 5.0)
# Two slopes: the second at half of the first, which still goes on, or several times as fast.
_BREAKS = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875)
_PACES = (0.5, 2.0, 4.0)


@lru_cache(maxsize=8)
def growing_curves(n: int) -> Floats:
    """Curves of n points that rise by 1 and never slow to less than half of their first pace."""
    x = (np.arange(n) + 0.5) / n
    curves = [x**power for power in _POWERS]
    curves += [np.expm1(rate * x) / math.expm1(rate) for rate in _RATES]
    for at in _BREAKS:
        for times in _PACES:
            broken = np.minimum(x, at) + times * np.maximum(x - at, 0.0)
            curves.append(broken / (at + times * (1.0 - at)))
    return np.array(curves)


def unit(curve: Floats) -> Floats:
    """The curve around its mean, of length 1."""
    centred = curve - curve.mean()
    return np.asarray(centred / math.sqrt(float(centred @ centred)), dtype=np.float64)


def left_by_one_bend(y: Floats) -> float:
    """Squares that a line with one kink, anywhere and either way, leaves unexplained."""
    line, kinks = _bends(len(y))
    off = y - y.mean()
    off = off - line * float(line @ off)
    return float(off @ off - np.square(kinks @ off).max())


@lru_cache(maxsize=8)
def _bends(n: int) -> tuple[Floats, Floats]:
    """The line, and what each kink adds to it, as vectors of length 1."""
    x = np.arange(float(n))
    line = unit(x)
    hinges = np.maximum(x - x[2:-2, None], 0.0)
    hinges = hinges - hinges.mean(axis=1, keepdims=True)
    hinges = hinges - np.outer(hinges @ line, line)
    return line, hinges / np.linalg.norm(hinges, axis=1, keepdims=True)
