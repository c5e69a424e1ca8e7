"""Reads both sides' orders: what clients saw confirmed and what the shop's ledger holds."""

import sqlite3
from pathlib import Path

import polars as pl

from recording.orders import CONFIRMED_HEADER


def read_confirmed(path: Path) -> pl.DataFrame:
    """Columns ``t_s``, ``order_id`` and ``arm`` ("" outside a paired run, and in older files).

    A cut-off last line is left out, a missing file is empty.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        data = b""
    whole, _, _cut = data.rpartition(b"\n")
    header, _, rows = whole.partition(b"\n")
    known = header.startswith(CONFIRMED_HEADER.partition(",arm")[0].encode())
    return (
        pl.read_csv(
            CONFIRMED_HEADER.encode() + (rows + b"\n" if known and rows else b""),
            schema={"t_s": pl.Float64, "order_id": pl.String, "arm": pl.String},
            ignore_errors=True,
            truncate_ragged_lines=True,
        )
        .drop_nulls(["t_s", "order_id"])
        .with_columns(pl.col("arm").fill_null(""))
    )


def read_ledger(path: Path) -> pl.DataFrame | None:
    """The shop's orders: ``t_s`` (seconds since the epoch) and ``order_id``; None without a ledger.

    Raises ValueError when the file is not a readable ledger.
    """
    if not path.exists():
        return None
    try:
        connection = sqlite3.connect(f"file:{path.resolve()}?mode=ro", uri=True)
        try:
            rows = connection.execute("SELECT created_t_s, order_id FROM orders").fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise ValueError(f"{path.name}: {error}") from None
    return pl.DataFrame(rows, schema={"t_s": pl.Float64, "order_id": pl.String}, orient="row")
