"""How many times the variance of a share exceeds that of as many independent requests.

Requests that share a moment share its troubles, and a moment resembles the next: of such requests
a run knows less than it counts. How much less is the noise of a mean over the run, which is the
spectrum of its course at frequency zero, just where nobody can look. From the lowest frequencies
that can be seen it follows by the *shape* of the spectrum, and a run that holds a few independent
stretches only does not tell the shapes apart. So the answer is an average over shapes, weighted
by how well each explains the run: white noise, and white noise plus AR(1) of several lengths and
strengths. Under each the mean over its standard error is Student's t (equal-weighted cosines:
Lazarus, Lewis, Stock and Watson, "HAR Inference: Recommendations for Practice", JBES 36, 2018; that
strong correlation needs the shape: Müller, "HAC Corrections for Strongly Autocorrelated Time
Series", JBES 32, 2014).

What a few slow requests of a tail cannot show, the many around the median can: whether the run
wanders at all. That evidence speaks for correlation in full and against it a little only, since a
tail may wander alone.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp, stdtr

from analysis.statistics.distributions import normal_quantile
from recording.arrays import Bools, Floats, Ints

# Cosines: more make better use of runs whose noise is white, fewer withstand shapes unlike ours.
_COSINES = 24
# The longest correlation that is allowed for: AR(1) of 0.95 between blocks, whose time is 20
# blocks; of a short run, a third of it.
_LONGEST_BLOCKS, _SHORTEST_RUN = 20.0, 3.0
# Lengths of the run in correlation times, over that of the longest, and how likely each is before
# the run is seen. The first lies beyond what is promised, so that what is promised holds.
_LENGTHS, _LENGTH_ODDS = (0.4, 1.0, 3.0), (3.0, 1.0, 1.0)
# How many times the wandering exceeds the white noise in the variance of the mean.
_STRENGTHS = (1.0, 3.0, 8.0, 25.0, 100.0, 1000.0)
# Probability of white noise before the run is seen, and the most that the requests around the
# median say against a wandering tail: chosen with the numbers above by simulation, so that
# intervals hold (benchmarks/studies/percentile_coverage.py).
_WHITE, _LEAST_ODDS = 0.4, 0.3
_TINY = 1e-12
_WIDEST, _HALVINGS = 1e6, 30


class _Shapes(NamedTuple):
    """Spectra at frequency zero and the cosines' (a row per shape), and their log probability."""

    zero: Floats
    cosines: Floats
    log_prior: Floats


def design_effect(values: Floats, block_counts: Ints, at: float, confidence: float = 0.95) -> float:
    """Design effect of the share of samples above `at`: at least 1, for intervals of `confidence`.

    `block_counts` has one row per block of time, of equal length and in order. With one block
    nothing is known of correlation and the samples are taken as independent. Doubt about the
    effect itself is in it: it is the square of what an interval of independent samples has to be
    widened by, and larger for a higher confidence.
    """
    above = _cosines(block_counts, values > at)
    if above is None:
        return 1.0
    shapes = _shapes(len(block_counts))
    weights = shapes.log_prior + _log_likelihood(above, shapes)
    weights[1:] += _evidence(values, block_counts, shapes)
    weights = np.exp(weights - logsumexp(weights))
    scales = np.sqrt(shapes.zero * _misfit(above, shapes) / above.size)
    tail = (1.0 - confidence) / 2.0
    widest = _mixture_quantile(tail, weights, scales, above.size)
    return max(1.0, widest / normal_quantile(1.0 - tail)) ** 2


def _cosines(block_counts: Ints, above: Bools) -> Floats | None:
    """First cosine transforms of the share's course, each of variance 1 were it white; None
    where there is no course.

    Scores of the ratio estimator (Kish, Survey Sampling, 1965, section 6.3) allow blocks of
    unequal count.
    """
    sizes = block_counts.sum(axis=1).astype(np.float64)
    counts = (block_counts @ above).astype(np.float64)
    n, blocks = float(sizes.sum()), len(sizes)
    share = counts.sum() / n if n else 0.0
    if blocks < 2 or not 0.0 < share < 1.0:
        return None
    transforms = _transform(blocks)[1:] @ (counts - share * sizes)
    return np.asarray(transforms / math.sqrt(n * share * (1.0 - share)))


def _evidence(values: Floats, block_counts: Ints, shapes: _Shapes) -> float:
    """Log odds for wandering that the requests around the median add."""
    cumulative = np.cumsum(block_counts.sum(axis=0))
    above_median = np.arange(values.size) > np.searchsorted(cumulative, cumulative[-1] / 2)
    median = _cosines(block_counts, above_median)
    if median is None:
        return 0.0
    log_likelihood = _log_likelihood(median, shapes)
    prior = shapes.log_prior[1:] - logsumexp(shapes.log_prior[1:])
    wandering = logsumexp(log_likelihood[1:] + prior)
    return max(math.log(_LEAST_ODDS), float(wandering - log_likelihood[0]))


def _misfit(transforms: Floats, shapes: _Shapes) -> Floats:
    squares = np.square(transforms) @ (1.0 / shapes.cosines).T
    return np.asarray(np.maximum(squares, _TINY))


def _log_likelihood(transforms: Floats, shapes: _Shapes) -> Floats:
    """Of each shape, whatever its scale."""
    fit = np.log(_misfit(transforms, shapes)) * transforms.size
    return np.asarray(-0.5 * (np.log(shapes.cosines).sum(axis=1) + fit))


def _mixture_quantile(tail: float, weights: Floats, scales: Floats, degrees: int) -> float:
    """What a mixture of Student's t exceeds with probability `tail`; at least 1."""
    low, high = 0.0, math.log(_WIDEST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        beyond = weights @ stdtr(degrees, -math.exp(middle) / scales)
        low, high = (middle, high) if beyond > tail else (low, middle)
    return math.exp(high)


@lru_cache(maxsize=64)
def _transform(blocks: int) -> Floats:
    """The mean and the first cosines, of which white noise has transforms of equal variance."""
    cosines = np.arange(min(blocks - 1, _COSINES) + 1)
    phases = np.outer(cosines, (np.arange(blocks) + 0.5) / blocks)
    return np.asarray(np.where(cosines, math.sqrt(2.0), 1.0)[:, None] * np.cos(np.pi * phases))


@lru_cache(maxsize=64)
def _shapes(blocks: int) -> _Shapes:
    """White noise first; then each strength of each length of AR(1) on top of it."""
    shortest = max(_SHORTEST_RUN, blocks / _LONGEST_BLOCKS)
    spectra, odds = [np.ones(min(blocks - 1, _COSINES) + 1)], [_WHITE]
    for length, likely in zip(_LENGTHS, _LENGTH_ODDS, strict=True):
        wandering = _wandering(blocks, length * shortest)
        for strength in _STRENGTHS:
            spectra.append(1.0 + strength * wandering)
            odds.append((1.0 - _WHITE) * likely / sum(_LENGTH_ODDS) / len(_STRENGTHS))
    found = np.array(spectra)
    return _Shapes(found[:, 0], found[:, 1:], np.log(odds))


def _wandering(blocks: int, length: float) -> Floats:
    """Spectrum of AR(1) in a run of `length` correlation times, that of the mean being 1."""
    moments = np.arange(blocks)
    correlation = np.exp(-length / blocks * np.abs(moments[:, None] - moments))
    transform = _transform(blocks)
    power = ((transform @ correlation) * transform).sum(axis=1)
    return np.asarray(power / power[0])
