"""Latency from published percentiles.

p50, p95, p99 and max of a real endpoint do not lie on one lognormal curve, so the curve goes
through all of them: log latency over the normal score z = inv_cdf(q), interpolated with a
monotone cubic above the median and with a straight line below it. The slope of that line is
the one freedom left; it is solved so that the mean comes out as published too.
"""

import math
import zlib
from collections.abc import Iterator
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from mock_services.kit.settings import Quantiles

FloatArray = NDArray[np.float64]

Q_MAX = 1 - 1e-5
"""The published maximum stands at this quantile: one in 100,000 requests reaches it."""

BATCH = 4096
SLOPE_MAX = 2.5
_NORMAL = NormalDist()


def monotone_slopes(x: FloatArray, y: FloatArray) -> FloatArray:
    """Derivatives at the knots that keep a cubic monotone (Fritsch and Butland, 1984).

    The same rule as scipy's PchipInterpolator, without importing scipy into every service.
    """
    h = np.diff(x)
    slope = np.diff(y) / h
    d = np.zeros_like(y)
    for k in range(1, len(y) - 1):
        left, right = slope[k - 1], slope[k]
        if left * right > 0:
            w1, w2 = 2 * h[k] + h[k - 1], h[k] + 2 * h[k - 1]
            d[k] = (w1 + w2) / (w1 / left + w2 / right)
    d[0] = _end_slope(h[0], h[1], slope[0], slope[1])
    d[-1] = _end_slope(h[-1], h[-2], slope[-1], slope[-2])
    return d


def _end_slope(h0: float, h1: float, s0: float, s1: float) -> float:
    """Three-point derivative at an end, limited so that the curve stays monotone."""
    d = ((2 * h0 + h1) * s0 - h0 * s1) / (h0 + h1)
    if d * s0 <= 0:
        return 0.0
    if s0 * s1 <= 0 and abs(d) > abs(3 * s0):
        return 3 * s0
    return float(d)


class LatencyCurve:
    """The quantile function of one endpoint's latency."""

    __slots__ = ("_d", "_x", "_y", "lower_slope")

    def __init__(self, quantiles: Quantiles) -> None:
        published = (quantiles.p50_ms, quantiles.p95_ms, quantiles.p99_ms, quantiles.max_ms)
        self._x = np.array([0.0, *(_NORMAL.inv_cdf(q) for q in (0.95, 0.99, Q_MAX))])
        self._y = np.log(np.array(published))
        self._d = monotone_slopes(self._x, self._y)
        self.lower_slope = self._solve_lower_slope(quantiles)

    def log_ms(self, z: FloatArray) -> FloatArray:
        """Log of the latency in ms at normal scores `z`; never above log(max_ms)."""
        x, y, d = self._x, self._y, self._d
        k = np.clip(np.searchsorted(x, z, side="right") - 1, 0, len(x) - 2)
        h = x[k + 1] - x[k]
        t = (np.clip(z, 0.0, x[-1]) - x[k]) / h
        rise = y[k + 1] - y[k]
        a = h * d[k] - rise
        b = -h * d[k + 1] + rise
        upper = y[k] + t * rise + t * (1 - t) * (a * (1 - t) + b * t)
        lower = y[0] + self.lower_slope * z
        return np.asarray(np.where(z < 0, lower, np.minimum(upper, y[-1])))

    def value_ms(self, q: float) -> float:
        """Latency in ms at quantile `q`, 0 < q < 1."""
        return float(np.exp(self.log_ms(np.array([_NORMAL.inv_cdf(q)])))[0])

    def mean_ms(self) -> float:
        """Mean of the curve in ms."""
        return self._upper_mean() + self._lower_mean(self.lower_slope)

    def _upper_mean(self) -> float:
        """Share of the mean that comes from above the median (trapezoids, error < 1e-6)."""
        z = np.linspace(0.0, float(self._x[-1]), 4001)
        density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        area = float(np.trapezoid(np.exp(self.log_ms(z)) * density, z))
        return area + math.exp(self._y[-1]) * (1 - Q_MAX)

    def _lower_mean(self, slope: float) -> float:
        """Integral of p50 * exp(slope*z) over z < 0: half of a lognormal, in closed form."""
        return float(np.exp(self._y[0])) * math.exp(slope * slope / 2) * _NORMAL.cdf(-slope)

    def _solve_lower_slope(self, quantiles: Quantiles) -> float:
        if quantiles.mean_ms is None:
            return float((self._y[1] - self._y[0]) / (self._x[1] - self._x[0]))
        self.lower_slope = 0.0
        wanted = quantiles.mean_ms - self._upper_mean()
        low, high = 0.0, SLOPE_MAX  # the lower half's mean falls as the slope grows
        for _ in range(50):
            middle = (low + high) / 2
            if self._lower_mean(middle) > wanted:
                low = middle
            else:
                high = middle
        return (low + high) / 2


class LatencySampler:
    """Draws latencies of one endpoint, in batches, so that one draw costs about 50 ns.

    The sequence depends on (seed, endpoint) only: other endpoints' traffic does not shift it.
    """

    __slots__ = ("_curve", "_rng", "_scale_s", "draw_s")

    def __init__(self, seed: int, endpoint: str, quantiles: Quantiles, scale: float = 1.0) -> None:
        self._rng = np.random.default_rng([seed, zlib.crc32(endpoint.encode())])
        self.configure(quantiles, scale)

    def configure(self, quantiles: Quantiles, scale: float) -> None:
        """Draw from another curve from now on; the random stream goes on where it was."""
        self._curve = LatencyCurve(quantiles)
        self._scale_s = scale / 1000.0
        self.draw_s = self._stream().__next__
        """Next latency in seconds."""

    def batch_s(self, n: int) -> FloatArray:
        """The next `n` latencies in seconds."""
        z = self._rng.standard_normal(n)
        return np.asarray(np.exp(self._curve.log_ms(z)) * self._scale_s)

    def _stream(self) -> Iterator[float]:
        while True:
            yield from self.batch_s(BATCH).tolist()
