"""Latency histograms in HdrHistogram's layout: whole µs, 3 significant digits, up to one hour.

The bucket layout follows the HdrHistogram reference implementation (G. Tene,
https://github.com/HdrHistogram/HdrHistogram). The ``hdrhistogram`` package decodes one
histogram in about 0.7 ms; a 48-hour recording holds more than 200,000 of them, so only the
occupied buckets are kept, and ``wire.py`` encodes and decodes with numpy. The package is the
oracle in the tests.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recording.arrays import Floats, Ints

LOWEST_US = 1
HIGHEST_US = 3_600_000_000
_HALF_BITS = 10  # 1,024 sub-buckets per power of two: a bucket is at most 0.1 % wide
_HALF = 1 << _HALF_BITS


def bucket_index(values_us: npt.ArrayLike) -> Ints:
    """HdrHistogram's counts-array index of each value; values are clipped to [1 µs, 1 h]."""
    values = np.clip(np.asarray(values_us, dtype=np.int64), LOWEST_US, HIGHEST_US)
    # frexp's exponent is the bit length for anything a double holds exactly (< 2**53).
    bit_length = np.frexp((values | (2 * _HALF - 1)).astype(np.float64))[1].astype(np.int64)
    bucket = bit_length - (_HALF_BITS + 1)
    return (bucket << _HALF_BITS) + (values >> bucket)


BUCKETS = int(bucket_index(HIGHEST_US)) + 1
"""How many buckets there are: the length of a dense array of counts."""


def _middles() -> Floats:
    indices = np.arange(BUCKETS)
    bucket = np.maximum((indices >> _HALF_BITS) - 1, 0)
    low, width = (indices - (bucket << _HALF_BITS)) << bucket, np.int64(1) << bucket
    return np.asarray(low + (width - 1) / 2, dtype=np.float64)


_MIDDLES = _middles()


def bucket_mid_us(indices: Ints) -> Floats:
    """The middle of each bucket, µs: what a recorded value is read back as (error ≤ 0.05 %)."""
    return _MIDDLES[indices]


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Occupied buckets only: ``indices`` ascending and unique, ``counts`` positive."""

    indices: Ints
    counts: Ints

    @property
    def n(self) -> int:
        """Number of recorded values."""
        return int(self.counts.sum())

    @property
    def max_us(self) -> float:
        """Middle of the highest occupied bucket, µs; 0 when empty."""
        return float(bucket_mid_us(self.indices[-1:])[0]) if self.indices.size else 0.0

    @property
    def values_us(self) -> Floats:
        """What the values of each occupied bucket are read back as, µs."""
        return bucket_mid_us(self.indices)

    @classmethod
    def from_values(cls, values_us: npt.ArrayLike) -> "Histogram":
        """The histogram of raw values in µs."""
        indices, counts = np.unique(bucket_index(values_us), return_counts=True)
        return cls(indices, counts.astype(np.int64))

    def less(self, us: float) -> "Histogram":
        """Of the same values, each so much smaller; none is below the lowest bucket."""
        if not us or not self.indices.size:
            return self
        indices = bucket_index(np.rint(np.maximum(self.values_us - us, 0.0)))
        counts = np.bincount(indices, self.counts)
        kept = np.flatnonzero(counts)
        return Histogram(kept, counts[kept].astype(np.int64))


def merge(histograms: Iterable[Histogram]) -> Histogram:
    """The histogram of the union of all recorded values."""
    parts = list(histograms)
    if len(parts) == 1:
        return parts[0]
    total = np.zeros(BUCKETS, np.int64)
    for part in parts:
        total[part.indices] += part.counts  # a histogram lists each bucket once
    indices = np.flatnonzero(total)
    return Histogram(indices, total[indices])
