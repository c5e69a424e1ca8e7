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
from analysis.statistics.line import line_through

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
    line = line_through(at, y)
    if line.slope <= 0.0:
        return None
    norm = float(np.linalg.norm(at - at.mean()))
    scatter = line.error * norm / line.slope
    reach = t_quantile((1.0 + confidence) / 2.0, line.degrees) * scatter
    left = 1.0 - (reach / norm) ** 2
    if left <= 0.0:
        return None
    to_zero = -float(y.mean()) / line.slope
    half = reach / left * sqrt(left / n + (to_zero / norm) ** 2)
    low, zero, high = (
        float(at.mean()) + to for to in (to_zero / left - half, to_zero, to_zero / left + half)
    )
    return Crossing(zero, low, high, max(scatter * AS_LOGISTIC, 1e-9))
