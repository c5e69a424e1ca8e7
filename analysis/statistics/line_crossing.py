"""Where the margin of a rule crosses zero: a straight line through noisy margins.

Where trials say by how much they held or did not, their line crosses zero where the chance is one
half, as in `crossing.py`, and each of them says more than a yes or no. The interval is Fieller's
(J. R. Stat. Soc. B 16, 1954): both slope and mean are uncertain.
"""

from collections.abc import Sequence
from math import pi, sqrt

import numpy as np

from analysis.statistics.crossing import Crossing
from analysis.statistics.distributions import t_quantile

FEWEST = 6
"""Trials; with fewer a line is not known, nor how far they scatter."""
AS_LOGISTIC = sqrt(3.0) / pi
"""Scale of the logistic curve whose standard deviation is 1."""


def line_crossing(
    x: Sequence[float], margins: Sequence[float], confidence: float = 0.95
) -> Crossing | None:
    """Of trials at x; None where they are too few, or do not surely rise with x."""
    n, at, y = len(x), np.asarray(x, float), np.asarray(margins, float)
    if n < FEWEST:
        return None
    off = at - at.mean()
    square = float(off @ off)
    if square <= 0.0:
        return None
    slope = float(off @ y) / square
    residuals = y - y.mean() - slope * off
    scatter = sqrt(float(residuals @ residuals) / (n - 2))
    reach = t_quantile((1.0 + confidence) / 2.0, n - 2) * scatter
    unsure = reach**2 / (slope**2 * square) if slope > 0.0 else 1.0
    if unsure >= 1.0:
        return None
    to_zero = -float(y.mean()) / slope
    middle = to_zero / (1.0 - unsure)
    half = reach / slope / (1.0 - unsure) * sqrt((1.0 - unsure) / n + to_zero**2 / square)
    low, zero, high = (float(at.mean()) + to for to in (middle - half, to_zero, middle + half))
    return Crossing(zero, low, high, max(scatter / slope * AS_LOGISTIC, 1e-9))
