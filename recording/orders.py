"""Both sides' orders: what clients saw confirmed and what the shop's ledger holds."""

import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from recording.hlog import write_all

_HEADER = "t_s,order_id\n"


class ConfirmedOrdersWriter:
    """Appends orders that a client saw confirmed."""

    def __init__(self, path: Path) -> None:
        """Open ``path`` for appending. Raises OSError."""
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        if os.fstat(self._fd).st_size == 0:
            write_all(self._fd, _HEADER.encode())

    def write(self, orders: Iterable[tuple[float, str]]) -> None:
        """Append (seconds since the epoch, order id) pairs; raises OSError (disk full)."""
        rows = "".join(f"{t_s:.3f},{order_id}\n" for t_s, order_id in orders)
        if rows:
            write_all(self._fd, rows.encode())

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def read_confirmed(path: Path) -> pl.DataFrame:
    """Columns ``t_s`` and ``order_id``; a cut-off last line is left out, a missing file empty."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        data = b""
    whole, _, _cut = data.rpartition(b"\n")
    text = whole if whole.startswith(_HEADER.strip().encode()) else _HEADER.strip().encode()
    return pl.read_csv(
        text + b"\n",
        schema={"t_s": pl.Float64, "order_id": pl.String},
        ignore_errors=True,
        truncate_ragged_lines=True,
    ).drop_nulls()


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
