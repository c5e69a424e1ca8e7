"""Latency drawn from published percentiles, on the curve of `mock_services/kit/curve.py`."""

import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mock_services.kit.curve import KNOTS
from mock_services.kit.settings import Quantiles

FloatArray = NDArray[np.float64]

BATCH = 4096


class LatencyCurve:
    """The quantile function of one endpoint's latency."""

    __slots__ = ("_d", "_shape", "_x", "_y", "lower_slope")

    def __init__(self, quantiles: Quantiles) -> None:
        self._shape = quantiles.shape
        self._x = np.array(KNOTS)
        self._y = np.array(self._shape.logs)
        self._d = np.array(self._shape.slopes)
        self.lower_slope = self._shape.lower_slope(quantiles.mean_ms)

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

    def mean_ms(self) -> float:
        """Mean of the curve in ms."""
        return self._shape.mean_ms(self.lower_slope)


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
