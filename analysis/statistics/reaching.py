"""When does a line through some points reach a level? Inverse prediction, with its interval."""

import math
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from analysis.statistics.distributions import t_quantile
from analysis.statistics.trend import Trend
from recording.arrays import Floats

_EXACT = 1e-9
"""Of the size of the numbers: what floating point leaves between a line and the point it is on."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The time at which a line reaches a level, in the unit of the points' times.

    ``slope`` is per unit of time. A time is inf where the line never does: with ``high`` that is
    not excluded.
    """

    likely: float
    low: float
    high: float
    slope: float


def reach_of_rounded(t: Floats, y: Floats, half: float, level: float) -> Reach | None:
    """Of points that were printed rounded: each may truly lie `half` above or below.

    The interval spans every line through all of these ranges; None where there is none, as the
    points do not lie on a line. Raises ValueError for fewer than two points.
    """
    if len(t) < 2:
        raise ValueError(f"a line needs 2 points, not {len(t)}")
    possible = [
        _crossing(line, level) for line in _extreme_lines(t, y, half) if _fits(line, t, y, half)
    ]
    if not possible:
        return None
    slope, start = np.polyfit(t, y, 1)
    low, high = min(possible), max(possible)
    likely = _crossing((float(slope), float(start)), level)
    return Reach(min(max(likely, low), high), low, high, float(slope))


def reach_of_trend(t: Floats, y: Floats, level: float, trend: Trend, confidence: float) -> Reach:
    """Of noisy points with this trend, at or below the level (Fieller's interval).

    The times at which a line whose slope and mean are both uncertain may be at the level (E. C.
    Fieller, J. R. Stat. Soc. B 16, 1954). What correlation adds to the variance of the slope it
    adds to that of the mean alike. ``high`` is inf where no slope is proven.
    """
    middle, mean = float(t.mean()), float(y.mean())
    gap, q = level - mean, t_quantile((1.0 + confidence) / 2.0, trend.degrees)
    of_slope = (q * trend.standard_error) ** 2
    of_mean = of_slope * float(np.square(t - middle).mean())
    likely = middle + gap / trend.slope if trend.slope > 0.0 else math.inf
    curvature = trend.slope**2 - of_slope
    root = math.sqrt(max(0.0, trend.slope**2 * gap**2 - curvature * (gap**2 - of_mean)))
    soonest = trend.slope * gap + root
    low = middle + (gap**2 - of_mean) / soonest if soonest > 0.0 else math.inf
    proven = trend.slope > 0.0 and curvature > 0.0
    high = middle + soonest / curvature if proven else math.inf
    return Reach(likely, low, high, trend.slope)


Line = tuple[float, float]
"""Slope, and height at time 0."""


def _extreme_lines(t: Floats, y: Floats, half: float) -> list[Line]:
    """Lines through two ends of ranges: the corners of all that is possible are among them."""
    found = []
    for i, j in combinations(range(len(t)), 2):
        if t[j] > t[i]:
            for up, down in product((half, -half), repeat=2):
                slope = float((y[j] + down - y[i] - up) / (t[j] - t[i]))
                found.append((slope, float(y[i] + up - slope * t[i])))
    return found


def _fits(line: Line, t: Floats, y: Floats, half: float) -> bool:
    slope, start = line
    spare = half + _EXACT * (1.0 + float(np.abs(y).max()))
    return bool(np.all(np.abs(start + slope * t - y) <= spare))


def _crossing(line: Line, level: float) -> float:
    slope, start = line
    return (level - start) / slope if slope > _EXACT * (1.0 + abs(level)) else math.inf
