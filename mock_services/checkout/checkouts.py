"""Checkouts between start and confirm, and what became of the confirmed ones."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

CONFIRMED_REMEMBERED = 100_000
"""Confirmed ids kept in memory; older ones are looked up in the ledger."""


@dataclass(slots=True)
class Checkout:
    """A started checkout. `order` is set while it is being confirmed: the second asker waits."""

    checkout_id: str
    user_id: str
    lock_id: str
    started_s: float
    order: asyncio.Future[str | None] | None = None


class Checkouts:
    """Bounded: what is not confirmed within `ttl_s` is forgotten."""

    def __init__(self, ttl_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.ttl_s = ttl_s
        self.issued = 0
        self._clock = clock
        self._pending: OrderedDict[str, Checkout] = OrderedDict()
        self._confirmed: OrderedDict[str, str] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pending)

    def new_id(self) -> str:
        """Id of the next checkout."""
        self.issued += 1
        return f"chk-lt-{self.issued:05d}"

    def add(self, checkout_id: str, user_id: str, lock_id: str) -> None:
        """A checkout has been started."""
        now_s = self._clock()
        self._forget_before(now_s - self.ttl_s)
        self._pending[checkout_id] = Checkout(checkout_id, user_id, lock_id, now_s)

    def pending(self, checkout_id: str) -> Checkout | None:
        """A checkout that can be confirmed."""
        self._forget_before(self._clock() - self.ttl_s)
        return self._pending.get(checkout_id)

    def order_of(self, checkout_id: str) -> str | None:
        """Order id of a checkout confirmed not long ago."""
        return self._confirmed.get(checkout_id)

    def confirmed(self, checkout_id: str, order_id: str) -> None:
        """A checkout has become an order."""
        self._pending.pop(checkout_id, None)
        self._confirmed[checkout_id] = order_id
        if len(self._confirmed) > CONFIRMED_REMEMBERED:
            self._confirmed.popitem(last=False)

    def _forget_before(self, started_s: float) -> None:
        while self._pending:
            oldest = next(iter(self._pending.values()))
            if oldest.started_s > started_s:
                return
            del self._pending[oldest.checkout_id]
