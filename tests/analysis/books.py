"""Both ledgers of a shop, written by hand: two orders that add up, and every way they may not."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from recording.orders import UnconfirmedOrdersWriter
from recording.rundir import RunDir

ORDERS = """
CREATE TABLE orders(order_id TEXT PRIMARY KEY, checkout_id TEXT UNIQUE NOT NULL,
    payment_id TEXT NOT NULL, user_id TEXT NOT NULL, created_t_s REAL NOT NULL,
    request_id TEXT NOT NULL, amount_cents INTEGER NOT NULL);
CREATE TABLE order_items(order_id TEXT, sku TEXT, quantity INTEGER);
CREATE TABLE stock(sku TEXT PRIMARY KEY, quantity INTEGER);
"""
PAYMENTS = """
CREATE TABLE payments(payment_id TEXT PRIMARY KEY, checkout_id TEXT NOT NULL, status TEXT NOT NULL,
    amount_cents INTEGER NOT NULL, created_t_s REAL NOT NULL, request_id TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Books:
    """What to write: each field is what a test may change."""

    orders: Sequence[tuple[str, str, str, int]] = (
        ("ord-1", "chk-1", "pay-1", 8999),
        ("ord-2", "chk-2", "pay-2", 1050),
    )
    """Order, checkout, payment, cents."""
    items: Sequence[tuple[str, str, int]] = (("ord-1", "SKU-1", 1), ("ord-2", "SKU-1", 2))
    stock: Sequence[tuple[str, int]] = (("SKU-1", 3),)
    payments: Sequence[tuple[str, str, str, int]] | None = (
        ("pay-1", "chk-1", "succeeded", 8999),
        ("pay-2", "chk-2", "succeeded", 1050),
        ("pay-3", "chk-3", "card_declined", 700),
    )
    """Payment, checkout, status, cents, in the order they were made."""
    given_up: Sequence[tuple[float, str, str]] | None = ()
    """When, checkout, payment."""
    t_s: float = 2.0

    def write(self, run: RunDir, arm: str = "") -> None:
        """Into a run directory."""
        with closing(sqlite3.connect(run.orders_of(arm))) as ledger:
            ledger.executescript(ORDERS)
            rows = [(o, c, p, "lt-user-00001", self.t_s, "r", n) for o, c, p, n in self.orders]
            ledger.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            ledger.executemany("INSERT INTO order_items VALUES (?, ?, ?)", self.items)
            ledger.executemany("INSERT INTO stock VALUES (?, ?)", self.stock)
            ledger.commit()
        if self.payments is not None:
            with closing(sqlite3.connect(run.payments_of(arm))) as ledger:
                ledger.executescript(PAYMENTS)
                made = [(*row, self.t_s + i, "r") for i, row in enumerate(self.payments)]
                ledger.executemany("INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?)", made)
                ledger.commit()
        if self.given_up is not None:
            with UnconfirmedOrdersWriter(run.unconfirmed) as file:
                file.write((t_s, checkout, pay, arm) for t_s, checkout, pay in self.given_up)
