"""Slope of a noisy series, with an interval that neither outliers nor correlation fool."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.statistics.distributions import t_quantile

Floats = npt.NDArray[np.float64]

# Blocks that a series is averaged into: enough for the scatter to be known, few enough to
# outlive most of the correlation between neighbouring samples.
BLOCKS = 64
# Fewer points say nothing about their own correlation.
_FEWEST_FOR_CORRELATION = 10
_MOST_CORRELATION = 0.9


@dataclass(frozen=True, slots=True)
class Trend:
    """A slope per unit of time with its standard error and confidence interval.

    `degrees` of freedom of the t interval; 1, the widest, where they do not matter.
    """

    slope: float
    standard_error: float
    low: float
    high: float
    n: int
    degrees: float = 1.0


def fit_trend(t: Floats, y: Floats, confidence: float) -> Trend:
    """Theil-Sen slope over block means with a t interval widened for AR(1) residuals.

    The slope is the median of all pairwise slopes (Theil 1950; Sen, JASA 63, 1968): up to
    29 % of the blocks may be outliers. The variance of the residuals is multiplied by
    (1 + rho) / (1 - rho), and the degrees of freedom shrink likewise; rho is corrected for
    the bias that a fitted line brings, -(2 + 4 rho) / n (Marriott and Pope, Biometrika 41,
    1954).

    Raises:
        ValueError: fewer than three points, which have no scatter around a line.
    """
    if len(t) < 3:
        raise ValueError(f"a trend needs at least 3 points, not {len(t)}")
    t, y = block_means(t, y, BLOCKS)
    slope = _theil_sen(t, y)
    residuals = y - slope * t
    residuals -= residuals.mean()
    inflation = _inflation(residuals)
    degrees = max(1.0, len(t) / inflation - 2.0)
    variance = float(residuals @ residuals) / (len(t) - 2) * inflation
    error = math.sqrt(variance / float(np.square(t - t.mean()).sum()))
    half = t_quantile((1.0 + confidence) / 2.0, degrees) * error
    return Trend(slope, error, slope - half, slope + half, len(t), degrees)


def block_means(t: Floats, y: Floats, blocks: int) -> tuple[Floats, Floats]:
    """Means of at most `blocks` stretches of neighbouring samples, about equally many each.

    Rather fewer blocks than blocks of one and of two samples, which would weigh unequally.
    """
    if len(t) <= blocks:
        return t, y
    count = round(len(t) / math.ceil(len(t) / blocks))
    edges = np.linspace(0, len(t), count + 1).astype(np.int64)
    sizes = np.diff(edges)
    return np.add.reduceat(t, edges[:-1]) / sizes, np.add.reduceat(y, edges[:-1]) / sizes


def _theil_sen(t: Floats, y: Floats) -> float:
    first, second = np.triu_indices(len(t), 1)
    steps = t[second] - t[first]
    apart = steps > 0
    if not apart.any():
        raise ValueError("a trend needs points at different times")
    return float(np.median((y[second] - y[first])[apart] / steps[apart]))


def _inflation(residuals: Floats) -> float:
    """How much correlation between neighbours inflates the variance of the slope."""
    n = len(residuals)
    total = float(residuals @ residuals)
    if n < _FEWEST_FOR_CORRELATION or total == 0.0:
        return 1.0
    raw = float(residuals[1:] @ residuals[:-1]) / total
    rho = raw + (2.0 + 4.0 * raw) / n
    # Less than its own standard error is chance; correcting for it would only cost power.
    if rho < 1.0 / math.sqrt(n):
        return 1.0
    rho = min(rho, _MOST_CORRELATION)
    return (1.0 + rho) / (1.0 - rho)
