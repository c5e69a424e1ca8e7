"""Slope of a noisy series, with an interval that neither outliers nor correlation fool."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from analysis.statistics.distributions import t_quantile
from analysis.statistics.pieces import Pieces, find_pieces
from recording.arrays import Floats

# Blocks that a series is averaged into: enough for the scatter to be known, few enough to
# outlive most of the correlation between neighbouring samples.
BLOCKS = 64
# Points that tell the scatter and its correlation four times as surely as the blocks do.
_POINTS = 400
# Fewer points say nothing about their own correlation.
_FEWEST_FOR_CORRELATION = 10
# Correlation below so many of its own standard errors is chance; correcting for it would only cost
# power. That of the blocks, and how it fades from lag to lag, must be past doubt.
_LIKELY, _PAST_DOUBT = 1.0, 2.33
_MOST_CORRELATION, _SLOWEST_DECAY = 0.9, 0.95
# Points this many robust standard deviations off the line do not draw it.
_OUTLYING = 3.0
MAD_TO_SIGMA = 1.4826


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
    """Slope of a robust line with a t interval widened for correlated residuals.

    The median of all slopes between blocks (Theil 1950; Sen, JASA 63, 1968: up to 29 % of the
    blocks may be outliers) says which points are outliers; least squares over the others is
    the slope. Where the points bend past doubt it is the mean one, and noise is what lies off a
    bent line, for the bend is no noise. The variance of all residuals is multiplied by what
    correlation adds to that of their mean, and the degrees of freedom shrink likewise. Up to 400
    points say how much that is; where the blocks are correlated past doubt, and say more, they do.

    Raises ValueError for fewer than three points, which have no scatter around a line.
    """
    if len(t) < 3:
        raise ValueError(f"a trend needs at least 3 points, not {len(t)}")
    points, blocks = block_means(t, y, _POINTS), block_means(t, y, BLOCKS)
    slope = _reweighted(*points, _theil_sen(*blocks))
    bent = find_pieces(*blocks)
    fine, coarse = (
        _scatter(t, _residuals(t, y, slope, bent), len(bent.kinks) + 2, inflate)
        for (t, y), inflate in ((points, _fading), (blocks, _lasting))
    )
    told = max(fine, coarse) if coarse.inflation > 1.0 else fine
    half = t_quantile((1.0 + confidence) / 2.0, told.degrees) * told.error
    return Trend(slope, told.error, slope - half, slope + half, len(blocks[0]), told.degrees)


class _Scatter(NamedTuple):
    """Standard error of a slope, what correlation added to its variance, degrees of freedom."""

    error: float
    inflation: float
    degrees: float


def _residuals(t: Floats, y: Floats, slope: float, bent: Pieces) -> Floats:
    """What lies off a line of this slope, or off the best line with these kinks."""
    if bent.kinks:
        basis = np.linalg.qr(bent.design(t))[0]
        return np.asarray(y - basis @ (basis.T @ y), dtype=np.float64)
    off = y - slope * t
    return np.asarray(off - off.mean(), dtype=np.float64)


def _scatter(
    t: Floats, residuals: Floats, parameters: int, inflate: Callable[[Floats, int], float]
) -> _Scatter:
    """Error of a slope through points that lie so far off a curve of so many parameters."""
    inflation = inflate(residuals, parameters)
    variance = float(residuals @ residuals) / (len(t) - parameters) * inflation
    error = math.sqrt(variance / float(np.square(t - t.mean()).sum()))
    # A line costs two of the independent values, a kink one of the points.
    degrees = (len(t) - parameters + 2) / inflation - 2.0
    return _Scatter(error, inflation, max(1.0, degrees))


def _fading(residuals: Floats, parameters: int) -> float:
    """What correlation adds to the variance of a mean when after lag 1 it fades at a constant rate.

    So does that of AR(1) noise, averaged or with white noise on top (an ARMA(1,1) process).
    """
    first, second = (_correlation(residuals, lag, parameters) for lag in (1, 2))
    sigma = 1.0 / math.sqrt(len(residuals))
    if first < _LIKELY * sigma:
        return 1.0
    decay = second / first if second > _PAST_DOUBT * sigma else first
    return 1.0 + 2.0 * min(first, _SLOWEST_DECAY) / (1.0 - min(decay, _SLOWEST_DECAY))


def _lasting(residuals: Floats, parameters: int) -> float:
    """The same for AR(1) noise, where its correlation is past doubt."""
    rho = min(_correlation(residuals, 1, parameters), _MOST_CORRELATION)
    sure = rho >= _PAST_DOUBT / math.sqrt(len(residuals))
    return (1.0 + rho) / (1.0 - rho) if sure else 1.0


def _correlation(residuals: Floats, lag: int, parameters: int) -> float:
    """Autocorrelation, corrected for the bias that a fitted line brings, -(2 + 4 rho) / n.

    Marriott and Pope, Biometrika 41, 1954; a curve of more parameters brings as much more. 0 where
    too few points can say.
    """
    n, total = len(residuals), float(residuals @ residuals)
    if n < _FEWEST_FOR_CORRELATION or total == 0.0:
        return 0.0
    raw = float(residuals[lag:] @ residuals[:-lag]) / total
    return raw + parameters * (1.0 + 2.0 * raw) / n


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


def _reweighted(t: Floats, y: Floats, slope: float) -> float:
    """Least squares over the points that lie near a line of this slope (Rousseeuw & Leroy 1987)."""
    residuals = y - slope * t
    residuals -= np.median(residuals)
    near = np.abs(residuals) <= _OUTLYING * MAD_TO_SIGMA * np.median(np.abs(residuals))
    t, y = t[near], y[near]
    apart = t - t.mean()
    square = float(apart @ apart)
    return float(apart @ y) / square if square > 0.0 else slope
