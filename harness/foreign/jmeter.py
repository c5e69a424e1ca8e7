"""JMeter's results as CSV (JTL): any columns in any order with a header, or the default ones.

Columns and defaults: https://jmeter.apache.org/usermanual/listeners.html#csvlogformat and
``jmeter.properties``. ``timeStamp`` is the start of a sample (``sampleresult.timestamp.start``),
and ``elapsed`` runs "from just before sending the request to just after the last response has been
received" (glossary), which has connecting and a TLS handshake in it.
"""

from typing import Any

import polars as pl

from harness.foreign.csv_table import CsvTable, first_record, header_of
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
from harness.foreign.source import Piece, Source
from recording.outcomes import CLOSED, OK, REFUSED, RESET, TIMEOUT, UNTOLD

DEFAULT = (
    "timeStamp", "elapsed", "label", "responseCode", "responseMessage", "threadName", "dataType",
    "success", "failureMessage", "bytes", "sentBytes", "grpThreads", "allThreads", "URL",
    "Latency", "IdleTime", "Connect",
)  # fmt: skip
"""Columns of a file without a header."""
DELIMITERS = ",\t;|"
TRANSACTION = "Number of samples in transaction"
"""How the message begins of a transaction controller's row: the sum of rows that are there too."""
_CLOCKS = ("%Y/%m/%d %H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f")
_NEEDED = ("timeStamp", "elapsed", "label")
_OPTIONAL = ("responseCode", "responseMessage", "success")
_BY_TEXT = (
    ("SocketTimeoutException", TIMEOUT),
    ("ConnectTimeoutException", TIMEOUT),
    ("ConnectException", REFUSED),
    ("HttpHostConnectException", REFUSED),
    ("Connection reset", RESET),
    ("NoHttpResponseException", CLOSED),
)
"""What stands in code or message of a request without an answer."""


def _table_of(head: bytes) -> CsvTable | None:
    """By its header, or by a first row that fits the default columns."""
    if table := header_of(head, DELIMITERS, "timeStamp"):
        return table
    for delimiter in DELIMITERS:
        fields = first_record(head, delimiter)
        if len(fields) == len(DEFAULT) and fields[1].isdecimal() and _is_time(fields[0]):
            return CsvTable(DEFAULT, delimiter, header=False)
    return None


def _is_time(text: str) -> bool:
    return (text.isdecimal() and len(text) == len("1795872309091")) or bool(_clock_of(text))


def _clock_of(text: str) -> str:
    """The format of a time that is no number; "" for one that is not known."""
    read = (pl.Series([text]).str.to_datetime(form, strict=False) for form in _CLOCKS)
    return next((form for form, found in zip(_CLOCKS, read, strict=True) if found[0]), "")


class _Csv:
    def __init__(self, source: Source, head: bytes) -> None:
        table = _table_of(head)
        if table is None or not set(_NEEDED) <= set(table.columns):
            source.refuse(1, f"no header with {', '.join(_NEEDED)}, nor JMeter's default columns")
        self._table = table
        given = [name for name in _OPTIONAL if name in table.columns]
        clock = _clock_of(table.first(head, "timeStamp"))
        self._types: dict[str, Any] = {
            "timeStamp": pl.String if clock else pl.Int64,
            "elapsed": pl.Float64,
            "label": pl.String,
            **dict.fromkeys(given, pl.String),
        }
        self._begin_us = _clock_us(clock) if clock else moment_us("timeStamp")
        self._lacking = [pl.lit("").alias(name) for name in _OPTIONAL if name not in given]

    def __call__(self, source: Source, piece: Piece) -> pl.DataFrame:
        rows = self._table.read(source, piece, self._types)
        empty = pl.all_horizontal(pl.all().is_null())
        rows = rows.with_columns(empty.alias("empty"), self._begin_us.alias("begin_us"))

        def at(row: int, column: str) -> tuple[int, str]:
            return self._table.cell(piece, row, column)

        blank = pl.col("empty")
        demands = {
            "timeStamp": (blank | is_moment(pl.col("begin_us")), MOMENT),
            "elapsed": (blank | is_duration("elapsed"), LATENCY),
        }
        demand(source, rows, demands, at)
        rows = rows.with_columns(*self._lacking).filter(~blank)
        summed = present("responseMessage").str.starts_with(TRANSACTION)
        return rows.filter(~summed).select(
            name=present("label"),
            outcome=_outcome(),
            begin_us=pl.col("begin_us"),
            latency_us=(pl.col("elapsed") * 1000).round().cast(pl.Int64),
        )

    def is_cut_off(self, piece: Piece) -> bool:
        return self._table.is_cut_off(piece)


def _clock_us(form: str) -> pl.Expr:
    read = pl.col("timeStamp").str.to_datetime(form, time_unit="us", strict=False)
    return read.dt.timestamp("us")


def _outcome() -> pl.Expr:
    code, success = present("responseCode"), present("success").str.to_lowercase()
    by_code = (success == "") & code.str.contains(r"^[23]\d\d$")
    told = pl.concat_str(code, present("responseMessage"), separator=" ")
    said = ((told.str.contains(text, literal=True), outcome) for text, outcome in _BY_TEXT)
    return pl.coalesce(
        pl.when((success == "true") | by_code).then(pl.lit(OK)),
        pl.when((success == "") & (code == "")).then(pl.lit(UNTOLD)),
        *(pl.when(found).then(pl.lit(outcome)) for found, outcome in said),
        pl.when(code.str.starts_with("2")).then(pl.lit("failed_assertion")),
        pl.when(code.str.contains(r"^[1-9]\d\d$")).then("http_" + code),
        pl.lit("failed"),
    )


CSV = Format(
    "jtl", "JMeter JTL", lambda head: _table_of(head) is not None, _Csv, (
        "latency is JMeter's elapsed, which has connecting and the TLS handshake in it",
        "rows of transaction controllers are left out: they are sums of rows that are there too",
    ),
)  # fmt: skip
