"""inventory-lock-service."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from mock_process import USER, Running, Start

from mock_services.inventory_lock.service import InventoryLockService
from mock_services.inventory_lock.settings import InventoryLockSettings
from mock_services.kit.call import Call
from mock_services.kit.pool import Pool, PoolExhaustedError

ACQUIRE, RELEASE = "/api/v1/locks/acquire", "/api/v1/locks/release"
WANTED = {"sku": "SKU-28471", "quantity": 1, "ttl_seconds": 300, "checkout_id": "chk-lt-423891"}


def test_acquire_and_release(shared: dict[str, Running]) -> None:
    """Bodies as in Appendix B; expires_at is the time to live from now, in UTC."""
    lock = shared["inventory_lock"]
    acquired = lock.post(ACQUIRE, WANTED)
    body = acquired.json()
    expires = datetime.strptime(body.pop("expires_at"), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    lock_id = body["lock_id"]
    assert acquired.status_code == 200
    assert body == {"lock_id": lock_id, "status": "acquired", "sku": "SKU-28471"}
    assert 297 <= (expires - datetime.now(UTC)).total_seconds() <= 301
    released = lock.post(RELEASE, {"lock_id": lock_id})
    assert released.json() == {"lock_id": lock_id, "status": "released"}


def test_an_unknown_lock_is_404(shared: dict[str, Running]) -> None:
    """Releasing what never was, or was released before."""
    lock = shared["inventory_lock"]
    lock_id = lock.post(ACQUIRE, WANTED).json()["lock_id"]
    lock.post(RELEASE, {"lock_id": lock_id})
    for gone in (lock_id, "lock-999999"):
        response = lock.post(RELEASE, {"lock_id": gone})
        assert (response.status_code, response.json()["error"]) == (404, "NotFound")
        assert gone in response.json()["message"]


def test_the_503_is_byte_for_byte_the_seeds() -> None:
    """Pool max 2,000, all active, 147 waiting after 5 s: the body of Appendix B."""
    service = InventoryLockService(InventoryLockSettings())
    pool = Pool("locks", "0", 2000)
    pool.active = 2000
    full = PoolExhaustedError(pool, 5.0)
    full.pool_waiting = 147
    response = service.exhausted(Call("r"), full, 5.0)
    assert response.status_code == 503
    assert bytes(response.body) == (
        b'{"error":"ConnectionPoolExhausted","message":"no available connections, waited 5000ms",'
        b'"pool_max":2000,"pool_active":2000,"pool_waiting":147}'
    )


def test_exhaustion_over_http(start: Start) -> None:
    """One connection, held by a lock: the next request gets 503 after the wait, and an event."""
    lock = start("inventory_lock", replicas=1, pool_max=1, wait_timeout_s=0.2)
    assert lock.post(ACQUIRE, WANTED).status_code == 200
    response = lock.post(ACQUIRE, WANTED, **{"X-Request-ID": "lt-req-847291"})
    assert response.status_code == 503
    assert response.json() == {
        "error": "ConnectionPoolExhausted",
        "message": "no available connections, waited 200ms",
        "pool_max": 1,
        "pool_active": 1,
        "pool_waiting": 1,
    }
    assert 200 <= int(response.headers["x-response-time"].removesuffix("ms")) < 1500
    event = lock.events("pool_exhausted")[0]
    assert event["source"] == "inventory-lock-service"
    assert (event["request_id"], event["replica"]) == ("lt-req-847291", "0")
    assert (event["body"], event["waited_ms"]) == (response.text, 200)
    assert lock.metric("connection_pool_timeouts_total") == 1


def test_waiters_are_served_in_order(start: Start, until: Callable[..., Any]) -> None:
    """Four waiters, four releases: the locks go out in the order the requests came in."""
    lock = start("inventory_lock", replicas=1, pool_max=1)
    held = lock.post(ACQUIRE, WANTED).json()["lock_id"]
    served: list[tuple[str, int]] = []

    def wait(number: int) -> None:
        lock_id = lock.post(ACQUIRE, WANTED).json()["lock_id"]
        served.append((lock_id, number))
        lock.post(RELEASE, {"lock_id": lock_id})

    with ThreadPoolExecutor(4) as threads:
        for number in range(4):
            threads.submit(wait, number)
            until(lambda n=number: lock.metric("connection_pool_waiting") == n + 1)
        lock.post(RELEASE, {"lock_id": held})
    assert [number for _, number in sorted(served)] == [0, 1, 2, 3]


def test_expiry_frees_the_connection(start: Start) -> None:
    """A lock never released gives its connection back when its time is over; then it is 410."""
    lock = start("inventory_lock", replicas=1, pool_max=1, wait_timeout_s=5)
    first = lock.post(ACQUIRE, {**WANTED, "ttl_seconds": 0.4}).json()["lock_id"]
    second = lock.post(ACQUIRE, WANTED)
    assert second.status_code == 200
    assert 250 <= int(second.headers["x-response-time"].removesuffix("ms")) < 1000
    late = lock.post(RELEASE, {"lock_id": first})
    assert (late.status_code, late.json()["error"]) == (410, "LockExpired")
    assert "expired" in late.json()["message"]
    assert lock.metric("connection_pool_active") == 1


def test_a_lock_lives_no_longer_than_the_services_own_limit(start: Start) -> None:
    """lock_ttl_s caps what a request asks for, and is what it gets when it asks for nothing."""
    lock = start("inventory_lock", replicas=1, pool_max=2, lock_ttl_s=0.3)
    for body in (WANTED, {"sku": "SKU-28471", "quantity": 1}):
        assert lock.post(ACQUIRE, body).status_code == 200
    third = lock.post(ACQUIRE, WANTED)
    assert third.status_code == 200
    assert int(third.headers["x-response-time"].removesuffix("ms")) >= 100


def test_transaction_holds_only_while_it_works(start: Start) -> None:
    """hold = transaction: ten locks in force on a pool of one."""
    lock = start("inventory_lock", replicas=1, pool_max=1, hold="transaction")
    ids = [lock.post(ACQUIRE, WANTED).json()["lock_id"] for _ in range(10)]
    assert (lock.metric("inventory_locks"), lock.metric("connection_pool_active")) == (10, 0)
    assert lock.metric("connection_pool_hold_seconds_count") == 10
    assert lock.post(RELEASE, {"lock_id": ids[0]}).status_code == 200
    assert lock.metric("connection_pool_hold_seconds_count") == 11


def test_transaction_waits_when_all_connections_work(start: Start) -> None:
    """Four at once on one connection: each takes the time of those before and then its own."""
    constant = {"p50_ms": 200, "p95_ms": 200, "p99_ms": 200, "max_ms": 200}
    settings: dict[str, Any] = {"latency": {"acquire": constant}, "latency_scale": 1.0}
    lock = start("inventory_lock", replicas=1, pool_max=1, hold="transaction", **settings)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: lock.post(ACQUIRE, WANTED), range(4)))
    took = sorted(int(a.headers["x-response-time"].removesuffix("ms")) for a in answers)
    assert took[0] >= 195
    assert took[-1] >= 500  # 800 less what their client sent them apart


def test_a_client_that_has_gone_does_not_keep_its_connection(
    start: Start, until: Callable[..., Any]
) -> None:
    """It stays in the queue, and gives the connection back at once when its turn comes."""
    lock = start("inventory_lock", replicas=1, pool_max=1, wait_timeout_s=20)
    held = lock.post(ACQUIRE, WANTED).json()["lock_id"]
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(lock.url + ACQUIRE, json=WANTED, headers=USER, timeout=0.2, trust_env=False)
    assert lock.metric("connection_pool_waiting") == 1
    lock.post(RELEASE, {"lock_id": held})
    until(lambda: lock.metric("connection_pool_abandoned_total") == 1)
    assert (lock.metric("connection_pool_active"), lock.metric("inventory_locks")) == (0, 0)


def test_pools_grow_and_shrink_while_running(start: Start, until: Callable[..., Any]) -> None:
    """A larger pool_max serves a waiter at once; more replicas add pools."""
    lock = start("inventory_lock", replicas=1, pool_max=1, wait_timeout_s=20)
    lock.post(ACQUIRE, WANTED)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(lock.post, ACQUIRE, WANTED)
        until(lambda: lock.metric("connection_pool_waiting") == 1)
        assert lock.configure(pool_max=2).status_code == 200
        assert waiting.result(5).status_code == 200
    lock.configure(replicas=3, pool_max=1)
    assert lock.metric("service_replicas") == 3
    assert lock.metric("connection_pool_max") == 3
    assert lock.metric("connection_pool_active", replica="0") == 2
    assert lock.metric("connection_pool_idle") == 2


def test_requests_alternate_between_replicas(start: Start) -> None:
    """Four locks on two replicas: two each."""
    lock = start("inventory_lock", replicas=2, pool_max=10)
    for _ in range(4):
        lock.post(ACQUIRE, WANTED)
    assert [lock.metric("connection_pool_active", replica=r) for r in "01"] == [2, 2]
