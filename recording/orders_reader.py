"""Reads both sides' orders: what clients saw confirmed and what the shop's ledger holds."""

import csv
import io
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import polars as pl

from recording.clock import is_moment
from recording.files import open_regular, read_regular
from recording.orders import CONFIRMED_HEADER
from recording.rundir import COMPANIONS

CONFIRMED_SCHEMA = {"t_s": pl.Float64, "order_id": pl.String, "arm": pl.String}
_HEADERS = (CONFIRMED_HEADER.encode(), CONFIRMED_HEADER.replace(",arm", "").encode())
"""Today's, and that of older runs, which had no arms."""


def read_confirmed(path: Path) -> tuple[pl.DataFrame, int]:
    """Columns ``t_s``, ``order_id``, ``arm`` ("" outside a paired run), and the damaged lines.

    A missing file is empty. Raises OSError for anything else that is no readable file.
    """
    try:
        data = read_regular(path)
    except FileNotFoundError:
        data = b""
    header, newline, rows = data.partition(b"\n")
    if header + newline not in _HEADERS:
        return pl.DataFrame(schema=CONFIRMED_SCHEMA), int(bool(data))
    whole, newline, cut = rows.rpartition(b"\n")
    text = (whole + newline).decode(errors="surrogateescape")
    found = list(_records(text, header.count(b",") + 1))
    sound = [record for record in found if record is not None]
    damaged = len(found) - len(sound) + bool(cut)
    return pl.DataFrame(sound, schema=CONFIRMED_SCHEMA, orient="row"), damaged


def _records(text: str, cells: int) -> Iterator[tuple[float, str, str] | None]:
    """Time, id and arm of each line; None for one that is damaged."""
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        try:
            found = next(lines)
            t_s, order_id, *arm = found
            order_id.encode()  # what was no UTF-8 is none now
            sound = len(found) == cells and is_moment(float(t_s)) and order_id
            yield (float(t_s), order_id, "".join(arm)) if sound else None
        except StopIteration:
            return
        except (csv.Error, ValueError):
            yield None


def read_ledger(path: Path) -> pl.DataFrame | None:
    """The shop's orders: ``t_s`` (seconds since the epoch) and ``order_id``; None without a ledger.

    Nothing is written beside it. Raises ValueError when it is not a readable ledger, and OSError.
    """
    try:
        open_regular(path).close()
    except FileNotFoundError:
        return None
    beside = [path.with_name(path.name + tail) for tail in COMPANIONS]
    waiting = [companion for companion in beside if _holds(companion)]
    try:
        if waiting:
            return _frame(_rows_with(path, waiting))
        return _frame(_rows(f"{path.resolve().as_uri()}?mode=ro&immutable=1"))
    except (sqlite3.Error, ValueError) as error:
        raise ValueError(f"{path.name}: {error}") from None


def _holds(path: Path) -> bool:
    """Whether there is anything in a file that SQLite may have left empty."""
    with suppress(FileNotFoundError), open_regular(path) as file:
        return bool(file.read(1))
    return False


def _rows_with(path: Path, waiting: list[Path]) -> list[Any]:
    """The rows, with those that wait beside the database: read in a copy, which SQLite mends."""
    with tempfile.TemporaryDirectory(prefix="loadgate-ledger-") as folder:
        for source in (path, *waiting):
            with open_regular(source) as file, (Path(folder) / source.name).open("wb") as copy:
                shutil.copyfileobj(file, copy)
        return _rows((Path(folder) / path.name).as_uri())


def _rows(uri: str) -> list[Any]:
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        return connection.execute("SELECT created_t_s, order_id FROM orders").fetchall()


def _frame(rows: list[Any]) -> pl.DataFrame:
    for t_s, order_id in rows:
        if not is_moment(t_s) or not isinstance(order_id, str) or not order_id:
            raise ValueError(f"no order: {order_id!r:.60} at {t_s!r:.60}")
    orders = [(float(t_s), order_id) for t_s, order_id in rows]
    return pl.DataFrame(orders, schema={"t_s": pl.Float64, "order_id": pl.String}, orient="row")


def settle_ledger(path: Path) -> None:
    """Put what a killed shop left beside its ledger into it, and leave nothing beside it.

    For the run's own end only: judging changes nothing. A ledger that SQLite cannot read stays as
    it is, and the judge says so.
    """
    if path.is_file():
        with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
