"""k6's ``--out csv=`` and ``--out json=``: a row per metric and moment, those of requests taken.

What it writes: https://grafana.com/docs/k6/latest/results-output/real-time/csv/ and …/json/; error
codes: https://grafana.com/docs/k6/latest/javascript-api/error-codes/. Times are those of the end of
a request (``lib/netext/httpext/transport.go``).
"""

import re
from contextlib import suppress
from functools import partial
from typing import Any

import polars as pl

from harness.foreign.csv_table import header_of, lines_beginning
from harness.foreign.format import (
    LATENCY,
    MOMENT,
    REQUESTS,
    Format,
    demand,
    is_duration,
    is_moment,
    moment_us,
    present,
)
from harness.foreign.json_lines import is_cut_off, read_objects, value_at
from harness.foreign.source import Piece, Source
from recording.errors import ConfigError
from recording.outcomes import OK, REFUSED, RESET, TIMEOUT, UNTOLD

METRIC = "http_req_duration"
_BY_CODE = {"1050": TIMEOUT, "1211": TIMEOUT, "1212": REFUSED, "1220": RESET}
_NAMED = r"^[A-Za-z_][A-Za-z0-9_]*$"
_ODD = re.compile(rb"(?m)^[^A-Za-z_\r\n]")
"""A line that begins with no name."""
_TAGS = ("name", "status", "error_code", "expected_response")
_MEANS = (
    f"latency is k6's {METRIC}: sending, waiting and receiving, without the time that a request "
    "was blocked, connecting or in a TLS handshake",
    "a request failed where k6 says that its answer was not expected",
)


def _outcome() -> pl.Expr:
    status, code = present("status"), present("error_code")
    expected = present("expected_response")
    by_status = (expected == "") & (code == "") & status.str.contains(r"^[23]\d\d$")
    return pl.coalesce(
        pl.when((expected == "true") | by_status).then(pl.lit(OK)),
        *(pl.when(code == number).then(pl.lit(outcome)) for number, outcome in _BY_CODE.items()),
        pl.when(status.str.contains(r"^[1-9]\d\d$")).then("http_" + status),
        pl.when(code != "").then("error_" + code),
        pl.when((status == "") & (expected == "")).then(pl.lit(UNTOLD)),
        pl.lit("failed"),
    )


def _requests(rows: pl.LazyFrame) -> pl.LazyFrame:
    """``end_us``, ``value`` (ms) and the tags, as requests."""
    took_us = (pl.col("value") * 1000).round().cast(pl.Int64)
    return rows.select(
        name=present("name"),
        outcome=_outcome(),
        begin_us=pl.col("end_us") - took_us,
        latency_us=took_us,
    )


class _Csv:
    def __init__(self, source: Source, head: bytes) -> None:
        table = header_of(head, ",", "metric_name")
        self._first = table is not None and table.columns[0] == "metric_name"
        needed = ("metric_name", "timestamp", "metric_value")
        if table is None or not set(needed) <= set(table.columns):
            source.refuse(1, f"no header of k6's CSV, which has {', '.join(needed)}")
        self._table = table
        as_text = "T" in table.first(head, "timestamp")
        self._types: dict[str, Any] = {
            "metric_name": pl.String,
            "timestamp": pl.String if as_text else pl.Int64,
            "metric_value": pl.Float64,
            **{tag: pl.String for tag in _TAGS if tag in table.columns},
        }
        self._end_us = _rfc3339_us("timestamp") if as_text else moment_us("timestamp")
        self._lacking = [pl.lit("").alias(tag) for tag in _TAGS if tag not in table.columns]

    def __call__(self, source: Source, piece: Piece) -> pl.DataFrame:
        asked = self._asked(piece)
        if asked is not None:
            with suppress(ConfigError):  # the whole piece says in which line
                return self._read(source, asked)
        return self._read(source, piece)

    def _asked(self, piece: Piece) -> Piece | None:
        """The lines that are wanted; None where every line has to be looked at."""
        if not self._first or b"\nmetric_name," in piece.data or _ODD.search(piece.data):
            return None
        return lines_beginning(piece, f"{METRIC},".encode())

    def _read(self, source: Source, piece: Piece) -> pl.DataFrame:
        rows = self._table.read(source, piece, self._types)
        rows = rows.with_columns(self._end_us.alias("end_us"), *self._lacking)
        name = pl.col("metric_name")
        empty = name.is_null() & pl.col("metric_value").is_null()

        def at(row: int, column: str) -> tuple[int, str]:
            return self._table.cell(piece, row, column)

        other = (pl.col("metric_name") != METRIC) & pl.col("metric_value").is_not_null()
        demands = {
            "metric_name": (empty | name.str.contains(_NAMED), "the name of a metric"),
            "timestamp": (empty | is_moment(pl.col("end_us")), MOMENT),
            "metric_value": (empty | other | is_duration("metric_value", 1000), LATENCY),
        }
        demand(source, rows, demands, at)
        found = rows.lazy().filter(pl.col("metric_name") == METRIC)
        return _requests(found.rename({"metric_value": "value"})).collect()

    def is_cut_off(self, piece: Piece) -> bool:
        return self._table.is_cut_off(piece)


_SCHEMA: dict[str, Any] = {
    "metric": pl.String,
    "type": pl.String,
    "data": pl.Struct(
        {
            "time": pl.String,
            "value": pl.Float64,
            "tags": pl.Struct(dict.fromkeys(_TAGS, pl.String)),
        }
    ),
}


def _at(piece: Piece, row: int, column: str) -> tuple[int, object]:
    return value_at(piece, row, (column,))


class _Json:
    def __init__(self, source: Source, head: bytes) -> None:
        """Every file is alike."""

    def __call__(self, source: Source, piece: Piece) -> pl.DataFrame:
        rows = read_objects(source, piece, _SCHEMA)
        named = {
            "metric": (pl.col("metric").str.contains(_NAMED), "the name of a metric"),
            "type": (pl.col("type").is_in(["Metric", "Point"]), "Metric or Point"),
        }
        demand(source, rows, named, partial(_at, piece))
        asked = (pl.col("metric") == METRIC) & (pl.col("type") == "Point")
        found = rows.with_row_index("row").filter(asked).unnest("data").unnest("tags")
        found = found.with_columns(_rfc3339_us("time").alias("end_us"))
        places = found["row"].to_list() if found.height else []

        def at(row: int, column: str) -> tuple[int, object]:
            return value_at(piece, places[row], ("data", column))

        demands = {
            "time": (is_moment(pl.col("end_us")), MOMENT),
            "value": (is_duration("value", 1000), LATENCY),
        }
        demand(source, found, demands, at)
        return _requests(found.lazy()).collect() if found.height else pl.DataFrame(schema=REQUESTS)

    def is_cut_off(self, piece: Piece) -> bool:
        return is_cut_off(piece)


def _rfc3339_us(column: str) -> pl.Expr:
    """µs since 1970 of texts such as 2026-11-28T13:25:09.091876523Z."""
    read = pl.col(column).str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
    return read.dt.timestamp("us")


CSV = Format(
    "k6-csv", "k6 CSV", lambda head: header_of(head, ",", "metric_name") is not None, _Csv, (
        *_MEANS, "k6 writes times to the second unless K6_CSV_TIME_FORMAT says otherwise",
    ),
)  # fmt: skip
JSON = Format(
    "k6-json", "k6 JSON lines",
    lambda head: head.startswith(b"{") and b'"metric"' in head[:1000] and b'"type"' in head[:4000],
    _Json, _MEANS, quoted=False,
)  # fmt: skip
