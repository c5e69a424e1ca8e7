"""checkout's tables: what was started, what became an order, what was in stock.

A checkout or an order is told to the client only after it is committed. Nothing of it is in
memory, so what is remembered costs none.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

import orjson

from mock_services.kit import money
from mock_services.kit.ledger import Ledger, Statement

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    order_id     TEXT PRIMARY KEY,
    checkout_id  TEXT UNIQUE NOT NULL,
    payment_id   TEXT NOT NULL,
    user_id      TEXT NOT NULL,
    created_t_s  REAL NOT NULL,
    request_id   TEXT NOT NULL,
    amount_cents INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS order_items (
    order_id TEXT NOT NULL,
    sku      TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    PRIMARY KEY (order_id, sku)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stock (sku TEXT PRIMARY KEY, quantity INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS checkouts (
    number      INTEGER PRIMARY KEY AUTOINCREMENT, -- none is given again, even after a DELETE
    user_id     TEXT NOT NULL,
    lock_id     TEXT NOT NULL,
    items       TEXT NOT NULL,
    total_cents INTEGER NOT NULL,
    started_s   REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS checkouts_started ON checkouts (started_s);
CREATE TABLE IF NOT EXISTS coupons (cart_id TEXT PRIMARY KEY, applied_s REAL NOT NULL)
    WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS coupons_applied ON coupons (applied_s);
"""
_TAKEN = """
SELECT sku, quantity FROM order_items
UNION ALL SELECT key, value FROM checkouts, json_each(checkouts.items)
"""
_THEIRS = "FROM orders WHERE substr(user_id, 1, ?) = ?"
EXPIRED_AT_ONCE = 1000
"""Checkouts forgotten in one go, so that a restart after a long time is no long pause."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """Started and not confirmed. `started_s` is wall-clock time: it outlives the process."""

    number: int
    user_id: str
    lock_id: str
    items: Mapping[str, int]
    total_cents: int
    started_s: float

    @property
    def checkout_id(self) -> str:
        """Its public id."""
        return money.checkout_id(self.number)


@dataclass(frozen=True, slots=True)
class Order:
    """One row."""

    order_id: str
    checkout_id: str
    payment_id: str
    user_id: str
    created_t_s: float
    request_id: str
    amount_cents: int


class CheckoutLedger(Ledger):
    """Reads and writes them."""

    def __init__(self, path: Path | None, commit_interval_s: float) -> None:
        super().__init__(path, "orders", _SCHEMA, commit_interval_s)

    def issued(self) -> int:
        """The highest number of a checkout that was ever started."""
        rows = self.read("SELECT seq FROM sqlite_sequence WHERE name = 'checkouts'")
        return int(rows[0][0]) if rows else 0

    def pending(self) -> int:
        """How many checkouts are started and not confirmed."""
        return int(self.read("SELECT count(*) FROM checkouts")[0][0])

    def taken(self) -> Counter[str]:
        """Pieces of each SKU that are sold, or reserved by a checkout."""
        pieces: Counter[str] = Counter()
        for sku, quantity in self.read(_TAKEN):
            pieces[sku] += quantity
        return pieces

    def checkout(self, checkout_id: str) -> Checkout | None:
        """A checkout that is not confirmed; perhaps its time is over."""
        number = money.checkout_number(checkout_id)
        rows = self.read("SELECT * FROM checkouts WHERE number = ?", number)
        return _checkout(*rows[0]) if rows else None

    def expired(self, before_s: float) -> list[Checkout]:
        """Some of the checkouts started before that."""
        query = "SELECT * FROM checkouts WHERE started_s < ? LIMIT ?"
        return [_checkout(*row) for row in self.read(query, before_s, EXPIRED_AT_ONCE)]

    def order(self, checkout_id: str) -> Order | None:
        """The order of a confirmed checkout."""
        rows = self.read("SELECT * FROM orders WHERE checkout_id = ?", checkout_id)
        return Order(*rows[0]) if rows else None

    def has_coupon(self, cart_id: str, since_s: float) -> bool:
        """Whether a coupon has been applied to a cart since then."""
        query = "SELECT 1 FROM coupons WHERE cart_id = ? AND applied_s >= ?"
        return bool(self.read(query, cart_id, since_s))

    async def keep_coupon(self, cart_id: str, applied_s: float) -> None:
        """Remember that one is applied."""
        await self.write(("INSERT OR REPLACE INTO coupons VALUES (?, ?)", [(cart_id, applied_s)]))

    async def start(self, one: Checkout) -> None:
        """Remember a checkout."""
        items = orjson.dumps(one.items).decode()
        row = (one.number, one.user_id, one.lock_id, items, one.total_cents, one.started_s)
        await self.write(("INSERT INTO checkouts VALUES (?, ?, ?, ?, ?, ?)", [row]))

    async def sell(self, order: Order, checkout: Checkout, per_sku: int | None) -> None:
        """Make a checkout an order; `per_sku` is what there was to sell of each SKU."""
        items = [(order.order_id, sku, quantity) for sku, quantity in checkout.items.items()]
        stock = [] if per_sku is None else [(sku, per_sku) for sku in checkout.items]
        await self.write(
            ("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?)", [astuple(order)]),
            ("INSERT INTO order_items VALUES (?, ?, ?)", items),
            ("INSERT OR IGNORE INTO stock VALUES (?, ?)", stock),
            _forgotten([checkout]),
        )

    async def take_back(self, order: Order) -> None:
        """Undo a sale that no client has seen."""
        row = [(order.order_id,)]
        await self.write(
            ("DELETE FROM orders WHERE order_id = ?", row),
            ("DELETE FROM order_items WHERE order_id = ?", row),
        )

    async def remove(self, prefix: str) -> dict[str, int]:
        """Everything of users who are called so; how much of what there was."""
        counts = {table: self._count(table, prefix) for table in ("orders", "checkouts")}
        row = [(len(prefix), prefix)]
        await self.write(
            (f"DELETE FROM order_items WHERE order_id IN (SELECT order_id {_THEIRS})", row),
            ("DELETE FROM orders WHERE substr(user_id, 1, ?) = ?", row),
            ("DELETE FROM checkouts WHERE substr(user_id, 1, ?) = ?", row),
        )
        return counts

    def _count(self, table: str, prefix: str) -> int:
        query = f"SELECT count(*) FROM {table} WHERE substr(user_id, 1, ?) = ?"
        return int(self.read(query, len(prefix), prefix)[0][0])

    async def forget(self, checkouts: Iterable[Checkout], coupons_before_s: float) -> None:
        """Forget checkouts, and the coupons applied before that."""
        coupons: Statement = ("DELETE FROM coupons WHERE applied_s < ?", [(coupons_before_s,)])
        await self.write(_forgotten(checkouts), coupons)


def _forgotten(checkouts: Iterable[Checkout]) -> Statement:
    return "DELETE FROM checkouts WHERE number = ?", [(one.number,) for one in checkouts]


def _checkout(
    number: int, user_id: str, lock_id: str, items: str, total_cents: int, started_s: float
) -> Checkout:
    return Checkout(number, user_id, lock_id, orjson.loads(items), total_cents, started_s)
