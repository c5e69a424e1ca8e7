"""Turning a checkout into exactly one order."""

import asyncio
import time
from collections.abc import Callable, Mapping
from weakref import WeakValueDictionary

from mock_services.checkout.ledger import Checkout, CheckoutLedger, Order
from mock_services.checkout.settings import CheckoutSettings
from mock_services.checkout.stock import Stock
from mock_services.kit.errors import refused

COUPON_TTL_S = 1800.0
"""As long as cart-service keeps a cart that nobody touches."""


class OrderDesk:
    """Checkouts, orders, coupons and stock, all in the ledger.

    `now_s` are seconds of the run, which orders carry; `clock` is the wall clock, by which
    checkouts and coupons expire.
    """

    def __init__(
        self,
        settings: Callable[[], CheckoutSettings],
        now_s: Callable[[], float],
        clock: Callable[[], float] = time.time,
    ) -> None:
        told = settings()
        self._settings = settings
        self._now_s = now_s
        self._clock = clock
        self._ledger = CheckoutLedger(told)
        self.commits = self._ledger.store.commits
        self._stock = Stock(settings)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._issued = 0
        self.pending = 0

    async def open(self) -> None:
        """Open the ledger and go on where it ends. Raises LedgerError."""
        await self._ledger.store.open()
        self._issued = await self._ledger.issued()
        self.pending = await self._ledger.pending()
        if self._settings().stock_per_sku is not None:
            self._stock.taken = await self._ledger.taken()

    async def close(self) -> None:
        """Commit what is queued."""
        await self._ledger.store.close()

    def turn(self, checkout_id: str) -> asyncio.Lock:
        """Held by the one confirmation of a checkout that is under way."""
        return self._turns.setdefault(checkout_id, asyncio.Lock())

    async def keep_coupon(self, cart_id: str) -> None:
        """Apply a coupon to a cart."""
        await self._ledger.keep_coupon(cart_id, self._clock())

    async def has_coupon(self, cart_id: str) -> bool:
        """Whether one is applied."""
        return await self._ledger.has_coupon(cart_id, self._clock() - COUPON_TTL_S)

    def next_number(self) -> int:
        """Number of the next checkout."""
        self._issued += 1
        return self._issued

    def reserve(self, items: Mapping[str, int]) -> None:
        """Reserve stock, all of it or none. Raises RefusedError."""
        if missing := self._stock.take(items):
            raise refused(409, "OutOfStock", f"too few of {missing} are left", sku=missing)

    def give_back(self, items: Mapping[str, int]) -> None:
        """Return what was reserved."""
        self._stock.give_back(items)

    async def start(
        self, number: int, user_id: str, lock_id: str, items: Mapping[str, int], total_cents: int
    ) -> None:
        """A checkout is started. Raises LedgerError."""
        checkout = Checkout(number, user_id, lock_id, items, total_cents, self._clock())
        await self._ledger.start(checkout)
        self.pending += 1

    async def checkout(self, checkout_id: str) -> Checkout | None:
        """A checkout that can be confirmed."""
        found = await self._ledger.checkout(checkout_id)
        return found if found is not None and found.started_s >= self._over_s() else None

    async def order(self, checkout_id: str) -> Order | None:
        """The order of a confirmed one."""
        return await self._ledger.order(checkout_id)

    async def record(self, checkout: Checkout, payment_id: str, request_id: str) -> Order:
        """Make it an order. Raises LedgerError; it can then be tried again."""
        order = Order(
            order_id=f"ord-lt-{checkout.number:05d}",
            checkout_id=checkout.checkout_id,
            payment_id=payment_id,
            user_id=checkout.user_id,
            created_t_s=self._now_s(),
            request_id=request_id,
            amount_cents=checkout.total_cents,
        )
        await self._ledger.sell(order, checkout, self._settings().stock_per_sku)
        self.pending -= 1
        return order

    async def take_back(self, order: Order, checkout: Checkout) -> None:
        """Undo an order of which nobody has heard; its checkout has failed. Raises LedgerError."""
        await self._ledger.take_back(order)
        self._stock.give_back(checkout.items)

    async def remove(self, prefix: str) -> dict[str, int]:
        """Orders and checkouts of users who are called so, with what they took of the stock.

        Coupons are of carts, and expire. Raises LedgerError.
        """
        counts = await self._ledger.remove(prefix)
        self.pending = await self._ledger.pending()
        if self._settings().stock_per_sku is not None:
            self._stock.taken = await self._ledger.taken()
        return counts

    async def sweep(self) -> None:
        """Forget what has expired, and return its stock; not what is just being confirmed."""
        expired = await self._ledger.expired(self._over_s())
        over = [c for c in expired if c.checkout_id not in self._turns]
        await self._ledger.forget(over, self._clock() - COUPON_TTL_S)
        for checkout in over:
            self._stock.give_back(checkout.items)
        self.pending -= len(over)

    def _over_s(self) -> float:
        return self._clock() - self._settings().checkout_ttl_s
