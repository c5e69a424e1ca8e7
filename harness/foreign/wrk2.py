"""wrk2's printed tables (``wrk --latency``): its detailed percentile spectrum.

What it prints: ``wrk.c`` of https://github.com/giltene/wrk2, and ``hdr_percentiles_print`` of
HdrHistogram_c. A row says how many requests took no longer than its value, in whole µs; so each of
those that came with it took longer than the row before says, and no longer than its own.
"""

import re
from itertools import pairwise

import polars as pl

from harness.foreign.format import COUNTED, SLOWEST_S, Format
from harness.foreign.source import Heard, Source
from recording.hlog import AT_MOST, LATENCY
from recording.outcomes import UNTOLD

_TITLE = b"Latency Distribution (HdrHistogram - "
_RECORDED = _TITLE + b"Recorded Latency)"
_URL = re.compile(rb"Running .+ test @ \w+://[^/?#\s]+([^?#\s]*)")
_LEGEND = re.compile(rb"\s*Value\s+Percentile\s+TotalCount\s+1/\(1-Percentile\)\s*")
_ROW = re.compile(rb"\s*(\d+\.\d{3})\s+[01]\.\d+\s+(\d+)\s+(?:\d+\.\d+|inf)\s*")
_TOTAL = re.compile(rb"#\[Max\s*=.+, Total count\s*=\s*(\d+)\]")
_RATE = re.compile(rb"Requests/sec:\s*(\d+\.\d+)")


_FASTEST_PER_S, _DIGITS = 1e9, 13
"""Requests a second, and digits of their number: more than anyone can have made."""


class _Output:
    """What was read of it so far: µs and requests up to there, row by row."""

    def __init__(self) -> None:
        self.name, self.rate = "/", 0.0
        self.rows: list[tuple[int, int]] = []
        self.total: int | None = None
        self._recorded = self._in_table = False

    def take(self, source: Source, number: int, line: bytes) -> None:
        """The next line. Raises ConfigError."""
        if found := _URL.match(line):
            self.name = found[1].decode(errors="replace") or "/"
        elif found := _RATE.match(line):
            self.rate = float(found[1])
            if not 0 < self.rate <= _FASTEST_PER_S:
                source.refuse(number, f"Requests/sec: above 0, and at most {_FASTEST_PER_S:g}")
        elif _TITLE in line:
            self._recorded = _RECORDED in line
            if self._recorded and self.rows:
                source.refuse(number, "a second run begins: give each a file of its own")
        elif self._recorded and _LEGEND.fullmatch(line):
            self._in_table = True
        elif self._in_table:
            self._in_table = self._row(source, number, line)

    def _row(self, source: Source, number: int, line: bytes) -> bool:
        """Whether the table goes on."""
        if found := _TOTAL.match(line):
            self.total = int(found[1])
        elif found := _ROW.fullmatch(line):
            if float(found[1]) > SLOWEST_S * 1000 or len(found[2]) > _DIGITS:
                allowed = f"at most {SLOWEST_S / 3600:g} h, TotalCount at most {_DIGITS} digits"
                source.refuse(number, f"its Value is ms, {allowed}")
            row = round(float(found[1]) * 1000), int(found[2])
            if self.rows and (row[0] < self.rows[-1][0] or row[1] < self.rows[-1][1]):
                source.refuse(number, "its Value or TotalCount is less than in the row before")
            self.rows.append(row)
        elif line.strip() and not line.startswith(b"#["):
            source.refuse(number, "is no row of Value, Percentile, TotalCount, 1/(1-Percentile)")
        return self.total is None


def read_wrk2(source: Source, told: Heard) -> pl.DataFrame:
    """The requests of wrk2's table, counted. Raises ConfigError."""
    output, last = _Output(), 1
    for piece in source.pieces(quoted=False, told=told):
        for last, line in enumerate(piece.data.splitlines(), piece.line):
            output.take(source, last, line)
    counted = output.rows[-1][1] if output.rows else 0
    if not output.rate or output.total != counted:
        source.refuse(last, "its end is missing: all of the table, Total count and Requests/sec")
    return _counted(source, output)


def _counted(source: Source, output: _Output) -> pl.DataFrame:
    """Without times: it ended when the file did, and was as long as its rate says."""
    end_us = round(source.path.stat().st_mtime * 1e6)
    begin_us = end_us - round(output.rows[-1][1] / output.rate * 1e6) if output.rows else end_us
    common = {"name": output.name, "outcome": UNTOLD, "begin_us": begin_us, "end_us": end_us}
    made = []
    for (low_us, before), (high_us, upto) in pairwise([(-1, 0), *output.rows]):
        for kind, us in ((LATENCY, high_us if low_us < 0 else low_us), (AT_MOST, high_us)):
            made.append(common | {"kind": kind, "latency_us": us, "n": upto - before})
    return pl.DataFrame(made, schema=COUNTED).filter(pl.col("n") > 0)


OUTPUT = Format(
    "wrk2", "wrk2's output", lambda head: _RECORDED in head, None, (
        "latencies are known within the rows of wrk2's percentile spectrum: a rule fails by the "
        "lower and holds by the upper bound",
        "latency is from when a request was due to the end of its answer, after wrk2's calibration",
        "a step is the path that wrk2 was started with, whatever a script of it asked for",
        "how requests varied in time is not told: their intervals take them as independent",
    ),
    lacks=("which requests failed", "times of requests"), required=("latency",),
    at_once=read_wrk2,
)  # fmt: skip
