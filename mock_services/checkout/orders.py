"""Turning a checkout into exactly one order."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from mock_services.checkout.checkouts import Checkout, Checkouts
from mock_services.checkout.ledger import Ledger, Order
from mock_services.kit import money
from mock_services.kit.ledger import LedgerError

RESTART_GAP = 100_000
"""Checkout ids skipped after a restart: more than can be pending (88/s x 900 s = 79,200), so
an id handed out before, but never confirmed, is not handed out again."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The order of a checkout. `lock_id` is set for the one call that made it an order."""

    order_id: str
    lock_id: str | None = None


class OrderDesk:
    """Checkouts in memory, orders in the ledger."""

    def __init__(self, checkouts: Checkouts, ledger: Ledger, now_s: Callable[[], float]) -> None:
        self._checkouts = checkouts
        self._ledger = ledger
        self._now_s = now_s
        self._issued = 0

    def open(self) -> None:
        """Open the ledger and go on with ids where it ends. Raises LedgerError."""
        self._ledger.open()
        self._issued = money.trailing_number(self._ledger.last_order_id() or "0")
        before = self._ledger.highest_checkout_id()
        self._checkouts.issued = money.trailing_number(before) + RESTART_GAP if before else 0

    def close(self) -> None:
        """Commit what is queued."""
        self._ledger.close()

    async def confirm(
        self, checkout_id: str, payment_id: str, request_id: str
    ) -> Confirmation | None:
        """The order of a checkout: made now, or the one there is; None for no such checkout.

        Raises LedgerError when it could not be written; the checkout can then be tried again.
        """
        known = self._checkouts.order_of(checkout_id)
        if known is not None:
            return Confirmation(known)
        checkout = self._checkouts.pending(checkout_id)
        if checkout is None:  # perhaps confirmed long ago, or before a restart
            stored = self._ledger.order_of(checkout_id)
            return None if stored is None else Confirmation(stored)
        if checkout.order is not None:
            return await _same_order(checkout.order)
        return await self._record(checkout, payment_id, request_id)

    async def _record(self, checkout: Checkout, payment_id: str, request_id: str) -> Confirmation:
        self._issued += 1
        order = Order(
            order_id=f"ord-lt-{self._issued:05d}",
            checkout_id=checkout.checkout_id,
            payment_id=payment_id,
            user_id=checkout.user_id,
            created_t_s=self._now_s(),
            request_id=request_id,
        )
        checkout.order = asyncio.get_running_loop().create_future()
        committed: str | None = None
        try:
            await self._ledger.append(order)
            committed = order.order_id
            self._checkouts.confirmed(checkout.checkout_id, committed)
        finally:
            checkout.order.set_result(committed)
            checkout.order = None
        return Confirmation(order.order_id, checkout.lock_id)


async def _same_order(order: asyncio.Future[str | None]) -> Confirmation:
    """What the confirmation under way comes to."""
    order_id = await asyncio.shield(order)
    if order_id is None:
        raise LedgerError("the confirmation this one waited for failed")
    return Confirmation(order_id)
