"""Vegeta's results: ``vegeta encode --to csv`` and ``--to json``.

Columns, units (ns) and what a success is: ``lib/results.go`` and ``lib/metrics.go`` of
https://github.com/tsenart/vegeta. A request has no name of its own there: a step is its method and
the path of its url.
"""

from typing import Any

import polars as pl

from harness.foreign.csv_table import CsvTable, first_record
from harness.foreign.format import (
    LATENCY,
    MOMENT,
    Format,
    demand,
    is_duration,
    is_moment,
    moment_us,
    present,
)
from harness.foreign.json_lines import is_cut_off, read_objects, value_at
from harness.foreign.source import Piece, Source
from recording.outcomes import CLOSED, OK, REFUSED, RESET, TIMEOUT

COLUMNS = (
    "timestamp", "code", "latency", "bytes_out", "bytes_in", "error", "body", "attack", "seq",
    "method", "url", "headers",
)  # fmt: skip
"""Of its CSV, which has no header; the last was added in version 12.9."""
_READ: dict[str, Any] = {
    "timestamp": pl.Int64,
    "code": pl.Int64,
    "latency": pl.Float64,
    "error": pl.String,
    "method": pl.String,
    "url": pl.String,
}
CODE = "an HTTP status, or 0 for none"
_BY_TEXT = (
    ("Client.Timeout", TIMEOUT),
    ("deadline exceeded", TIMEOUT),
    ("i/o timeout", TIMEOUT),
    ("connection refused", REFUSED),
    ("connection reset", RESET),
    ("EOF", CLOSED),
)
"""What Go says of a request without an answer."""
_MEANS = (
    "latency is Vegeta's: from the send to the end of the answer, connecting and TLS included",
    "a request failed where its status is not 200 to 399, or where it had no answer",
    "a step is the method and the path of a url: Vegeta gives requests no names",
)


def _requests(source: Source, rows: pl.DataFrame, at: Any, begin_us: pl.Expr) -> pl.DataFrame:
    rows = rows.with_columns(begin_us.alias("begin_us"))
    demands = {
        "timestamp": (is_moment(pl.col("begin_us")), MOMENT),
        "code": (pl.col("code").is_between(0, 999), CODE),
        "latency": (is_duration("latency"), LATENCY),
    }
    demand(source, rows, demands, at)
    path = present("url").str.replace(r"^\w+://[^/?#]*", "").str.replace(r"[?#].*$", "", n=-1)
    return rows.select(
        name=pl.concat_str(present("method"), pl.lit(" "), path).str.strip_chars(),
        outcome=_outcome(),
        begin_us=pl.col("begin_us"),
        latency_us=(pl.col("latency") / 1000).round().cast(pl.Int64),
    )


def _outcome() -> pl.Expr:
    code, error = pl.col("code"), present("error")
    said = ((error.str.contains(text, literal=True), outcome) for text, outcome in _BY_TEXT)
    return pl.coalesce(
        pl.when(code.is_between(200, 399)).then(pl.lit(OK)),
        pl.when(code > 0).then(pl.concat_str(pl.lit("http_"), code)),
        *(pl.when(found).then(pl.lit(outcome)) for found, outcome in said),
        pl.lit("failed"),
    )


class _Csv:
    def __init__(self, source: Source, head: bytes) -> None:
        table = _table_of(head)
        if table is None:
            source.refuse(
                1, f"not the {len(COLUMNS) - 1} or {len(COLUMNS)} columns of Vegeta's CSV"
            )
        self._table = table

    def __call__(self, source: Source, piece: Piece) -> pl.DataFrame:
        rows = self._table.read(source, piece, _READ).with_row_index("row")
        rows = rows.filter(~pl.all_horizontal(pl.exclude("row").is_null()))
        places = rows["row"]

        def at(row: int, column: str) -> tuple[int, object]:
            return self._table.cell(piece, int(places[row]), column)

        return _requests(source, rows, at, moment_us("timestamp"))

    def is_cut_off(self, piece: Piece) -> bool:
        return self._table.is_cut_off(piece)


def _table_of(head: bytes) -> CsvTable | None:
    fields = first_record(head)
    numbers = all(field.isdecimal() for field in fields[:5])
    if len(fields) in (len(COLUMNS) - 1, len(COLUMNS)) and numbers and len(fields[0]) == 19:
        return CsvTable(COLUMNS[: len(fields)], header=False)
    return None


_SCHEMA = _READ | {"timestamp": pl.String}


class _Json:
    def __init__(self, source: Source, head: bytes) -> None:
        """Every file is alike."""

    def __call__(self, source: Source, piece: Piece) -> pl.DataFrame:
        def at(row: int, column: str) -> tuple[int, object]:
            return value_at(piece, row, (column,))

        read = pl.col("timestamp").str.to_datetime(
            "%+", time_unit="us", time_zone="UTC", strict=False
        )
        rows = read_objects(source, piece, _SCHEMA)
        return _requests(source, rows, at, read.dt.timestamp("us"))

    def is_cut_off(self, piece: Piece) -> bool:
        return is_cut_off(piece)


def _begins_json(head: bytes) -> bool:
    first = head.partition(b"\n")[0]
    return first.startswith(b"{") and all(
        key in first for key in (b'"latency"', b'"timestamp"', b'"code"')
    )


CSV = Format("vegeta-csv", "Vegeta CSV", lambda head: _table_of(head) is not None, _Csv, _MEANS)
JSON = Format("vegeta-json", "Vegeta JSON lines", _begins_json, _Json, _MEANS, quoted=False)
