"""The bounded pool."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_services.kit.pool import Lease, Pool, PoolExhaustedError


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


async def settle() -> None:
    """Let everything that can run, run."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_waiters_are_served_in_the_order_they_came() -> None:
    """Who waits longest gets the next connection."""

    async def scenario() -> list[int]:
        pool = Pool("p", "0", 1)
        lease = await pool.acquire(10)
        served: list[int] = []

        async def wait(number: int) -> None:
            mine = await pool.acquire(10)
            served.append(number)
            mine.release()

        tasks = []
        for number in range(20):
            tasks.append(asyncio.create_task(wait(number)))
            await settle()
        lease.release()
        await asyncio.gather(*tasks)
        return served

    assert run(scenario()) == list(range(20))


def test_nobody_overtakes_a_waiter() -> None:
    """A connection given back belongs to the waiter even before the waiter has woken up."""

    async def scenario() -> tuple[bool, int]:
        pool = Pool("p", "0", 1)
        lease = await pool.acquire(10)
        waiter = asyncio.create_task(pool.acquire(10))
        await settle()
        lease.release()
        late = asyncio.create_task(pool.acquire(10))
        await settle()
        result = waiter.done() and not late.done(), pool.active
        (await waiter).release()
        (await late).release()
        return result

    assert run(scenario()) == (True, 1)


def test_timeout_tells_the_pool_as_it_was() -> None:
    """The error carries max, active and waiting (itself included), and is counted."""

    async def scenario() -> tuple[PoolExhaustedError, Pool]:
        pool = Pool("p", "0", 2)
        for _ in range(2):
            await pool.acquire(1)
        with pytest.raises(PoolExhaustedError) as caught:
            await pool.acquire(0.01)
        return caught.value, pool

    error, pool = run(scenario())
    assert (error.pool_max, error.pool_active, error.pool_waiting) == (2, 2, 1)
    assert str(error) == "no available connections, waited 10ms"
    assert (pool.timeouts, pool.waiting, pool.active) == (1, 0, 2)


def test_who_waited_in_vain_is_forgotten_at_once() -> None:
    """Without the garbage collector, which comes seldom: an exhausted pool is no leak."""

    async def in_vain(pool: Pool) -> weakref.ref[PoolExhaustedError]:
        try:
            await pool.acquire(0.001)
        except PoolExhaustedError as error:
            return weakref.ref(error)
        raise AssertionError("it was not exhausted")

    async def scenario() -> list[weakref.ref[PoolExhaustedError]]:
        pool = Pool("p", "0", 1)
        await pool.acquire(1)
        return await asyncio.gather(*(in_vain(pool) for _ in range(3)))

    gc.disable()
    try:
        assert [ref() for ref in run(scenario())] == [None, None, None]
    finally:
        gc.enable()


def test_a_cancelled_waiter_leaves_the_queue() -> None:
    """Cancelling a waiter neither loses a connection nor blocks those behind it."""

    async def scenario() -> tuple[int, int, int]:
        pool = Pool("p", "0", 1)
        lease = await pool.acquire(1)
        first = asyncio.create_task(pool.acquire(5))
        second = asyncio.create_task(pool.acquire(5))
        await settle()
        first.cancel()
        await settle()
        waiting = pool.waiting
        lease.release()
        (await second).release()
        return waiting, pool.active, pool.idle

    assert run(scenario()) == (1, 0, 1)


def test_a_waiter_cancelled_as_it_is_granted_gives_the_connection_on() -> None:
    """Granted and cancelled in the same moment: the next in line gets it."""

    async def scenario() -> tuple[bool, int]:
        pool = Pool("p", "0", 1)
        lease = await pool.acquire(1)
        first = asyncio.create_task(pool.acquire(5))
        second = asyncio.create_task(pool.acquire(5))
        await settle()
        lease.release()  # grants the first, which has not run yet
        first.cancel()
        await settle()
        return second.done() and first.cancelled(), pool.active

    assert run(scenario()) == (True, 1)


def test_growing_serves_waiters_at_once_and_shrinking_lets_nobody_in() -> None:
    """resize() takes effect without waiting for a release."""

    async def scenario() -> tuple[int, int, int, bool]:
        pool = Pool("p", "0", 1)
        leases = [await pool.acquire(1)]
        tasks = [asyncio.create_task(pool.acquire(5)) for _ in range(3)]
        await settle()
        pool.resize(3)
        await settle()
        grown, waiting = pool.active, pool.waiting
        pool.resize(1)
        leases[0].release()
        await settle()
        shrunk = pool.active
        last_waits = not tasks[2].done()
        for task in tasks[:2]:
            task.result().release()
        (await tasks[2]).release()
        return grown, waiting, shrunk, last_waits

    assert run(scenario()) == (3, 1, 2, True)


def test_releasing_twice_is_harmless() -> None:
    """A lease gives its connection back once."""

    async def scenario() -> tuple[int, int]:
        pool = Pool("p", "0", 2)
        first, _second = await pool.acquire(1), await pool.acquire(1)
        first.release()
        first.release()
        return pool.active, sum(pool.hold_s.counts)

    assert run(scenario()) == (1, 1)


def test_waits_and_holds_are_recorded() -> None:
    """Every grant and every timeout is a wait, every release a hold."""

    async def scenario() -> Pool:
        pool = Pool("p", "0", 1)
        lease = await pool.acquire(1)
        with pytest.raises(PoolExhaustedError):
            await pool.acquire(0.001)
        lease.release()
        return pool

    pool = run(scenario())
    assert (sum(pool.acquire_s.counts), sum(pool.hold_s.counts)) == (2, 1)


@given(st.lists(st.sampled_from(["acquire", "release", "cancel", "grow", "shrink"]), max_size=60))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_connections_are_neither_lost_nor_made(operations: list[str]) -> None:
    """Whatever happens: no idle connection beside a waiter, and all come back in the end."""

    async def scenario() -> None:
        pool = Pool("p", "0", 2)
        tasks: list[asyncio.Task[Lease]] = []
        for operation in operations:
            granted = [t for t in tasks if t.done() and not t.cancelled()]
            if operation == "acquire":
                tasks.append(asyncio.create_task(pool.acquire(30)))
            elif operation == "release" and granted:
                tasks.remove(granted[0])
                granted[0].result().release()
            elif operation == "cancel" and tasks and not tasks[-1].done():
                tasks.pop().cancel()
            elif operation in ("grow", "shrink"):
                pool.resize(max(1, pool.max + (1 if operation == "grow" else -1)))
            await settle()
            assert not (pool.idle and pool.waiting)
            assert pool.active == sum(t.done() and not t.cancelled() for t in tasks)
        pool.resize(1000)
        for lease in await asyncio.gather(*tasks):
            lease.release()
        assert (pool.active, pool.waiting) == (0, 0)

    run(scenario())
