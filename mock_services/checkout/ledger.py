"""The orders of record.

An order is confirmed to the client only after it is committed.
"""

from dataclasses import astuple, dataclass
from pathlib import Path

from mock_services.kit import ledger

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    order_id    TEXT PRIMARY KEY,
    checkout_id TEXT UNIQUE NOT NULL,
    payment_id  TEXT NOT NULL,
    user_id     TEXT NOT NULL,
    created_t_s REAL NOT NULL,
    request_id  TEXT NOT NULL
)
"""
_INSERT = "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Order:
    """One row."""

    order_id: str
    checkout_id: str
    payment_id: str
    user_id: str
    created_t_s: float
    request_id: str


class Ledger(ledger.Ledger):
    """Appends orders to one file."""

    def __init__(self, path: Path | None, commit_interval_s: float) -> None:
        super().__init__(path, "orders", _SCHEMA, commit_interval_s)

    async def append(self, order: Order) -> None:
        """Return once the order is committed. Raises LedgerError when it could not be."""
        await self.write((_INSERT, [astuple(order)]))

    def order_of(self, checkout_id: str) -> str | None:
        """Order id of a confirmed checkout."""
        return self._first("SELECT order_id FROM orders WHERE checkout_id = ?", checkout_id)

    def last_order_id(self) -> str | None:
        """The order id confirmed last, over all processes that wrote this file."""
        return self._first("SELECT order_id FROM orders ORDER BY rowid DESC LIMIT 1")

    def highest_checkout_id(self) -> str | None:
        """The highest checkout id with an order (longer ids are higher)."""
        return self._first(
            "SELECT checkout_id FROM orders ORDER BY length(checkout_id) DESC, checkout_id DESC"
            " LIMIT 1"
        )

    def _first(self, query: str, *values: str) -> str | None:
        rows = self.read(query, *values)
        return str(rows[0][0]) if rows else None
