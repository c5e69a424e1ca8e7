"""Histograms of HdrHistogram's log files, of any version and layout.

Formats V0, V1 and V2 as ``AbstractHistogram.java`` of the reference implementation reads them (G.
Tene, https://github.com/HdrHistogram/HdrHistogram): a cookie, of which four bits are the size of a
count, a header, and the counts in bucket order; in V2 zigzag LEB128 numbers, of which -n stands for
n empty buckets. ``recording/wire.py`` reads one layout of V2, much faster.
"""

import binascii
import struct
import zlib
from dataclasses import dataclass

import numpy as np

from recording.arrays import Ints

_V0, _V1, _V2 = 0x1C849308, 0x1C849301, 0x1C849303
_COMPRESSED = {_V0 + 1: _V0, _V1 + 1: _V1, _V2 + 1: _V2}
_SIZE_BITS = 0xF0
_V0_HEADER, _HEADER = struct.Struct(">iiqqq"), struct.Struct(">iiiiqqd")
_ENVELOPE = struct.Struct(">ii")
_MOST_DIGITS = 5
_MOST_BYTES = 1 << 27
"""Of a histogram: five digits up to an hour in ns are 2**22 counts of 8 bytes."""
_MOST_COUNT = 1 << 45


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """Occupied buckets: the lowest and highest value that each stands for, and how many it has.

    ``digits`` are those that values are known to. Values are in the unit of whoever recorded them.
    """

    low: Ints
    high: Ints
    counts: Ints
    digits: int


@dataclass(frozen=True, slots=True)
class _Layout:
    """Sub-buckets per power of two, as a power of two, and the power of two of the lowest value."""

    digits: int
    half_bits: int
    unit_bits: int

    @classmethod
    def of(cls, digits: int, lowest: int) -> "_Layout":
        if not (0 <= digits <= _MOST_DIGITS and lowest >= 1):
            raise ValueError(f"{digits} digits from {lowest}")
        return cls(digits, max(0, (2 * 10**digits - 1).bit_length() - 1), lowest.bit_length() - 1)

    def buckets(self, indices: Ints, counts: Ints) -> Buckets:
        half = np.int64(1) << self.half_bits
        octave = np.maximum((indices >> self.half_bits) - 1, 0)
        shift = octave + self.unit_bits
        if shift.max(initial=0) + self.half_bits > 61:
            raise ValueError("a bucket beyond 64 bits")
        low = (indices - octave * half) << shift
        return Buckets(low, low + (np.int64(1) << shift) - 1, counts, self.digits)


def decode(text: bytes) -> Buckets:
    """A histogram in base64. Raises ValueError for one that is damaged, or of another kind."""
    try:
        raw = binascii.a2b_base64(text.strip(), strict_mode=True)
        cookie, length = _ENVELOPE.unpack_from(raw)
        inner = _COMPRESSED.get(cookie & ~_SIZE_BITS)
        if inner is None:
            raise ValueError(f"cookie {cookie:#x} is none of a compressed histogram V0 to V2")
        data = _unpacked(raw[_ENVELOPE.size : _ENVELOPE.size + length])
        return _of_header(data, inner)
    except (struct.error, zlib.error) as error:
        raise ValueError(str(error)) from error


def _unpacked(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(packed, _MOST_BYTES)
    if not unpacker.eof:
        raise ValueError("its compressed data are cut off, or too large")
    return data


def _of_header(data: bytes, inner: int) -> Buckets:
    (cookie,) = struct.unpack_from(">i", data)
    if cookie & ~_SIZE_BITS != inner:
        raise ValueError(f"cookie {cookie:#x} inside of another version's")
    if inner == _V0:
        _, digits, lowest, _highest, _total = _V0_HEADER.unpack_from(data)
        payload, offset = data[_V0_HEADER.size :], 0
    else:
        _, size, offset, digits, lowest, _highest, _ratio = _HEADER.unpack_from(data)
        payload = data[_HEADER.size : _HEADER.size + size]
        if len(payload) != size:
            raise ValueError("its counts are cut off")
    if offset:
        raise ValueError("shifted buckets, as of a DoubleHistogram")
    layout = _Layout.of(digits, lowest)
    counts = _zigzag(payload) if inner == _V2 else _words(payload, (cookie & 0xE0) >> 4)
    return layout.buckets(*counts)


def _words(payload: bytes, size: int) -> tuple[Ints, Ints]:
    if size not in (2, 4, 8):
        raise ValueError(f"counts of {size} bytes")
    whole = len(payload) // size * size
    counts = np.frombuffer(payload[:whole], f">i{size}").astype(np.int64)
    return _sound(np.flatnonzero(counts), counts[counts != 0])


def _zigzag(payload: bytes) -> tuple[Ints, Ints]:
    indices: list[int] = []
    counts: list[int] = []
    index = number = shift = 0
    for octet in payload:
        # Nine bytes at most: the last has eight bits of the number.
        last = octet < 0x80 or shift == 56
        number |= (octet if shift == 56 else octet & 0x7F) << shift
        shift += 7
        if not last:
            continue
        value = (number >> 1) ^ -(number & 1)
        if value > 0:
            indices.append(index)
            counts.append(value)
        index += max(1, -value)
        number = shift = 0
    if shift:
        raise ValueError("its last number is cut off")
    return _sound(np.array(indices, np.int64), np.array(counts, np.int64))


def _sound(indices: Ints, counts: Ints) -> tuple[Ints, Ints]:
    if counts.size and (counts.min() < 0 or counts.max() > _MOST_COUNT):
        raise ValueError("more values than anyone can have recorded")
    if indices.max(initial=0) > _MOST_BYTES:
        raise ValueError("more buckets than there are")
    return indices, counts
