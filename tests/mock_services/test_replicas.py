"""Replicas behind a router."""

from __future__ import annotations

import asyncio

from mock_services.inventory_lock.replicas import Replicas


def test_requests_go_round_whatever_the_load() -> None:
    """Each replica gets every n-th request."""
    replicas = Replicas("locks", 3, 10, "round_robin")
    assert [replicas.next().replica for _ in range(6)] == ["0", "1", "2", "0", "1", "2"]


def test_the_least_taken_replica_gets_the_request() -> None:
    """Connections and callers waiting count; those that are even have it in turn."""

    async def scenario() -> tuple[list[str], list[str]]:
        replicas = Replicas("locks", 2, 10, "least_connections")
        even = [replicas.next() for _ in range(4)]
        for _ in range(3):
            await replicas.serving[0].acquire(1)
        return [p.replica for p in even], [replicas.next().replica for _ in range(3)]

    assert asyncio.run(scenario()) == (["0", "1", "0", "1"], ["1", "1", "1"])


def test_a_removed_replica_drains() -> None:
    """It gets no new request, and is reported until its last connection is back."""

    async def scenario() -> tuple[set[str], list[str], list[str]]:
        replicas = Replicas("locks", 2, 10, "round_robin")
        leases = [await replicas.next().acquire(1) for _ in range(2)]
        replicas.scale(1)
        turns = {replicas.next().replica for _ in range(4)}
        before = [pool.replica for pool in replicas.pools()]
        leases[1].release()
        return turns, before, [pool.replica for pool in replicas.pools()]

    assert asyncio.run(scenario()) == ({"0"}, ["0", "1"], ["0"])


def test_an_added_replica_has_a_pool_of_its_own() -> None:
    """Scaling out adds a pool and leaves the others; pool_max reaches all."""
    replicas = Replicas("locks", 2, 10, "round_robin")
    replicas.scale(3)
    replicas.resize(20)
    assert [(pool.replica, pool.max) for pool in replicas.pools()] == [
        ("0", 20),
        ("1", 20),
        ("2", 20),
    ]
