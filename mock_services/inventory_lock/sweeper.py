"""Frees the connections of expired locks, no faster than the replicas' sweepers can."""

import asyncio
from collections import deque
from collections.abc import Callable

from mock_services.kit.pool import Lease


class Sweeper:
    """The sweepers of all replicas as one: they share the table, the oldest lock comes first.

    ``per_s`` says how many they free a second together, 0 means at once. Idle ones save nothing
    up, busy ones lose nothing to a timer that fires late.
    """

    def __init__(self, per_s: Callable[[], float]) -> None:
        self._per_s = per_s
        self._expired: deque[Lease] = deque()
        self._next_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """Expired locks that still hold their connection."""
        return len(self._expired)

    def add(self, lease: Lease) -> None:
        """A lock has expired that holds this connection."""
        self._expired.append(lease)
        if self._timer is None:
            self._next_s = max(self._next_s, asyncio.get_running_loop().time())
            self._sweep()

    def hurry(self) -> None:
        """There may be more of them now, or faster ones."""
        if self._timer is None:
            return
        self._timer.cancel()
        per_s, now_s = self._per_s(), asyncio.get_running_loop().time()
        self._next_s = min(self._next_s, now_s + 1 / per_s if per_s else now_s)
        self._sweep()

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now_s, per_s = loop.time(), self._per_s()
        while self._expired and (not per_s or self._next_s <= now_s):
            self._expired.popleft().release()
            self._next_s += 1 / per_s if per_s else 0.0
        self._timer = loop.call_at(self._next_s, self._sweep) if self._expired else None
