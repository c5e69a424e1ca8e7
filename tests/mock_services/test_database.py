"""The database that a pool's connections share, in a loop whose time is simulated."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mock_process import Start

from mock_services.kit.database import Capacity, Database


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Time passes at once when nothing is left to do."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self._clock_resolution = 1e-12
        select = self._selector.select  # type: ignore[attr-defined]

        def leap(timeout: float | None) -> Any:
            self.now_s += timeout or 0.0
            return select(0)

        self._selector.select = leap  # type: ignore[attr-defined]

    def time(self) -> float:
        return self.now_s


def simulated(work: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(work)


def database(*capacity: Any) -> Database:
    return Database(Capacity(*capacity), asyncio.get_running_loop().time)


Jobs = Sequence[tuple[float, float]]
"""When each comes, and its work."""


async def played(capacity: Capacity, jobs: Jobs) -> list[float]:
    """When each of them is done."""
    loop = asyncio.get_running_loop()
    shared = Database(capacity, loop.time)

    async def one(at_s: float, work_s: float) -> float:
        await asyncio.sleep(at_s)
        await shared.serve(work_s)
        return loop.time()

    return await asyncio.gather(*(one(*job) for job in jobs))


def by_hand(capacity: Capacity, jobs: Jobs) -> list[float]:
    """The same without virtual time: what is left of each is worked off from event to event."""
    left: dict[int, float] = {}
    done = [0.0] * len(jobs)
    coming = sorted((at_s, number) for number, (at_s, _) in enumerate(jobs))
    now_s = 0.0
    while coming or left:
        speed = 1.0
        if len(left) > capacity.cores:
            over = len(left) - capacity.cores
            speed = capacity.cores / len(left) / (1 + capacity.switch_cost * over)
        next_done_s = now_s + min(left.values()) / speed if left else float("inf")
        next_s = min(next_done_s, coming[0][0] if coming else float("inf"))
        left = {number: work - (next_s - now_s) * speed for number, work in left.items()}
        now_s = next_s
        for number in [number for number, work in left.items() if work <= 1e-12]:
            done[number] = now_s
            del left[number]
        while coming and coming[0][0] <= now_s:
            number = coming.pop(0)[1]
            left[number] = jobs[number][1]
    return done


@given(
    st.integers(1, 4),
    st.sampled_from([0.0, 0.05, 0.5]),
    st.lists(st.tuples(st.floats(0.0, 3.0), st.floats(0.01, 2.0)), min_size=1, max_size=12),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_cores_are_shared_equally(cores: int, switch_cost: float, jobs: Jobs) -> None:
    """Every job is done when working off what is left of each says so."""
    capacity = Capacity(cores, 1.0, switch_cost)
    assert simulated(played(capacity, jobs)) == pytest.approx(by_hand(capacity, jobs), abs=1e-6)


def test_up_to_the_cores_nobody_waits_and_beyond_them_all_do() -> None:
    """Four connections on two cores take twice as long, and with a cost more than that."""
    assert simulated(played(Capacity(2), [(0, 1)] * 2)) == pytest.approx([1, 1])
    assert simulated(played(Capacity(2), [(0, 1)] * 4)) == pytest.approx([2] * 4)
    costly = Capacity(2, 1.0, 0.25)
    assert simulated(played(costly, [(0, 1)] * 4)) == pytest.approx([2 * 1.5] * 4)


def test_throughput_over_connections_has_a_peak() -> None:
    """It grows up to the cores and falls beyond them."""
    capacity = Capacity(8, 1.0, 0.05)
    per_s = [n * capacity.speed(n) for n in range(1, 40)]
    assert per_s.index(max(per_s)) + 1 == 8
    assert per_s[:8] == sorted(per_s[:8])
    assert per_s[7:] == sorted(per_s[7:], reverse=True)


def test_what_is_no_work_needs_no_core() -> None:
    """Half of the time is work: of two on one core, each takes 2 x 0.5 s and 0.5 s."""
    assert simulated(played(Capacity(1, 0.5), [(0, 1)] * 2)) == pytest.approx([1.5, 1.5])


def test_without_cores_nothing_is_shared() -> None:
    """As published, whatever the load."""
    assert simulated(played(Capacity(), [(0, 1)] * 50)) == pytest.approx([1] * 50)


def test_cores_can_change_under_way() -> None:
    """Two on one core; after 1 s there are two cores: the half that is left of each takes 0.5 s."""

    async def scenario() -> tuple[float, int]:
        shared = database(1)
        both = asyncio.gather(shared.serve(1.0), shared.serve(1.0))
        await asyncio.sleep(1.0)
        active = shared.active
        shared.resize(Capacity(2))
        await both
        return asyncio.get_running_loop().time(), active

    assert simulated(scenario()) == (pytest.approx(1.5), 2)


def test_who_is_cancelled_leaves_its_core_to_the_others() -> None:
    """One of two on one core goes after 1 s: the other's last half second is its own."""

    async def scenario() -> tuple[float, int]:
        shared = database(1)
        stays = asyncio.create_task(shared.serve(1.0))
        goes = asyncio.create_task(shared.serve(0.9))
        await asyncio.sleep(1.0)
        goes.cancel()
        await stays
        return asyncio.get_running_loop().time(), shared.active

    assert simulated(scenario()) == (pytest.approx(1.5), 0)


CONSTANT = {"p50_ms": 200, "p95_ms": 200, "p99_ms": 200, "max_ms": 200}


def test_a_service_shares_its_database_and_says_so(start: Start) -> None:
    """Eight of 200 ms at once on two cores take 800 ms (less for who comes first, of those that a
    busy client sends apart); its page has cores and who is at work."""
    latency = {"acquire": CONSTANT}
    lock = start(
        "inventory_lock", latency=latency, latency_scale=1.0, db_cores=2, db_switch_cost=0.0
    )
    took_ms = asyncio.run(eight_at_once(lock.url))
    assert sorted(took_ms)[4] >= 500, took_ms
    assert (lock.metric("database_cores"), lock.metric("database_active")) == (2, 0)
    assert lock.configure(db_cores=0).status_code == 200
    assert 199 <= min(asyncio.run(eight_at_once(lock.url))) <= 400
    assert "database_cores" not in lock.get("/metrics").text


async def eight_at_once(url: str) -> list[float]:
    """How long each says that it took, ms."""
    headers = {"Authorization": "Bearer lt-svc-token-checkout"}
    body = {"sku": "SKU-28471", "quantity": 1}
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as client:
        asked = [client.post("/api/v1/locks/acquire", json=body) for _ in range(8)]
        answers = await asyncio.gather(*asked)
    assert {answer.status_code for answer in answers} == {200}
    return [float(answer.headers["X-Response-Time"].removesuffix("ms")) for answer in answers]
