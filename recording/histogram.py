"""Latency histograms in HdrHistogram's layout: whole µs, 3 significant digits, up to one hour.

Bucket layout and V2 wire format follow the HdrHistogram reference implementation (G. Tene,
https://github.com/HdrHistogram/HdrHistogram). The ``hdrhistogram`` package decodes one
histogram in about 0.7 ms; a 48-hour recording holds more than 200,000 of them, so this module
keeps only the occupied buckets and encodes and decodes with numpy. The package is the oracle
in the tests.
"""

import base64
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

SIGNIFICANT_DIGITS = 3
LOWEST_US = 1
HIGHEST_US = 3_600_000_000
_HALF_BITS = 10  # 1,024 sub-buckets per power of two: a bucket is at most 0.1 % wide
_HALF = 1 << _HALF_BITS
_V2_COOKIE = 0x1C849313
_V2_COMPRESSED_COOKIE = 0x1C849314
_HEADER = struct.Struct(">iiiiqqd")
_ENVELOPE = struct.Struct(">ii")


def bucket_index(values_us: npt.ArrayLike) -> Ints:
    """HdrHistogram's counts-array index of each value; values are clipped to [1 µs, 1 h]."""
    values = np.clip(np.asarray(values_us, dtype=np.int64), LOWEST_US, HIGHEST_US)
    # frexp's exponent is the bit length for anything a double holds exactly (< 2**53).
    bit_length = np.frexp((values | (2 * _HALF - 1)).astype(np.float64))[1].astype(np.int64)
    bucket = bit_length - (_HALF_BITS + 1)
    return (bucket << _HALF_BITS) + (values >> bucket)


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
    if not parts:
        return Histogram.empty()
    if len(parts) == 1:
        return parts[0]
    every = np.concatenate([h.indices for h in parts])
    counts = np.concatenate([h.counts for h in parts])
    indices, where = np.unique(every, return_inverse=True)
    total = np.zeros(indices.size, np.int64)
    np.add.at(total, where, counts)
    return Histogram(indices, total)


def encode(histogram: Histogram) -> str:
    """HdrHistogram V2, compressed, base64: what stands in a histogram log."""
    payload = _zigzag_leb128(_runs(histogram))
    header = _HEADER.pack(
        _V2_COOKIE, len(payload), 0, SIGNIFICANT_DIGITS, LOWEST_US, HIGHEST_US, 1.0
    )
    packed = zlib.compress(header + payload, 1)
    return base64.b64encode(_ENVELOPE.pack(_V2_COMPRESSED_COOKIE, len(packed)) + packed).decode()


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


def _zigzag_leb128(numbers: Iterable[int]) -> bytes:
    out = bytearray()
    for number in numbers:
        rest = (number << 1) if number >= 0 else ((-number << 1) - 1)
        while rest > 0x7F:
            out.append((rest & 0x7F) | 0x80)
            rest >>= 7
        out.append(rest)
    return bytes(out)


def decode(text: str) -> Histogram:
    """The histogram of one base64 text. Raises ValueError when it is damaged."""
    return decode_many([text])[0]


def decode_many(texts: Sequence[str]) -> list[Histogram]:
    """The histograms of many base64 texts at once, vectorised over all of them.

    Raises ValueError when one is damaged or of another resolution than ours.
    """
    payloads = [_payload(text) for text in texts]
    sizes = np.array([len(p) for p in payloads], np.int64)
    if not sizes.sum():
        return [Histogram.empty() for _ in payloads]
    numbers, ends = _unzigzag_leb128(b"".join(payloads))
    owner = np.searchsorted(np.cumsum(sizes), ends, side="right")
    advance = np.where(numbers < 0, -numbers, 1)
    position = np.cumsum(advance) - advance
    firsts = np.searchsorted(owner, np.arange(len(payloads)))
    offset = position[np.minimum(firsts, position.size - 1)]
    indices = position - offset[owner]
    kept = numbers > 0
    cuts = np.searchsorted(owner[kept], np.arange(1, len(payloads)))
    return [
        Histogram(i, c)
        for i, c in zip(np.split(indices[kept], cuts), np.split(numbers[kept], cuts), strict=True)
    ]


def _payload(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
        cookie, length = _ENVELOPE.unpack_from(raw)
        data = zlib.decompress(raw[_ENVELOPE.size : _ENVELOPE.size + length])
        inner, size, offset, digits, lowest, _highest, _ratio = _HEADER.unpack_from(data)
    except (ValueError, struct.error, zlib.error) as error:
        raise ValueError(f"damaged histogram: {error}") from error
    if (cookie, inner) != (_V2_COMPRESSED_COOKIE, _V2_COOKIE):
        raise ValueError("damaged histogram: not HdrHistogram V2")
    if (offset, digits, lowest) != (0, SIGNIFICANT_DIGITS, LOWEST_US):
        raise ValueError(f"histogram of {digits} digits from {lowest}: not one of loadgate's")
    return data[_HEADER.size : _HEADER.size + size]


def _unzigzag_leb128(payload: bytes) -> tuple[Ints, Ints]:
    """The signed numbers of a payload and the byte offset each ends at."""
    octets = np.frombuffer(payload, np.uint8).astype(np.int64)
    ends = np.flatnonzero(octets < 0x80)
    if not ends.size or ends[-1] != octets.size - 1:
        raise ValueError("damaged histogram: last number is cut off")
    starts = np.concatenate([[0], ends[:-1] + 1])
    place = np.arange(octets.size) - np.repeat(starts, ends - starts + 1)
    if place.max() > 8:
        raise ValueError("damaged histogram: a number of more than 9 bytes")
    raw = np.add.reduceat((octets & 0x7F) << (7 * place), starts)
    return (raw >> 1) * np.where(raw & 1, -1, 1) - (raw & 1), ends.astype(np.int64)
