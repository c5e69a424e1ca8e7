"""What a tool's file is: how it is told, how its requests are read, and what it cannot say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl

from harness.foreign.source import Heard, Piece, Source
from recording.histogram import HIGHEST_US

REQUESTS: dict[str, Any] = {
    "name": pl.String,
    "outcome": pl.String,
    "begin_us": pl.Int64,
    "latency_us": pl.Int64,
}
"""A row per request: what it is called, what became of it (``recording/outcomes.py``), when it
began (µs since 1970, UTC), and how long it took, µs."""
COUNTED: dict[str, Any] = {**REQUESTS, "kind": pl.String, "end_us": pl.Int64, "n": pl.Int64}
"""The same of ``n`` requests at once, which ended by ``end_us``; ``kind`` as of a tag of
``recording/hlog.py``: their latency, or their latency at most where only bounds are known."""
_EARLIEST_S, _LATEST_S = 946_684_800, 4_102_444_800
MOMENT = "a moment between the years 2000 and 2100"
LONGEST_S = 60 * 86_400
"""No test lasts longer."""
SLOWEST_S = HIGHEST_US / 1e6
"""No request that a histogram can hold."""
LATENCY = f"a number of at least 0, and of no more than {SLOWEST_S / 3600:g} h"
Demands = Mapping[str, tuple[pl.Expr, str]]
"""By column: what must hold of it, and what may stand there."""
Located = Callable[[int, str], tuple[int, object]]
"""Line and text of a column in a row."""


class Reader(Protocol):
    """Reads one file, piece by piece."""

    def __call__(self, source: Source, piece: Piece) -> pl.DataFrame:
        """The requests of a piece, one by one or counted.

        Raises ConfigError naming line, column and what is allowed.
        """
        ...

    def is_cut_off(self, piece: Piece) -> bool:
        """Whether what stands after the last line's end is less than a record."""
        ...


@dataclass(frozen=True, slots=True)
class Format:
    """``key`` is what ``--format`` takes; ``begins`` knows the beginning of such a file.

    ``means`` says what its figures are and are not, a sentence each; ``lacks`` what it has no
    data on, beside what no such file has; ``required`` which kinds of rule it can decide.
    Where ``at_once`` is set it gives all that there is, without times, and there is no reader.
    """

    key: str
    title: str
    begins: Callable[[bytes], bool]
    reader: Callable[[Source, bytes], Reader] | None
    means: tuple[str, ...]
    quoted: bool = True
    lacks: tuple[str, ...] = ()
    required: tuple[str, ...] = ("latency", "errors")
    at_once: Callable[[Source, Heard], pl.DataFrame] | None = None


def moment_us(column: str) -> pl.Expr:
    """Of whole seconds, ms, µs or ns since 1970, told apart by their size."""
    said = pl.col(column)
    by_size = pl.when(said < 10**11).then(said * 10**6).when(said < 10**14).then(said * 1000)
    return by_size.when(said < 10**17).then(said).otherwise(said // 1000)


def is_moment(us: pl.Expr) -> pl.Expr:
    """Whether µs since 1970 are a time at which somebody can have tested."""
    return us.is_between(_EARLIEST_S * 10**6, _LATEST_S * 10**6)


def is_test_time(s: float) -> bool:
    """The same of one number of seconds since 1970."""
    return _EARLIEST_S <= s <= _LATEST_S


def is_duration(column: str, per_s: int) -> pl.Expr:
    """Neither nan, nor negative, nor longer than anyone waits; ``per_s``: of its units."""
    said = pl.col(column)
    return said.is_finite() & said.is_between(0, SLOWEST_S * per_s)


def demand(source: Source, rows: pl.DataFrame, demands: Demands, at: Located) -> None:
    """Raises ConfigError for the first row that does not hold one; what is null does not."""
    sound = {column: ok.fill_null(value=False) for column, (ok, _) in demands.items()}
    held = rows.select(ok.all().alias(column) for column, ok in sound.items()).row(0, named=True)
    for column, (_, allowed) in demands.items():
        if not held[column]:
            row = rows.select((~sound[column]).arg_max()).item()
            line, text = at(row, column)
            source.refuse_cell(line, column, text, allowed)


def present(column: str) -> pl.Expr:
    """The text of a column, "" where there is none."""
    return pl.col(column).fill_null("")
