"""HdrHistogram's V2 wire format: counts in bucket order as zigzag LEB128 numbers, compressed.

Format as in the reference implementation (G. Tene, https://github.com/HdrHistogram/HdrHistogram):
a positive number is the count of the next bucket, zero an empty bucket, -n a run of n empty ones.
Reading works on the numbers of many histograms at once, because a 48-hour recording holds some
two hundred million of them; `add_up` does not even find out which bucket belongs to which text.
"""

import binascii
import struct
import zlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from recording.arrays import Floats, Ints
from recording.histogram import BUCKETS, HIGHEST_US, LOWEST_US, Histogram

SIGNIFICANT_DIGITS = 3
_V2_COOKIE = 0x1C849313
_V2_COMPRESSED_COOKIE = 0x1C849314
_HEADER = struct.Struct(">iiiiqqd")
_ENVELOPE = struct.Struct(">ii")
_MOST_BYTES = 9  # of one number, as the format has it for 64 bits
_MOST_VALUES = 1 << 45  # in one bucket: a million a second for a year
_MOST_BUCKETS = 1 << 16  # any layout of up to 3 digits and one hour has fewer
_EMPTY = Histogram(np.empty(0, np.int64), np.empty(0, np.int64))


def encode(histogram: Histogram) -> str:
    """HdrHistogram V2, compressed, base64: what stands in a histogram log."""
    return encode_all([histogram])[0]


def encode_all(histograms: Sequence[Histogram]) -> list[str]:
    """The text of each; a hundred at once take little longer than one."""
    if not histograms:
        return []
    sizes = np.array([histogram.indices.size for histogram in histograms])
    indices = np.concatenate([histogram.indices for histogram in histograms])
    counts = np.concatenate([histogram.counts for histogram in histograms])
    ends = np.cumsum(sizes)
    firsts = (ends - sizes)[sizes > 0]
    gaps = np.diff(indices, prepend=-1) - 1
    gaps[firsts] = indices[firsts]
    octets, needed = _zigzag_leb128(np.stack([np.where(gaps > 1, -gaps, 0), counts], axis=1))
    needed[gaps == 0, 0] = False
    stops = np.cumsum([0, *needed.sum(axis=(1, 2))])[[0, *ends]].tolist()
    payloads = octets[needed].tobytes()
    return [pack(payloads[start:stop]) for start, stop in pairwise(stops)]


def decode(text: str | bytes) -> Histogram:
    """The histogram of one base64 text. Raises ValueError as `add_up_decoded` does."""
    return add_up([text])


def decode_all(data: Sequence[bytes]) -> list[Histogram]:
    """Each histogram of some as base64 had them; a hundred at once take little longer than one.

    Raises ValueError as `add_up_decoded` does, for all of them.
    """
    payloads = [_payload(raw) for raw in data]
    if not any(payloads):
        return [_EMPTY] * len(payloads)
    places, counts, starts = _read([payload for payload in payloads if payload])
    occupied = np.flatnonzero(counts)
    found = _checked(places[occupied] - 1, counts[occupied])
    cuts = [*np.searchsorted(occupied, starts).tolist(), occupied.size]
    told = (Histogram(found.indices[i:j], found.counts[i:j]) for i, j in pairwise(cuts))
    return [next(told) if payload else _EMPTY for payload in payloads]


def pack(payload: bytes) -> str:
    """The base64 text of a histogram whose numbers are these bytes."""
    header = _HEADER.pack(
        _V2_COOKIE, len(payload), 0, SIGNIFICANT_DIGITS, LOWEST_US, HIGHEST_US, 1.0
    )
    packed = zlib.compress(header + payload, 1)
    envelope = _ENVELOPE.pack(_V2_COMPRESSED_COOKIE, len(packed))
    return binascii.b2a_base64(envelope + packed, newline=False).decode()


def _zigzag_leb128(numbers: Ints) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """The bytes of each number along a last axis, and which of them it needs."""
    raw = ((numbers << 1) ^ (numbers >> 63)).view(np.uint64)
    longest = max(1, -(-int(raw.max(initial=0)).bit_length() // 7))
    rests = raw[..., np.newaxis] >> np.arange(0, 7 * longest, 7, dtype=np.uint64)
    followed = rests > 0x7F
    needed = np.ones_like(followed)
    needed[..., 1:] = followed[..., :-1]
    return ((rests & 0x7F) | (followed * np.uint64(0x80))).astype(np.uint8), needed


def add_up(texts: Sequence[str | bytes]) -> Histogram:
    """The sum of many base64 texts. Raises ValueError as `add_up_decoded` does."""
    try:
        return add_up_decoded([binascii.a2b_base64(text, strict_mode=True) for text in texts])
    except binascii.Error as error:
        raise ValueError(f"damaged histogram: {error}") from error


def add_up_decoded(data: Sequence[bytes]) -> Histogram:
    """The sum of many histograms as base64 had them, much faster than one by one.

    Raises ValueError when one is damaged or of another resolution than ours, and for more values
    than anyone can have recorded.
    """
    payloads = [payload for raw in data if (payload := _payload(raw))]
    if not payloads:
        return _EMPTY
    places, counts, _ = _read(payloads)
    sums = np.bincount(places, counts)[1:]
    indices = np.flatnonzero(sums)
    return _checked(indices, sums[indices])


def _read(payloads: Sequence[bytes]) -> tuple[Ints, Floats, Ints]:
    """Of each number of all of them: how many buckets it and those before it in its text stand
    for, and the count of the last of these, or 0; and where the numbers of each text begin.
    """
    octets = np.frombuffer(b"".join(payloads), np.uint8)
    longer, last, followed = _longer_numbers(octets)
    # Nearly every number is one byte: all are read as such, in bytes, and the others put right.
    numbers = (octets >> 1).view(np.int8) ^ -(octets & 1).view(np.int8)
    # 64 bits although 32 would do: cumsum and bincount convert anything else, which costs more.
    spans = np.maximum(-numbers, 1).astype(np.int64)
    counts = np.maximum(numbers, 0).astype(np.float64)
    spans[followed] = 0
    counts[followed] = 0
    spans[last] = np.maximum(-longer, 1)
    counts[last] = np.maximum(longer, 0)
    starts = np.cumsum([0, *map(len, payloads[:-1])])
    lengths = np.add.reduceat(spans, starts)
    if lengths.max() > _MOST_BUCKETS:
        raise ValueError("damaged histogram: more buckets than there are")
    spans[starts[1:]] -= lengths[:-1]  # the next text begins at bucket 0 again
    return np.cumsum(spans), counts, starts


def _checked(indices: Ints, counts: Ints | Floats) -> Histogram:
    if indices.max(initial=0) >= BUCKETS:
        raise ValueError("damaged histogram: a bucket beyond the highest value")
    if counts.max(initial=0) > _MOST_VALUES:
        raise ValueError("damaged histogram: more values than anyone can have recorded")
    return Histogram(indices, counts.astype(np.int64))


def _payload(raw: bytes) -> bytes:
    try:
        cookie, length = _ENVELOPE.unpack_from(raw)
        data = zlib.decompress(raw[_ENVELOPE.size : _ENVELOPE.size + length])
        inner, size, offset, digits, lowest, _highest, _ratio = _HEADER.unpack_from(data)
    except (ValueError, struct.error, zlib.error) as error:
        raise ValueError(f"damaged histogram: {error}") from error
    if (cookie, inner) != (_V2_COMPRESSED_COOKIE, _V2_COOKIE):
        raise ValueError("damaged histogram: not HdrHistogram V2")
    if (offset, digits, lowest) != (0, SIGNIFICANT_DIGITS, LOWEST_US):
        raise ValueError(f"histogram of {digits} digits from {lowest}: not one of loadgate's")
    payload = data[_HEADER.size : _HEADER.size + size]
    if payload and payload[-1] & 0x80:
        raise ValueError("damaged histogram: last number is cut off")
    return payload


def _longer_numbers(octets: npt.NDArray[np.uint8]) -> tuple[Ints, Ints, Ints]:
    """The numbers of more than one byte: their value, where they end, all bytes before that."""
    followed = np.flatnonzero(octets >= 0x80)
    first = np.flatnonzero(np.diff(followed, prepend=-2) != 1)
    starts = followed[first]
    lengths = np.diff(first, append=followed.size)
    longest = int(lengths.max(initial=0))
    if longest >= _MOST_BYTES:
        raise ValueError(f"damaged histogram: a number of more than {_MOST_BYTES} bytes")
    last = starts + lengths
    raw = octets[last].astype(np.int64) << (7 * lengths)
    for place in range(longest):
        here = lengths > place
        raw[here] += (octets[starts[here] + place] & 0x7F).astype(np.int64) << (7 * place)
    numbers = (raw >> 1) ^ -(raw & 1)
    if numbers.min(initial=0) < -_MOST_BUCKETS:
        raise ValueError("damaged histogram: more empty buckets than there are")
    return numbers, last, followed
