"""The shape of a latency: a curve through published percentiles, and which means it can have.

p50, p95, p99 and max of a real endpoint do not lie on one lognormal curve, so the curve goes
through all of them: log latency over the normal score z = inv_cdf(q), interpolated with a
monotone cubic above the median and with a straight line below it. The slope of that line is
the one freedom left; it is solved so that the mean comes out as published too.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from statistics import NormalDist

Q_MAX = 1 - 1e-5
"""The published maximum stands at this quantile: one in 100,000 requests reaches it."""

SLOPE_MAX = 2.5
PANELS = 4000
"""Trapezoids under the curve above the median."""
_NORMAL = NormalDist()
KNOTS = (0.0, *(_NORMAL.inv_cdf(q) for q in (0.95, 0.99, Q_MAX)))


def monotone_slopes(x: Sequence[float], y: Sequence[float]) -> tuple[float, ...]:
    """Derivatives at the knots that keep a cubic monotone (Fritsch and Butland, 1984).

    The same rule as scipy's PchipInterpolator, without importing scipy into every service.
    """
    h = [b - a for a, b in pairwise(x)]
    slope = [(y[k + 1] - y[k]) / h[k] for k in range(len(h))]
    inner = []
    for k in range(1, len(h)):
        left, right = slope[k - 1], slope[k]
        w1, w2 = 2 * h[k] + h[k - 1], h[k] + 2 * h[k - 1]
        inner.append((w1 + w2) / (w1 / left + w2 / right) if left * right > 0 else 0.0)
    first = _end_slope(h[0], h[1], slope[0], slope[1])
    return (first, *inner, _end_slope(h[-1], h[-2], slope[-1], slope[-2]))


def _end_slope(h0: float, h1: float, s0: float, s1: float) -> float:
    """Three-point derivative at an end, limited so that the curve stays monotone."""
    d = ((2 * h0 + h1) * s0 - h0 * s1) / (h0 + h1)
    if d * s0 <= 0:
        return 0.0
    if s0 * s1 <= 0 and abs(d) > abs(3 * s0):
        return 3 * s0
    return d


@dataclass(frozen=True)
class Shape:
    """By its percentiles in ms, which do not decrease."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float

    @cached_property
    def logs(self) -> tuple[float, ...]:
        """Of the percentiles; they stand at ``KNOTS``."""
        return tuple(map(math.log, (self.p50_ms, self.p95_ms, self.p99_ms, self.max_ms)))

    @cached_property
    def slopes(self) -> tuple[float, ...]:
        """Of the curve at ``KNOTS``."""
        return monotone_slopes(KNOTS, self.logs)

    def means_ms(self) -> tuple[float, float]:
        """The least and the greatest mean that the half below the median can bring about."""
        return self.mean_ms(SLOPE_MAX), self.mean_ms(0.0)

    def mean_ms(self, lower_slope: float) -> float:
        """Mean of the curve with this slope below the median."""
        return _upper_mean(self) + self._lower_mean(lower_slope)

    def lower_slope(self, mean_ms: float | None) -> float:
        """That with which this mean comes out; without one the line from p50 to p95 goes on."""
        if mean_ms is None:
            return (self.logs[1] - self.logs[0]) / (KNOTS[1] - KNOTS[0])
        low, high = 0.0, SLOPE_MAX  # the lower half's mean falls as the slope grows
        for _ in range(50):
            middle = (low + high) / 2
            if self.mean_ms(middle) > mean_ms:
                low = middle
            else:
                high = middle
        return (low + high) / 2

    def _lower_mean(self, slope: float) -> float:
        """Integral of p50 * exp(slope*z) over z < 0: half of a lognormal, in closed form."""
        return self.p50_ms * math.exp(slope * slope / 2) * _NORMAL.cdf(-slope)


@lru_cache(maxsize=256)
def _upper_mean(shape: Shape) -> float:
    """Share of the mean that comes from above the median (trapezoids, error < 1e-6)."""
    step = KNOTS[-1] / PANELS
    area = sum(_density(shape, i * step) for i in range(1, PANELS))
    area += (_density(shape, 0.0) + _density(shape, KNOTS[-1])) / 2
    return area * step / math.sqrt(2 * math.pi) + shape.max_ms * (1 - Q_MAX)


def _density(shape: Shape, z: float) -> float:
    """Latency times exp(-z²/2) at a normal score from 0 to the last knot."""
    k = min(bisect_right(KNOTS, z), len(KNOTS) - 1) - 1
    h = KNOTS[k + 1] - KNOTS[k]
    t = (z - KNOTS[k]) / h
    rise = shape.logs[k + 1] - shape.logs[k]
    a, b = h * shape.slopes[k] - rise, rise - h * shape.slopes[k + 1]
    log_ms = shape.logs[k] + t * rise + t * (1 - t) * (a * (1 - t) + b * t)
    return math.exp(log_ms - z * z / 2)
