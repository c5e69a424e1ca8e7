"""HdrHistogram's interval logs: of jHiccup, YCSB and others, and our own ``latency.hlog``.

Lines, comments and times as ``HistogramLogReader.java`` of the reference implementation has them
(G. Tene, https://github.com/HdrHistogram/HdrHistogram). A log does not say what its values are; its
``Interval_Max`` is by convention in ms, so what the values are over it tells their unit.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from harness.foreign.format import COUNTED, LONGEST_S, SLOWEST_S, Format, is_test_time
from harness.foreign.hdr_payload import Buckets, decode
from harness.foreign.source import Piece, Source
from recording.hlog import AT_MOST, GENERATOR, LATENCY, UNPAIRED, Tag
from recording.outcomes import UNTOLD

UNTAGGED = "untagged"
UNITS = {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}
"""µs in each unit that values may have."""
_LATENCY = f"no request takes more than {SLOWEST_S / 3600:g} h: say --unit"
_EXACT_DIGITS = 3
"""Of a recording of our own: coarser values are known within bounds only."""
_NOTE = re.compile(rb"#\[(StartTime|BaseTime): *(\d+(?:\.\d*)?(?:[eE][+-]?\d{1,3})?)")
_LEGEND = b'"StartTimestamp"'
_LINE = "start, length, maximum and a histogram in base64, after Tag=NAME where it has one"


@dataclass(frozen=True, slots=True)
class _Line:
    tag: str
    start_s: float
    length_s: float
    maximum: float
    buckets: Buckets


def _parsed(text: bytes) -> _Line:
    """Raises ValueError."""
    fields = [field.strip() for field in text.strip().split(b",")]
    tag = UNTAGGED
    if fields[0].startswith(b"Tag="):
        tag = fields.pop(0).removeprefix(b"Tag=").decode(errors="replace")
    if len(fields) != 4:
        raise ValueError(f"not {_LINE}")
    start_s, length_s, maximum = map(float, fields[:3])
    if not (math.isfinite(start_s) and 0 <= length_s <= LONGEST_S):
        longest = f"or a test of more than {LONGEST_S // 86_400} days"
        raise ValueError(f"times that are no numbers, {longest}")
    return _Line(tag, start_s, length_s, maximum, decode(fields[3]))


class _Log:
    def __init__(self, source: Source, head: bytes) -> None:
        self._start_s: float | None = None
        self._base_s: float | None = None
        self._unit_us = self._said_us = UNITS.get(source.unit or "")

    def __call__(self, source: Source, piece: Piece) -> pl.DataFrame:
        parts: list[pl.DataFrame] = []
        for number, text in enumerate(piece.data.splitlines(), piece.line):
            if text.startswith(b"#"):
                self._note(text)
            elif text.strip() and not text.startswith(_LEGEND):
                parts += self._interval(source, number, text)
        return pl.concat(parts) if parts else pl.DataFrame(schema=COUNTED)

    def is_cut_off(self, piece: Piece) -> bool:
        try:
            _parsed(piece.data)
        except ValueError:
            return not piece.data.startswith((b"#", _LEGEND))
        return False

    def _note(self, text: bytes) -> None:
        if found := _NOTE.match(text):
            if found[1] == b"StartTime":
                if self._start_s not in (None, float(found[2])):
                    self._base_s = None  # another log begins
                self._start_s = float(found[2])
            else:
                self._base_s = float(found[2])

    def _interval(self, source: Source, number: int, text: bytes) -> Iterator[pl.DataFrame]:
        try:
            line = _parsed(text)
        except ValueError as error:
            source.refuse(number, f"is no interval of a histogram log: {error}")
        named = _named(line.tag)
        if named is None or not line.buckets.counts.size:
            return
        begin_s = self._absolute_s(line.start_s)
        if not is_test_time(begin_s):
            source.refuse_cell(number, "its time", begin_s, "a moment in seconds since 1970")
        unit_us = self._unit(source, number, line)
        if line.buckets.high[-1] * unit_us > SLOWEST_S * 1e6:
            source.refuse_cell(number, "its highest value", line.buckets.high[-1], _LATENCY)
        at = {
            "name": named[0],
            "outcome": named[1],
            "begin_us": round(begin_s * 1e6),
            "end_us": round((begin_s + line.length_s) * 1e6),
        }
        yield from _rows(at, line.buckets, unit_us)

    def _unit(self, source: Source, number: int, line: _Line) -> float:
        """µs of its values: as was said, or as the first of all lines tells and no later denies."""
        if self._said_us is not None:
            return self._said_us
        fitting = list(_fitting_us(line))
        if self._unit_us is None and not fitting:
            units = ", ".join(UNITS)
            source.refuse(
                number, f"does not tell the unit of its values: say --unit, one of {units}"
            )
        if self._unit_us is None:
            self._unit_us = fitting[0]
        if fitting and self._unit_us not in fitting:
            source.refuse(number, "its values have another unit than those of the lines before it")
        return self._unit_us

    def _absolute_s(self, said_s: float) -> float:
        """Times are since 1970, or since the log's start where they lie before it."""
        start_s = said_s if self._start_s is None else self._start_s
        if self._base_s is None:
            self._base_s = start_s if said_s < start_s else 0.0
        return self._base_s + said_s


def _named(tag: str) -> tuple[str, str] | None:
    """Step and outcome; None for what a log of ours holds beside latencies."""
    try:
        ours = Tag.parse(tag)
    except ValueError:
        return tag, UNTOLD
    if ours.arm != UNPAIRED:
        return tag, UNTOLD
    is_latency = ours.kind == LATENCY and ours.step != GENERATOR
    return (ours.step, ours.outcome) if is_latency else None


def _fitting_us(line: _Line) -> Iterator[float]:
    """µs of the units in which its highest value is its maximum in ms."""
    over = float(line.buckets.high[-1]) / line.maximum if line.maximum > 0 else math.nan
    return (unit_us for unit_us in UNITS.values() if 0.4 < over * unit_us / 1000 < 2.5)


def _rows(at: dict[str, Any], buckets: Buckets, unit_us: float) -> Iterator[pl.DataFrame]:
    """The values, or where they are known to few digits their least and most."""
    low, high = buckets.low * unit_us, (buckets.high + 1) * unit_us
    exact = buckets.digits >= _EXACT_DIGITS
    bounds = {LATENCY: (low + high) / 2} if exact else {LATENCY: low, AT_MOST: high}
    for kind, values_us in bounds.items():
        latency_us = np.floor(values_us).astype(np.int64)
        table = {"latency_us": latency_us, "n": buckets.counts}
        constants = [pl.lit(value).alias(name) for name, value in (at | {"kind": kind}).items()]
        yield (
            pl.DataFrame(table)
            .select(*constants, "latency_us", "n")
            .select(pl.col(name).cast(dtype) for name, dtype in COUNTED.items())
        )


def _begins(head: bytes) -> bool:
    for text in head.splitlines()[:50]:
        if text.startswith((b"#[", _LEGEND)):
            return True
        try:
            return bool(_parsed(text))
        except ValueError:
            if not text.startswith(b"#"):
                return False
    return False


LOG = Format(
    "hlog", "HdrHistogram log", _begins, _Log, (
        "its values are taken for latencies, in the unit that its Interval_Max has in ms",
        "values of a histogram with fewer than 3 digits are known within its buckets' bounds",
    ),
    quoted=False, required=("latency",), lacks=("which requests failed",),
)  # fmt: skip
