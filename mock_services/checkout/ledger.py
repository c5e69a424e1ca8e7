"""checkout's tables: what was started, what became an order, what was in stock.

A checkout or an order is told to the client only after it is committed. Nothing of it is in
memory, so what is remembered costs none.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass

import orjson

from mock_services.checkout.settings import CheckoutSettings
from mock_services.checkout.tables import POSTGRES, SQLITE
from mock_services.kit import money
from mock_services.kit.ledger import Ledger, Statement
from mock_services.kit.store import FileStore, Store

_KEEP = """
INSERT INTO coupons VALUES (?, ?) ON CONFLICT (cart_id) DO UPDATE SET applied_s = excluded.applied_s
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


class CheckoutLedger:
    """Reads and writes them, in a file or in a PostgreSQL. Every method raises LedgerError."""

    def __init__(self, told: CheckoutSettings) -> None:
        self._tables = POSTGRES if told.ledger else SQLITE
        self.store = _store(told)

    async def issued(self) -> int:
        """The number after which those of this process begin: none was ever given."""
        rows = await self.store.read(self._tables.issued)
        return int(rows[0][0]) if rows else 0

    async def pending(self) -> int:
        """How many checkouts are started and not confirmed."""
        return int((await self.store.read("SELECT count(*) FROM checkouts"))[0][0])

    async def taken(self) -> Counter[str]:
        """Pieces of each SKU that are sold, or reserved by a checkout."""
        pieces: Counter[str] = Counter()
        for sku, quantity in await self.store.read("SELECT sku, quantity FROM order_items"):
            pieces[sku] += quantity
        for (items,) in await self.store.read("SELECT items FROM checkouts"):
            pieces.update(orjson.loads(items))
        return pieces

    async def checkout(self, checkout_id: str) -> Checkout | None:
        """A checkout that is not confirmed; perhaps its time is over."""
        number = money.checkout_number(checkout_id)
        rows = await self.store.read("SELECT * FROM checkouts WHERE number = ?", number)
        return _checkout(*rows[0]) if rows else None

    async def expired(self, before_s: float) -> list[Checkout]:
        """Some of the checkouts started before that."""
        query = "SELECT * FROM checkouts WHERE started_s < ? LIMIT ?"
        rows = await self.store.read(query, before_s, EXPIRED_AT_ONCE)
        return [_checkout(*row) for row in rows]

    async def order(self, checkout_id: str) -> Order | None:
        """The order of a confirmed checkout."""
        rows = await self.store.read("SELECT * FROM orders WHERE checkout_id = ?", checkout_id)
        return Order(*rows[0]) if rows else None

    async def has_coupon(self, cart_id: str, since_s: float) -> bool:
        """Whether a coupon has been applied to a cart since then."""
        query = "SELECT 1 FROM coupons WHERE cart_id = ? AND applied_s >= ?"
        return bool(await self.store.read(query, cart_id, since_s))

    async def keep_coupon(self, cart_id: str, applied_s: float) -> None:
        """Remember that one is applied."""
        await self.store.write((_KEEP, [(cart_id, applied_s)]))

    async def start(self, one: Checkout) -> None:
        """Remember a checkout."""
        items = orjson.dumps(one.items).decode()
        row = (one.number, one.user_id, one.lock_id, items, one.total_cents, one.started_s)
        await self.store.write(("INSERT INTO checkouts VALUES (?, ?, ?, ?, ?, ?)", [row]))

    async def sell(self, order: Order, checkout: Checkout, per_sku: int | None) -> None:
        """Make a checkout an order; `per_sku` is what there was to sell of each SKU."""
        items = [(order.order_id, sku, quantity) for sku, quantity in checkout.items.items()]
        # In one order: two sales that wait for each other's SKU would never end.
        stock = [] if per_sku is None else [(sku, per_sku) for sku in sorted(checkout.items)]
        await self.store.write(
            ("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?)", [astuple(order)]),
            ("INSERT INTO order_items VALUES (?, ?, ?)", items),
            ("INSERT INTO stock VALUES (?, ?) ON CONFLICT DO NOTHING", stock),
            _forgotten([checkout]),
        )

    async def take_back(self, order: Order) -> None:
        """Undo a sale that no client has seen."""
        row = [(order.order_id,)]
        await self.store.write(
            ("DELETE FROM orders WHERE order_id = ?", row),
            ("DELETE FROM order_items WHERE order_id = ?", row),
        )

    async def remove(self, prefix: str) -> dict[str, int]:
        """Everything of users who are called so; how much of what there was."""
        counts = {table: await self._count(table, prefix) for table in ("orders", "checkouts")}
        row = [(len(prefix), prefix)]
        await self.store.write(
            (f"DELETE FROM order_items WHERE order_id IN (SELECT order_id {_THEIRS})", row),
            ("DELETE FROM orders WHERE substr(user_id, 1, ?) = ?", row),
            ("DELETE FROM checkouts WHERE substr(user_id, 1, ?) = ?", row),
        )
        return counts

    async def _count(self, table: str, prefix: str) -> int:
        query = f"SELECT count(*) FROM {table} WHERE substr(user_id, 1, ?) = ?"
        return int((await self.store.read(query, len(prefix), prefix))[0][0])

    async def forget(self, checkouts: Iterable[Checkout], coupons_before_s: float) -> None:
        """Forget checkouts, and the coupons applied before that."""
        coupons: Statement = ("DELETE FROM coupons WHERE applied_s < ?", [(coupons_before_s,)])
        await self.store.write(_forgotten(checkouts), coupons)


def _store(told: CheckoutSettings) -> Store:
    if told.ledger is None:
        file = Ledger(told.ledger_path, "orders", SQLITE.schema, told.ledger_commit_interval_s)
        return FileStore(file)
    from mock_services.kit.postgres import PostgresStore  # its driver is an extra

    url, schema = told.ledger.get_secret_value(), told.ledger_schema
    return PostgresStore(url, schema, "orders", POSTGRES.schema, told.ledger_connections)


def _forgotten(checkouts: Iterable[Checkout]) -> Statement:
    return "DELETE FROM checkouts WHERE number = ?", [(one.number,) for one in checkouts]


def _checkout(
    number: int, user_id: str, lock_id: str, items: str, total_cents: int, started_s: float
) -> Checkout:
    return Checkout(number, user_id, lock_id, orjson.loads(items), total_cents, started_s)
