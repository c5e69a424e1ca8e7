"""Slope of a noisy series, with an interval that neither outliers nor correlation fool."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analysis.statistics.distributions import t_quantile

Floats = npt.NDArray[np.float64]

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
_MAD_TO_SIGMA = 1.4826
# Twice the gain in log likelihood at which a kink is believed: it may lie anywhere, and fits
# correlated noise by chance. There is one for eight blocks at most.
_EVIDENCE_OF_KINK = 15.0
_MOST_KINKS, _BLOCKS_PER_KINK = 6, 8
# Of the squared deviations, so that a curve without noise has a likelihood.
_LEAST_LEFT = 1e-12


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

    Raises:
        ValueError: fewer than three points, which have no scatter around a line.
    """
    if len(t) < 3:
        raise ValueError(f"a trend needs at least 3 points, not {len(t)}")
    points, blocks = block_means(t, y, _POINTS), block_means(t, y, BLOCKS)
    slope = _reweighted(*points, _theil_sen(*blocks))
    kinks = _kinks(*blocks)
    fine, coarse = (
        _scatter(t, _residuals(t, y, slope, kinks), len(kinks) + 2, inflate)
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


def _kinks(t: Floats, y: Floats) -> list[float]:
    """Where a line must bend to explain the points; nowhere unless that is past doubt.

    One kink after the other, each where it explains most (Friedman, Ann. Statist. 19, 1991).
    """
    inner = t[1:-1]
    hinges, left = _off(_basis(t, []), _hinges(t, inner)), _off(_basis(t, []), y)
    least = _LEAST_LEFT * float(np.square(y - y.mean()).sum())
    found: list[float] = []
    while len(found) < min(_MOST_KINKS, len(t) // _BLOCKS_PER_KINK - 1):
        gains = np.square(left @ hinges) / np.maximum(np.square(hinges).sum(axis=0), 1e-9)
        best, square = int(np.argmax(gains)), float(left @ left)
        if square <= least or _gain(len(t), square, square - float(gains[best]), least) < 0.0:
            break
        found.append(float(inner[best]))
        basis = (hinges[:, best] / np.linalg.norm(hinges[:, best]))[:, None]
        hinges, left = _off(basis, hinges), _off(basis, left)
    return found


def _gain(n: int, before: float, after: float, least: float) -> float:
    return n * math.log(before / max(after, least)) - _EVIDENCE_OF_KINK


def _residuals(t: Floats, y: Floats, slope: float, kinks: list[float]) -> Floats:
    """What lies off a line of this slope, or off the best line with these kinks."""
    if kinks:
        return _off(_basis(t, kinks), y)
    off = y - slope * t
    return np.asarray(off - off.mean(), dtype=np.float64)


def _basis(t: Floats, kinks: list[float]) -> Floats:
    """Lines with these kinks, as vectors of length 1 at right angles."""
    line = np.column_stack([np.ones(len(t)), t - t.mean()])
    return np.asarray(np.linalg.qr(np.hstack([line, _hinges(t, np.array(kinks))]))[0])


def _hinges(t: Floats, at: Floats) -> Floats:
    bent = np.maximum(t[:, None] - at, 0.0) / (t[-1] - t[0])
    return np.asarray(bent, dtype=np.float64)


def _off(basis: Floats, y: Floats) -> Floats:
    return np.asarray(y - basis @ (basis.T @ y), dtype=np.float64)


def _scatter(
    t: Floats, residuals: Floats, parameters: int, inflate: Callable[[Floats, int], float]
) -> _Scatter:
    """Error of a slope through points that lie so far off a curve of so many parameters."""
    inflation = inflate(residuals, parameters)
    variance = float(residuals @ residuals) / (len(t) - parameters) * inflation
    error = math.sqrt(variance / float(np.square(t - t.mean()).sum()))
    return _Scatter(error, inflation, max(1.0, len(t) / inflation - parameters))


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
    near = np.abs(residuals) <= _OUTLYING * _MAD_TO_SIGMA * np.median(np.abs(residuals))
    t, y = t[near], y[near]
    apart = t - t.mean()
    square = float(apart @ apart)
    return float(apart @ y) / square if square > 0.0 else slope
