"""Latency histograms in HdrHistogram's layout: whole µs, 3 significant digits, up to one hour.

Bucket layout and V2 wire format follow the HdrHistogram reference implementation (G. Tene,
https://github.com/HdrHistogram/HdrHistogram). The ``hdrhistogram`` package decodes one
histogram in about 0.7 ms; a 48-hour recording holds more than 200,000 of them, so this module
keeps only the occupied buckets and encodes and decodes with numpy. The package is the oracle
in the tests.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recording import wire
from recording.wire import HIGHEST_US, LOWEST_US, Ints

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


def bucket_low_us(indices: Ints) -> Ints:
    """The smallest value of each bucket, µs."""
    bucket = np.maximum((indices >> _HALF_BITS) - 1, 0)
    low: Ints = (indices - (bucket << _HALF_BITS)) << bucket
    return low


def bucket_mid_us(indices: Ints) -> npt.NDArray[np.float64]:
    """The middle of each bucket, µs: what a recorded value is read back as (error ≤ 0.05 %)."""
    width = np.int64(1) << np.maximum((indices >> _HALF_BITS) - 1, 0)
    mid = bucket_low_us(indices) + (width - 1) / 2
    return np.asarray(mid, dtype=np.float64)


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
    def values_us(self) -> npt.NDArray[np.float64]:
        """What the values of each occupied bucket are read back as, µs."""
        return bucket_mid_us(self.indices)

    @classmethod
    def empty(cls) -> "Histogram":
        """No values."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64))

    @classmethod
    def from_values(cls, values_us: npt.ArrayLike) -> "Histogram":
        """The histogram of raw values in µs."""
        indices, counts = np.unique(bucket_index(values_us), return_counts=True)
        return cls(indices, counts.astype(np.int64))


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


def encode(histogram: Histogram) -> str:
    """HdrHistogram V2, compressed, base64: what stands in a histogram log."""
    return wire.pack(_runs(histogram))


def _runs(histogram: Histogram) -> list[int]:
    """Counts in index order, a run of n > 1 empty buckets as -n, as the V2 format has it."""
    runs: list[int] = []
    expected = 0
    for index, count in zip(histogram.indices.tolist(), histogram.counts.tolist(), strict=True):
        if gap := index - expected:
            runs.append(-gap if gap > 1 else 0)
        runs.append(count)
        expected = index + 1
    return runs


def decode(text: str | bytes) -> Histogram:
    """The histogram of one base64 text. Raises ValueError as `add_up` does."""
    counts = add_up([text])
    indices = np.flatnonzero(counts)
    return Histogram(indices, counts[indices])


def add_up(texts: Sequence[str | bytes]) -> Ints:
    """Counts of all buckets over many base64 texts together, much faster than one by one.

    Raises ValueError when one is damaged or of another resolution than ours.
    """
    total = np.zeros(BUCKETS, np.int64)
    counts = wire.add_up(texts)
    if counts[BUCKETS:].any():
        raise ValueError("damaged histogram: a bucket beyond the highest value")
    counts = counts[:BUCKETS]
    total[: counts.size] = counts
    return total
