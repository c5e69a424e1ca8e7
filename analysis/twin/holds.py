"""How long connections are held: a histogram, and what is drawn from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy  # its parts load when they are used

from recording.arrays import Floats
from recording.histogram import Histogram

_PARTS = 16
"""Into which a bucket is cut."""
_FIRST, _OPEN = 1 / 8, 2.0
"""The first bucket begins and the last one ends nowhere: values are taken to lie above this share
of the first bound, and below so many times the last one."""
_STEEPEST, _HALVINGS = 60.0, 50


@dataclass(frozen=True, slots=True, eq=False)
class Holds:
    """``n`` hold times that were seen: shares ``weights`` of them from ``low_s`` to ``high_s``.

    Where both are the same, it is a single value.
    """

    low_s: Floats
    high_s: Floats
    weights: Floats
    n: int

    @classmethod
    def from_buckets(cls, bounds_s: npt.ArrayLike, counts: npt.ArrayLike, mean_s: float) -> Holds:
        """Of Prometheus' buckets: inclusive upper bounds, ascending, the last one inf.

        ``counts`` are of each bucket alone, ``mean_s`` is the histogram's sum over its count.
        Between the bounds the share of shorter holds is a monotone cubic of the logarithm of time
        (Fritsch and Carlson, 1980): evenly filled buckets as wide as these would make the variance
        of bell-shaped holds up to twice what it is. Then each bucket is tilted alike, until the
        mean is the recorded one: none gains or loses a value.
        """
        bounds, grown = np.asarray(bounds_s, float), np.asarray(counts, float)
        edges = np.log(np.concatenate(([_FIRST * bounds[0]], bounds[:-1], [_OPEN * bounds[-2]])))
        shorter = scipy.interpolate.PchipInterpolator(
            edges, np.concatenate(([0.0], np.cumsum(grown)))
        )
        steps = np.arange(_PARTS + 1) / _PARTS
        places = edges[:-1, None] + np.diff(edges)[:, None] * steps
        inside = np.maximum(0.0, np.diff(shorter(places), axis=1))
        low_s, high_s = np.exp(places[:, :-1]), np.exp(places[:, 1:])
        weights = _tilted(inside, grown, (low_s + high_s) / 2, mean_s).ravel()
        there = weights > 0
        n = round(float(grown.sum()))
        return cls(low_s.ravel()[there], high_s.ravel()[there], weights[there] / weights.sum(), n)

    @classmethod
    def from_values(cls, values_s: npt.ArrayLike) -> Holds:
        """Of single hold times, s."""
        values, counts = np.unique(np.asarray(values_s, float), return_counts=True)
        return cls(values, values, counts / counts.sum(), int(counts.sum()))

    @classmethod
    def from_histogram(cls, histogram: Histogram) -> Holds:
        """Of a recorded histogram, whose buckets are too narrow to matter."""
        values_s, n = histogram.values_us / 1e6, histogram.n
        return cls(values_s, values_s, histogram.counts / n, n)

    @property
    def mean_s(self) -> float:
        """Their mean."""
        return float((self.low_s + self.high_s) @ self.weights) / 2

    @property
    def squared_cv(self) -> float:
        """Squared coefficient of variation: variance over squared mean."""
        low, high = self.low_s, self.high_s
        squares = (low * low + low * high + high * high) / 3
        return max(0.0, float(squares @ self.weights) / self.mean_s**2 - 1.0)

    def scaled(self, factor: float) -> Holds:
        """All of them, so many times as long."""
        return Holds(factor * self.low_s, factor * self.high_s, self.weights, self.n)

    def seen_again(self, rng: np.random.Generator) -> Holds:
        """As many, drawn anew from these: the histogram that another recording might have had."""
        weights = rng.multinomial(self.n, self.weights) / self.n
        return Holds(self.low_s, self.high_s, weights, self.n)

    def draw_s(self, rng: np.random.Generator, n: int) -> Floats:
        """`n` hold times, independent of each other."""
        edges = np.cumsum(self.weights)
        bucket = np.searchsorted(edges, rng.uniform(0.0, float(edges[-1]), n), side="right")
        low, high = self.low_s[bucket], self.high_s[bucket]
        return np.asarray(low + (high - low) * rng.random(n))


def _tilted(inside: Floats, counts: Floats, middle_s: Floats, mean_s: float) -> Floats:
    """Weights within each bucket that have this mean, or come nearest to it, by bisection."""
    place = (np.arange(_PARTS) + 0.5) / _PARTS - 0.5
    low, high = -_STEEPEST, _STEEPEST
    for _ in range(_HALVINGS):
        steepness = (low + high) / 2
        weights = inside * np.exp(steepness * place)
        weights *= (counts / np.maximum(weights.sum(axis=1), 1e-300))[:, None]
        heavier = float((weights * middle_s).sum()) > mean_s * counts.sum()
        low, high = (low, steepness) if heavier else (steepness, high)
    return np.asarray(weights)
