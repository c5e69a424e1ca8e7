"""The one definition of a percentile, and how sure of it a measurement can be.

A histogram is a pair of arrays of equal length: ``values`` (ascending, distinct; here µs) and
``counts``. A percentile is the *nearest rank*: the smallest value whose cumulative count
reaches ``ceil(q * n)`` (type 1 of Hyndman and Fan, "Sample Quantiles in Statistical Packages",
The American Statistician 50, 1996; numpy's ``inverted_cdf``). It is always a value that was
really seen.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np

from analysis.statistics.design_effect import design_effect
from analysis.statistics.distributions import binomial_at_most, binomial_quantile
from recording.arrays import Floats, Ints

# q * n carries the rounding of q: 0.07 * 100 is 7.000000000000001 and must be rank 7.
_RANK_SLACK = 1e-12
_CORRELATED_FROM = 30
"""Samples that show by their moments how they are correlated."""


class Interval(NamedTuple):
    """A confidence interval. A bound is None where the sample cannot give one: the interval
    is open on that side."""

    low: float | None
    high: float | None


def quantile(values: Floats, counts: Ints, q: float) -> float:
    """The nearest-rank quantile, in the unit of `values`; ``q=0`` is the smallest value.

    Raises ValueError for a `q` outside 0..1, or without samples (never zero for missing data).
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
    `values`; 60 to 200 blocks are best. The exact binomial ranks are those of as many independent
    samples as these are worth (n over the design effect), because requests that share a moment
    also share its troubles. With one block nothing is known of correlation and the samples are
    taken as independent; a few make an interval that is honestly wide. Coverage:
    docs/statistics.md.

    Where the upper rank lies outside the sample, the bound is the lowest value above which so few
    samples lie that, by the correlation of *those*, their share is below ``1 - q``: one burst may
    be the whole tail, and say nothing of values that it never reached. A bound that cannot be had
    this way either is None. Raises ValueError without samples.
    """
    pooled = block_counts.sum(axis=0)
    n = _total(pooled)
    effect = design_effect(values, block_counts, quantile(values, pooled, q), confidence)
    worth = max(1, math.floor(n / effect))
    tail = (1.0 - confidence) / 2.0
    below = q * worth - binomial_quantile(tail, worth, q)
    above = binomial_quantile(1.0 - tail, worth, q) + 1.0 - q * worth
    low, high = math.floor(q * n - below * n / worth), math.ceil(q * n + above * n / worth - 1e-9)
    cumulative = np.cumsum(pooled)
    return Interval(
        _at_rank(values, cumulative, low) if low >= 1 else None,
        _at_rank(values, cumulative, high)
        if high <= n
        else _rarely_exceeded(values, block_counts, q, confidence),
    )


def _rarely_exceeded(
    values: Floats, block_counts: Ints, q: float, confidence: float
) -> float | None:
    """The lowest value whose share above is below ``1 - q``, each judged by its own correlation.

    The test is the binomial's at a share of ``1 - q`` (as Clopper and Pearson's bound), of as many
    samples as those above the value are worth: what it keeps, docs/statistics.md shows.
    """
    above = np.cumsum(block_counts.sum(axis=0)[::-1])[::-1]
    above = np.append(above[1:], 0)
    n, tail = _total(block_counts), (1.0 - confidence) / 2.0
    first, last = int(np.searchsorted(-above, -(1.0 - q) * n)), len(values) - 1
    enough = max(first, int(np.searchsorted(-above, -_CORRELATED_FROM, side="right")) - 1)

    @cache
    def effect(place: int) -> float:
        # So few say nothing of their correlation: it is taken to be that of the last enough.
        at = float(values[min(place, enough)])
        return design_effect(values, block_counts, at, confidence)

    def exceeds(place: int) -> bool:
        worth = n / effect(place)
        seen = above[place] * worth / n
        return bool(seen >= worth or binomial_at_most(seen, worth, 1.0 - q) > tail)

    if exceeds(last):
        return None
    while first < last:
        middle = (first + last) // 2
        first, last = (middle + 1, last) if exceeds(middle) else (first, middle)
    return float(values[last])


def _at_rank(values: Floats, cumulative: Ints, rank: int) -> float:
    return float(values[np.searchsorted(cumulative, rank)])


def _total(counts: Ints) -> int:
    n = int(counts.sum())
    if n == 0:
        raise ValueError("no samples: a percentile of nothing does not exist")
    return n
