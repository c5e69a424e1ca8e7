"""Locks on stock with a time to live, each with the connection it may hold."""

import asyncio
import itertools
import time
from collections import OrderedDict
from dataclasses import dataclass

from mock_services.inventory_lock.sweeper import Sweeper
from mock_services.kit.pool import Lease

EXPIRED_REMEMBERED = 1_000
"""Expired ids kept so that a late release gets "expired" and not "unknown".

Two minutes of the seed's: gathering more looked like a leak in `lock-pool`, which measures twelve.
"""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock in force. `lease` is the connection it holds, if it holds one."""

    lease: Lease | None
    expiry: asyncio.TimerHandle


class LockTable:
    """Locks by id. Expiry is a timer of the event loop for each: exact, and no polling.

    A lock that has expired is in force no longer; its connection waits for the sweeper. There is
    no ledger of locks, so ids count on from the microsecond of the start: no restart can reuse
    one, as nobody takes a million locks a second.
    """

    def __init__(self, sweeper: Sweeper) -> None:
        self._sweeper = sweeper
        self._locks: dict[str, Lock] = {}
        self._expired: OrderedDict[str, None] = OrderedDict()
        self._numbers = itertools.count(time.time_ns() // 1000)
        self.expired_total = 0

    def __len__(self) -> int:
        return len(self._locks)

    def add(self, ttl_s: float, lease: Lease | None) -> str:
        """Put a lock in force and return its id; it expires after `ttl_s` seconds."""
        lock_id = f"lock-{next(self._numbers)}"
        timer = asyncio.get_running_loop().call_later(ttl_s, self._expire, lock_id)
        self._locks[lock_id] = Lock(lease, timer)
        return lock_id

    def release(self, lock_id: str) -> bool:
        """End a lock and give its connection back; False when it is not in force."""
        lock = self._locks.pop(lock_id, None)
        if lock is None:
            return False
        lock.expiry.cancel()
        if lock.lease is not None:
            lock.lease.release()
        return True

    def has_expired(self, lock_id: str) -> bool:
        """Whether a lock that is not in force was so until its time was up."""
        return lock_id in self._expired

    def _expire(self, lock_id: str) -> None:
        lock = self._locks.pop(lock_id)
        self.expired_total += 1
        self._expired[lock_id] = None
        if len(self._expired) > EXPIRED_REMEMBERED:
            self._expired.popitem(last=False)
        if lock.lease is not None:
            self._sweeper.add(lock.lease)
