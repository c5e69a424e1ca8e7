"""Writes a shop's ledger of orders, copied from a database, as ``read_orders`` reads it."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

TABLES: Mapping[str, tuple[str, ...]] = {
    "orders": (
        "order_id TEXT PRIMARY KEY", "checkout_id TEXT", "payment_id TEXT", "user_id TEXT",
        "created_t_s REAL", "request_id TEXT", "amount_cents INTEGER",
    ),
    "order_items": ("order_id TEXT", "sku TEXT", "quantity INTEGER"),
    "stock": ("sku TEXT PRIMARY KEY", "quantity INTEGER"),
}  # fmt: skip
"""Columns of each, in the order of the rows."""
Rows = Iterable[Sequence[Any]]


def columns_of(table: str) -> tuple[str, ...]:
    """Their names."""
    return tuple(column.partition(" ")[0] for column in TABLES[table])


def copy_orders(path: Path, rows: Mapping[str, Rows]) -> None:
    """Write all of them or, where reading or writing fails, no file. Raises OSError."""
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(unfinished)) as copy, copy:
            for table, columns in TABLES.items():
                copy.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
                values = ", ".join("?" * len(columns))
                copy.executemany(f"INSERT INTO {table} VALUES ({values})", rows[table])
        unfinished.replace(path)
    except sqlite3.Error as error:
        raise OSError(f"{path.name}: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
