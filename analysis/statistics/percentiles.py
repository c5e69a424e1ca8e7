"""The one definition of a percentile, and how sure of it a measurement can be.

A histogram is a pair of arrays of equal length: ``values`` (ascending, distinct; here µs) and
``counts``. A percentile is the *nearest rank*: the smallest value whose cumulative count
reaches ``ceil(q * n)`` (type 1 of Hyndman and Fan, "Sample Quantiles in Statistical Packages",
The American Statistician 50, 1996; numpy's ``inverted_cdf``). It is always a value that was
really seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analysis.statistics.distributions import (
    binomial_quantile,
    chi2_quantile,
    normal_quantile,
    t_quantile,
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Cosines in the estimate of the long-run variance, which become its degrees of freedom: more give
# narrower intervals, fewer withstand a longer correlation. Where stretches of time resemble their
# neighbours, whichever of a few numbers makes the widest interval. Chosen by simulation
# (benchmarks/percentile_coverage.py), as the limits below.
_COSINES = 5
_FEW_COSINES = (5, 3, 2)
# Autocorrelation above which neighbours are alike: that of blocks in standard errors (1/√blocks),
# that of twentieths of the run, independent ones of which have -0.05 ± 0.22.
_ALIKE_BLOCKS = 2.0
_STRETCHES, _ALIKE_STRETCHES = 20, 0.3
# Below this quantile of its distribution under independence a design effect is taken for
# estimation noise, or every interval of independent samples would be too wide (99 % for 95 %).
_NOISE_QUANTILE = 0.6
# q * n carries the rounding of q: 0.07 * 100 is 7.000000000000001 and must be rank 7.
_RANK_SLACK = 1e-12


class Interval(NamedTuple):
    """A confidence interval. A bound is None where the sample cannot give one: the interval
    is open on that side."""

    low: float | None
    high: float | None


def quantile(values: Floats, counts: Ints, q: float) -> float:
    """The nearest-rank quantile, in the unit of `values`; ``q=0`` is the smallest value.

    Raises:
        ValueError: `q` outside 0..1, or no samples (never zero for missing data).
    """
    if not 0.0 <= q <= 1.0:
        raise ValueError(f"q must lie in 0..1, not {q}")
    cumulative = np.cumsum(counts)
    n = _total(counts)
    return _at_rank(values, cumulative, max(1, math.ceil(q * n - _RANK_SLACK * n)))


def mean(values: Floats, counts: Ints) -> float:
    """Arithmetic mean. Raises ValueError without samples."""
    return float(values @ counts) / _total(counts)


def maximum(values: Floats, counts: Ints) -> float:
    """Largest value that was seen. Raises ValueError without samples."""
    _total(counts)
    return float(values[np.flatnonzero(counts)[-1]])


def min_samples(q: float, confidence: float = 0.95) -> int:
    """Smallest n for which a two-sided distribution-free interval of the quantile exists.

    The largest of n values lies below the quantile with probability q**n, so the upper bound
    exists when q**n <= (1 - confidence) / 2; the lower bound likewise with 1 - q (David and
    Nagaraja, Order Statistics, 3rd ed., section 7.1). p99 needs 368, p95 needs 72.
    """
    if not 0.0 < q < 1.0:
        raise ValueError(f"q must lie between 0 and 1, not {q}")
    return math.ceil(math.log((1.0 - confidence) / 2.0) / math.log(max(q, 1.0 - q)))


def quantile_interval(
    values: Floats, block_counts: Ints, q: float, confidence: float = 0.95
) -> Interval:
    """Confidence interval of a quantile from order statistics, robust against correlation.

    `block_counts` has one row per block of time, of equal length and in order, over the same
    `values`; 20 to 200 blocks are best. The exact binomial ranks are those of as many independent
    samples as these are worth (n over the design effect), because requests that share a moment
    also share its troubles; they are stretched by the t quantile over the normal one, because the
    design effect is itself an estimate. With one block nothing is known of correlation and the
    samples are taken as independent; with two to four the t quantile makes an interval that is
    honestly wide. Coverage: docs/statistics.md.

    A bound whose rank lies outside the sample is None.

    Raises:
        ValueError: no samples.
    """
    pooled = block_counts.sum(axis=0)
    n = _total(pooled)
    effect = design_effect(values, block_counts, quantile(values, pooled, q))
    worth = max(1, math.floor(n / effect.ratio))
    stretch = n / worth * effect.t_over_z(confidence)
    tail = (1.0 - confidence) / 2.0
    below = q * worth - binomial_quantile(tail, worth, q)
    above = binomial_quantile(1.0 - tail, worth, q) + 1.0 - q * worth
    low, high = math.floor(q * n - below * stretch), math.ceil(q * n + above * stretch - 1e-9)
    cumulative = np.cumsum(pooled)
    return Interval(
        _at_rank(values, cumulative, low) if low >= 1 else None,
        _at_rank(values, cumulative, high) if high <= n else None,
    )


class DesignEffect(NamedTuple):
    """How many times the variance of a share exceeds that of independent samples.

    `degrees` are those of the estimate; 0 when the samples are taken as independent.
    """

    ratio: float
    degrees: int

    def t_over_z(self, confidence: float = 0.95) -> float:
        """What the half-width of an interval widens by because the ratio is an estimate."""
        if self.degrees == 0:
            return 1.0
        upper = (1.0 + confidence) / 2.0
        return t_quantile(upper, self.degrees) / normal_quantile(upper)


_INDEPENDENT = DesignEffect(1.0, 0)


def design_effect(values: Floats, block_counts: Ints, at: float) -> DesignEffect:
    """Design effect of the share of samples above `at`, from its course over blocks of time.

    Scores of the ratio estimator (Kish, Survey Sampling, 1965, section 6.3) allow blocks of
    unequal count; their long-run variance is the mean of the squared first cosine transforms
    (equal-weighted cosines: Lazarus, Lewis, Stock and Watson, "HAR Inference: Recommendations
    for Practice", JBES 36, 2018), which sees correlation between blocks as well as within.
    """
    sizes = block_counts.sum(axis=1).astype(np.float64)
    above = block_counts[:, values > at].sum(axis=1).astype(np.float64)
    n, blocks = float(sizes.sum()), len(sizes)
    share = above.sum() / n if n else 0.0
    if blocks < 2 or not 0.0 < share < 1.0:
        return _INDEPENDENT
    scores, variance = above - share * sizes, n * share * (1.0 - share)
    if _alike(scores):
        found = (_estimate(scores, variance, cosines) for cosines in _FEW_COSINES)
        return max(found, key=lambda effect: math.sqrt(effect.ratio) * effect.t_over_z())
    effect = _estimate(scores, variance, _COSINES)
    noise = chi2_quantile(_NOISE_QUANTILE, effect.degrees) / effect.degrees
    return effect if effect.ratio >= max(1.0, noise) else _INDEPENDENT


def _estimate(scores: Floats, variance: float, cosines: int) -> DesignEffect:
    blocks = len(scores)
    degrees = min(blocks - 1, cosines)
    phases = np.outer(np.arange(1, degrees + 1), (np.arange(blocks) + 0.5) / blocks)
    transforms = math.sqrt(2.0) * np.cos(np.pi * phases) @ scores
    return DesignEffect(max(1.0, float(np.square(transforms).mean()) / variance), degrees)


def _alike(scores: Floats) -> bool:
    """Whether neighbouring blocks, or longer stretches, of the run resemble each other."""
    if _autocorrelation(scores) > _ALIKE_BLOCKS / math.sqrt(len(scores)):
        return True
    starts = np.linspace(0, len(scores), min(_STRETCHES, len(scores)), endpoint=False)
    return _autocorrelation(np.add.reduceat(scores, starts.astype(np.int64))) > _ALIKE_STRETCHES


def _autocorrelation(scores: Floats) -> float:
    power = float(scores @ scores)
    return float(scores[1:] @ scores[:-1]) / power if power else 0.0


def coalesce(block_counts: Ints, blocks: int) -> Ints:
    """Join neighbouring blocks into at most `blocks` rows of about equal length in time."""
    if len(block_counts) <= blocks:
        return block_counts
    starts = np.linspace(0, len(block_counts), blocks, endpoint=False).astype(np.int64)
    return np.asarray(np.add.reduceat(block_counts, starts, axis=0), dtype=np.int64)


def merge(histograms: Iterable[tuple[Floats, Ints]]) -> tuple[Floats, Ints]:
    """The histogram of the union of all samples. Percentiles must be taken after this:
    the mean of two percentiles is the percentile of nothing."""
    pairs = list(histograms)
    if not pairs:
        return np.empty(0), np.empty(0, dtype=np.int64)
    values, where = np.unique(np.concatenate([v for v, _ in pairs]), return_inverse=True)
    counts = np.zeros(values.size, dtype=np.int64)
    np.add.at(counts, where, np.concatenate([c for _, c in pairs]))
    return values, counts


def _at_rank(values: Floats, cumulative: Ints, rank: int) -> float:
    return float(values[np.searchsorted(cumulative, rank)])


def _total(counts: Ints) -> int:
    n = int(counts.sum())
    if n == 0:
        raise ValueError("no samples: a percentile of nothing does not exist")
    return n
