"""Sweepers of expired locks, in virtual time."""

from __future__ import annotations

import asyncio

import pytest
from virtual_time import play

from mock_services.inventory_lock.locks import LockTable
from mock_services.inventory_lock.sweeper import Sweeper
from mock_services.kit.pool import Pool


class Rate:
    """How fast they sweep; can be changed."""

    def __init__(self, per_s: float) -> None:
        self.per_s = per_s
        self.sweeper = Sweeper(lambda: self.per_s)
        self.pool = Pool("locks", "0", 1000)

    async def expire(self, count: int) -> None:
        for _ in range(count):
            self.sweeper.add(await self.pool.acquire(1))


@pytest.mark.parametrize(("per_s", "swept"), [(2.0, 21), (0.5, 6), (0.0, 100)])
def test_so_many_a_second_and_no_more(per_s: float, swept: int) -> None:
    """Of a hundred expired at once; the first goes at once, as the sweeper was idle."""

    async def scenario() -> tuple[int, int]:
        at = Rate(per_s)
        await at.expire(100)
        await asyncio.sleep(10.01)
        return 100 - len(at.sweeper), 100 - at.pool.active

    assert play(scenario()) == (swept, swept)


def test_idle_sweepers_save_nothing_up() -> None:
    """After an hour without work the next ten take as long as ever."""

    async def scenario() -> int:
        at = Rate(1.0)
        await at.expire(1)
        await asyncio.sleep(3600)
        await at.expire(10)
        await asyncio.sleep(4.5)
        return len(at.sweeper)

    assert play(scenario()) == 5


@pytest.mark.parametrize(("faster", "left"), [(10.0, 78), (0.0, 0)])
def test_more_of_them_count_at_once(faster: float, left: int) -> None:
    """A sweep that was a long way off is brought forward."""

    async def scenario() -> int:
        at = Rate(0.001)
        await at.expire(100)
        at.per_s = faster
        at.sweeper.hurry()
        await asyncio.sleep(2.15)
        return len(at.sweeper)

    assert play(scenario()) == left


def test_an_expired_lock_is_no_lock_and_holds_its_connection() -> None:
    """Not in force, not to be released, its connection taken until it is swept."""

    async def scenario() -> tuple[list[object], list[object]]:
        at = Rate(0.1)
        locks = LockTable(at.sweeper)
        ids = [locks.add(5.0, await at.pool.acquire(1)) for _ in range(3)]
        await asyncio.sleep(6)
        expired = [len(locks), locks.release(ids[2]), locks.has_expired(ids[2]), at.pool.active]
        await asyncio.sleep(20)
        return expired, [locks.has_expired(ids[2]), at.pool.active]

    assert play(scenario()) == ([0, False, True, 2], [True, 0])


def test_ids_go_on_after_a_restart() -> None:
    """The seed's shape, and none of them twice: a table made later begins behind the earlier."""

    async def scenario() -> list[str]:
        ids: list[str] = []
        for _ in range(5):
            locks = LockTable(Sweeper(lambda: 0.0))
            ids += [locks.add(1.0, None) for _ in range(3)]
            await asyncio.to_thread(lambda: None)
        return ids

    ids = asyncio.run(scenario())
    assert len({*ids}) == 15
    assert all(one.startswith("lock-") and one[5:].isdigit() for one in ids)
