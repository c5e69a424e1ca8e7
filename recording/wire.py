"""HdrHistogram's V2 wire format: counts in bucket order as zigzag LEB128 numbers, compressed.

Format as in the reference implementation (G. Tene, https://github.com/HdrHistogram/HdrHistogram):
a positive number is the count of the next bucket, zero an empty bucket, -n a run of n empty ones.
Reading works on the numbers of many histograms at once, because a 48-hour recording holds some
two hundred million of them.
"""

import binascii
import struct
import zlib
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

SIGNIFICANT_DIGITS = 3
LOWEST_US = 1
HIGHEST_US = 3_600_000_000
_V2_COOKIE = 0x1C849313
_V2_COMPRESSED_COOKIE = 0x1C849314
_HEADER = struct.Struct(">iiiiqqd")
_ENVELOPE = struct.Struct(">ii")
_MOST_BYTES = 9  # of one number: 8 of 7 bits and one of 8

# What each last byte of a number says when it is the only one, and how many buckets it spans;
# bytes that another one follows (from 128 on) say and span nothing by themselves.
_LAST = np.arange(256)
_NUMBER = np.where(_LAST < 128, (_LAST >> 1) ^ -(_LAST & 1), 0)
_SPAN = np.where(_LAST < 128, np.where(_NUMBER < 0, -_NUMBER, 1), 0)


def pack(numbers: Iterable[int]) -> str:
    """The base64 text of a histogram with these numbers."""
    payload = _zigzag_leb128(numbers)
    header = _HEADER.pack(
        _V2_COOKIE, len(payload), 0, SIGNIFICANT_DIGITS, LOWEST_US, HIGHEST_US, 1.0
    )
    packed = zlib.compress(header + payload, 1)
    envelope = _ENVELOPE.pack(_V2_COMPRESSED_COOKIE, len(packed))
    return binascii.b2a_base64(envelope + packed, newline=False).decode()


def _zigzag_leb128(numbers: Iterable[int]) -> bytes:
    out = bytearray()
    for number in numbers:
        rest = (number << 1) if number >= 0 else ((-number << 1) - 1)
        while rest > 0x7F:
            out.append((rest & 0x7F) | 0x80)
            rest >>= 7
        out.append(rest)
    return bytes(out)


def unpack(texts: Sequence[str | bytes]) -> tuple[Ints, Ints, Ints]:
    """Bucket indices and counts of many texts, and where each text's part of them ends.

    Raises ValueError when one is damaged or of another resolution than ours.
    """
    payloads = [_payload(text) for text in texts]
    octets = np.frombuffer(b"".join(payloads), np.uint8)
    numbers, spans = _NUMBER[octets], _SPAN[octets]
    _set_longer(octets, numbers, spans)
    position = np.cumsum(spans)
    used = np.flatnonzero(numbers > 0)
    ends = np.cumsum([len(payload) for payload in payloads])
    cuts = np.searchsorted(used, ends)
    before = np.concatenate([[0], position])[np.concatenate([[0], ends[:-1]])]
    # A count spans one bucket, its own.
    indices = position[used] - 1 - np.repeat(before, np.diff(cuts, prepend=0))
    return indices, numbers[used], cuts


def _payload(text: str | bytes) -> bytes:
    try:
        raw = binascii.a2b_base64(text, strict_mode=True)
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


def _set_longer(octets: npt.NDArray[np.uint8], numbers: Ints, spans: Ints) -> None:
    """Put each number of more than one byte (one in two hundred) where its last byte stands."""
    followed = np.flatnonzero(octets & 0x80)
    if not followed.size:
        return
    first = np.flatnonzero(np.diff(followed, prepend=-2) != 1)
    starts = followed[first]
    lengths = np.diff(first, append=followed.size)
    if lengths.max() >= _MOST_BYTES:
        raise ValueError(f"damaged histogram: a number of more than {_MOST_BYTES} bytes")
    last = starts + lengths
    raw = octets[last].astype(np.int64) << (7 * lengths)
    for place in range(int(lengths.max())):
        here = lengths > place
        raw[here] += (octets[starts[here] + place] & 0x7F).astype(np.int64) << (7 * place)
    numbers[last] = (raw >> 1) ^ -(raw & 1)
    spans[last] = np.maximum(-numbers[last], 1)
