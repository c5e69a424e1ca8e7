"""A bounded connection pool: waiters in strict order, a wait timeout, and a record of both."""

import asyncio
import time
from collections import deque
from math import nan

from mock_services.kit.tally import Tally

ACQUIRE_BOUNDS_S = (0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
HOLD_BOUNDS_S = tuple(0.001 * 2**k for k in range(20))
"""1 ms to 524 s: fine enough for a simulation of the pool to draw from (docs/statistics.md)."""


class PoolExhaustedError(Exception):
    """No connection became free within the wait timeout. Carries the pool as it was then."""

    def __init__(self, pool: "Pool", wait_timeout_s: float) -> None:
        super().__init__(f"no available connections, waited {wait_timeout_s * 1000:.0f}ms")
        self.pool = pool
        self.pool_max = pool.max
        self.pool_active = pool.active
        self.pool_waiting = pool.waiting


class Lease:
    """One connection in use. Give it back with release(); doing so twice is harmless."""

    __slots__ = ("_granted_s", "_pool", "waited_s")

    def __init__(self, pool: "Pool", granted_s: float, waited_s: float) -> None:
        self._pool: Pool | None = pool
        self._granted_s = granted_s
        self.waited_s = waited_s

    def release(self) -> None:
        """Give the connection back to the pool."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            pool._take_back(time.perf_counter() - self._granted_s)


class Pool:
    """At most `max` connections in use; who waits longest is served first.

    Belongs to one event loop. `max` can change at any time: growing serves waiters at once;
    after shrinking nobody is served until enough connections came back.
    """

    __slots__ = (
        "_waiters",
        "abandoned",
        "acquire_s",
        "active",
        "hold_s",
        "max",
        "name",
        "replica",
        "timeouts",
        "wait_timeout_seconds",
    )

    def __init__(self, name: str, replica: str, max_connections: int) -> None:
        self.name = name
        self.replica = replica
        self.max = max_connections
        self.active = 0
        self.timeouts = 0
        self.abandoned = 0
        self.wait_timeout_seconds = nan
        self.acquire_s = Tally(ACQUIRE_BOUNDS_S)
        self.hold_s = Tally(HOLD_BOUNDS_S)
        self._waiters: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return len(self._waiters)

    @property
    def idle(self) -> int:
        """Connections that could be taken at once."""
        return max(0, self.max - self.active)

    async def acquire(self, wait_timeout_s: float) -> Lease:
        """Take a connection, after everybody who asked before.

        Raises PoolExhaustedError after `wait_timeout_s` seconds.
        """
        asked_s, self.wait_timeout_seconds = time.perf_counter(), wait_timeout_s
        if self.active < self.max and not self._waiters:
            self.active += 1
            self.acquire_s.observe(0.0)
            return Lease(self, asked_s, 0.0)
        await self._wait(wait_timeout_s)
        granted_s = time.perf_counter()
        self.acquire_s.observe(granted_s - asked_s)
        return Lease(self, granted_s, granted_s - asked_s)

    def resize(self, max_connections: int) -> None:
        """Change the limit; takes effect at once."""
        self.max = max_connections
        self._serve()

    async def _wait(self, wait_timeout_s: float) -> None:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiters.append(waiter)
        timer = loop.call_later(wait_timeout_s, self._time_out, waiter, wait_timeout_s)
        try:
            await waiter
        except asyncio.CancelledError:
            self._forget(waiter)
            raise
        finally:
            timer.cancel()
            del waiter  # it has the error whose traceback has this frame: nobody else would free it

    def _time_out(self, waiter: asyncio.Future[None], wait_timeout_s: float) -> None:
        if waiter.done():
            return
        self.timeouts += 1
        self.acquire_s.observe(wait_timeout_s)
        waiter.set_exception(PoolExhaustedError(self, wait_timeout_s))  # counts this waiter too
        self._waiters.remove(waiter)

    def _forget(self, waiter: asyncio.Future[None]) -> None:
        """A waiter was cancelled: leave the queue, or give back what it was just granted."""
        if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
            self.active -= 1
            self._serve()
        elif waiter in self._waiters:
            self._waiters.remove(waiter)

    def _take_back(self, held_s: float) -> None:
        self.hold_s.observe(held_s)
        self.active -= 1
        self._serve()

    def _serve(self) -> None:
        """Grant free connections to the front of the queue.

        Counted as active here and not when the waiter wakes up, so nobody can slip in between.
        """
        while self._waiters and self.active < self.max:
            waiter = self._waiters.popleft()
            if not waiter.done():
                self.active += 1
                waiter.set_result(None)
