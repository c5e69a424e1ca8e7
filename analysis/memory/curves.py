"""Growth that goes on: every curve whose pace never falls below half of what it was before.

Such a curve is a sum of lines, of bends upwards anywhere, and of bends to half the pace anywhere,
each with a weight of at least 0; and each such sum is one. So the nearest of them to some points
is found by least squares with weights that are not negative (Lawson & Hanson 1974).
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy.optimize import nnls

from analysis.statistics.pieces import Floats

# Bends lie so close, as shares of the trace.
_BENDS = np.arange(1, 16) / 16


def left_by_growth(y: Floats) -> float:
    """Squares that the best growth which goes on leaves unexplained."""
    return float(nnls(_growths(len(y)), y - y.mean())[1] ** 2)


def unit(curve: Floats) -> Floats:
    """The curve around its mean, of length 1."""
    centred = curve - curve.mean()
    return np.asarray(centred / math.sqrt(float(centred @ centred)), dtype=np.float64)


@lru_cache(maxsize=64)
def _growths(n: int) -> Floats:
    x = (np.arange(n) + 0.5) / n
    curves = [x, *(np.maximum(x - at, 0.0) for at in _BENDS)]
    curves += [x + np.minimum(x, at) for at in _BENDS]
    return np.column_stack([unit(curve) for curve in curves])
