"""Reads the shop's ledgers, SQLite files: its orders with what was in stock, and its payments."""

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from recording.clock import is_moment
from recording.files import open_regular
from recording.rundir import COMPANIONS

T = TypeVar("T")
Schema = Mapping[str, Any]

_ORDERS: Schema = {"t_s": pl.Float64, "order_id": pl.String}
_BOUGHT: Schema = {"checkout_id": pl.String, "payment_id": pl.String, "amount_cents": pl.Int64}
_STOCK: Schema = {"sku": pl.String, "quantity": pl.Int64, "sold": pl.Int64}
PAYMENTS_SCHEMA: Schema = {
    "t_s": pl.Float64, "payment_id": pl.String, "checkout_id": pl.String, "amount_cents": pl.Int64,
}  # fmt: skip
_AT_ONCE = 100_000
"""Rows: 48 hours have 14 million, which are no tuples all at once."""
_HAS_AMOUNTS = "SELECT 1 FROM pragma_table_info('orders') WHERE name = 'amount_cents'"
_SOLD = """
SELECT sku, s.quantity, coalesce(sum(i.quantity), 0)
FROM stock s LEFT JOIN order_items i USING (sku) GROUP BY sku ORDER BY sku
"""
_PAID = """
SELECT created_t_s, payment_id, checkout_id, amount_cents FROM payments
WHERE status = 'succeeded' ORDER BY created_t_s, rowid
"""


@dataclass(frozen=True, slots=True)
class OrderLedger:
    """The shop's orders: ``t_s`` (seconds since the epoch) and ``order_id``.

    ``stock`` has, by ``sku`` of limited stock, the ``quantity`` there was and the pieces ``sold``.
    None: the ledger knows no money, and its orders no ``checkout_id``, ``payment_id`` and
    ``amount_cents``.
    """

    orders: pl.DataFrame
    stock: pl.DataFrame | None = None


def read_orders(path: Path) -> OrderLedger | None:
    """None without a ledger. Nothing is written beside it.

    Raises ValueError when it is not a readable ledger, and OSError.
    """
    return _read(path, _orders)


def read_payments(path: Path) -> pl.DataFrame | None:
    """The payments that succeeded, the earliest first; otherwise as `read_orders`."""
    return _read(path, lambda ledger: _table(ledger, _PAID, PAYMENTS_SCHEMA, "payment"))


def _orders(ledger: sqlite3.Connection) -> OrderLedger:
    if not ledger.execute(_HAS_AMOUNTS).fetchone():
        query = "SELECT created_t_s, order_id FROM orders"
        return OrderLedger(_table(ledger, query, _ORDERS, "order"))
    query = f"SELECT created_t_s, order_id, {', '.join(_BOUGHT)} FROM orders"
    orders = _table(ledger, query, {**_ORDERS, **_BOUGHT}, "order")
    return OrderLedger(orders, _table(ledger, _SOLD, _STOCK, "stock"))


def _table(ledger: sqlite3.Connection, query: str, schema: Schema, what: str) -> pl.DataFrame:
    parts = [pl.DataFrame(schema=schema)]
    cursor = ledger.execute(query)
    while rows := cursor.fetchmany(_AT_ONCE):
        columns = dict(zip(schema, zip(*rows, strict=True), strict=True))
        if not all(_SOUND[schema[name]](column) for name, column in columns.items()):
            row = next(row for row in rows if not _is_sound(row, schema))
            raise ValueError(f"no {what}: {row!r:.120}")
        parts.append(pl.DataFrame(columns, schema=schema))
    return pl.concat(parts)


def _is_sound(row: Sequence[Any], schema: Schema) -> bool:
    cells = zip(schema.values(), row, strict=True)
    return all(_SOUND[kind]((cell,)) for kind, cell in cells)


_SOUND: Mapping[Any, Callable[[Sequence[Any]], bool]] = {
    pl.Float64: lambda moments: all(map(is_moment, moments)),
    pl.String: lambda texts: {*map(type, texts)} <= {str} and all(texts),
    pl.Int64: lambda numbers: {*map(type, numbers)} <= {int},
}
"""Of all values of a column. What SQLite holds is of these types, whatever a column is called."""


def _read(path: Path, ask: Callable[[sqlite3.Connection], T]) -> T | None:
    try:
        open_regular(path).close()
    except FileNotFoundError:
        return None
    beside = [path.with_name(path.name + tail) for tail in COMPANIONS]
    waiting = [companion for companion in beside if _holds(companion)]
    try:
        if waiting:
            return _asked_with(path, waiting, ask)
        return _asked(f"{path.resolve().as_uri()}?mode=ro&immutable=1", ask)
    except (sqlite3.Error, ValueError) as error:
        raise ValueError(f"{path.name}: {error}") from None


def _holds(path: Path) -> bool:
    """Whether there is anything in a file that SQLite may have left empty."""
    with suppress(FileNotFoundError), open_regular(path) as file:
        return bool(file.read(1))
    return False


def _asked_with(path: Path, waiting: list[Path], ask: Callable[[sqlite3.Connection], T]) -> T:
    """With what waits beside the database: asked in a copy, which SQLite mends."""
    with tempfile.TemporaryDirectory(prefix="loadgate-ledger-") as folder:
        for source in (path, *waiting):
            with open_regular(source) as file, (Path(folder) / source.name).open("wb") as copy:
                shutil.copyfileobj(file, copy)
        return _asked((Path(folder) / path.name).as_uri(), ask)


def _asked(uri: str, ask: Callable[[sqlite3.Connection], T]) -> T:
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        return ask(connection)


def settle_ledger(path: Path) -> None:
    """Put what a killed shop left beside its ledger into it, and leave nothing beside it.

    For the run's own end only: judging changes nothing. A ledger that SQLite cannot read stays as
    it is, and the judge says so.
    """
    if path.is_file():
        with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
