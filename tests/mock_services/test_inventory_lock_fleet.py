"""inventory-lock-service over HTTP: sweepers, CPU, autoscaler, and how long the 503 takes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from mock_process import Running, Start

ACQUIRE, RELEASE = "/api/v1/locks/acquire", "/api/v1/locks/release"
WANTED = {"sku": "SKU-28471", "quantity": 1, "ttl_seconds": 300}
BRIEF = {**WANTED, "ttl_seconds": 0.1}
AT_ONCE = {"scale_hold_s": 0, "cpu_interval_s": 0.05}
Until = Callable[..., Any]


def take(lock: Running, count: int, body: dict[str, Any] = WANTED) -> list[str]:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: lock.post(ACQUIRE, body), range(count)))
    assert {answer.status_code for answer in answers} == {200}
    return [answer.json()["lock_id"] for answer in answers]


def test_an_expired_lock_holds_its_connection_until_it_is_swept(start: Start, until: Until) -> None:
    """Six expire at once and one is swept every 100 s: the first; then all, at once."""
    lock = start("inventory_lock", replicas=1, expiry_per_s=0.01)
    ids = take(lock, 6, BRIEF)
    until(lambda: lock.metric("inventory_locks_expired_total") == 6)
    assert lock.metric("inventory_locks") == 0
    assert lock.metric("inventory_locks_unswept") == lock.metric("connection_pool_active") == 5
    late = lock.post(RELEASE, {"lock_id": ids[-1]})
    assert (late.status_code, late.json()["error"]) == (410, "LockExpired")
    assert lock.metric("connection_pool_active") == 5
    lock.configure(expiry_per_s=0)
    until(lambda: lock.metric("connection_pool_active") == 0)


def test_transaction_leaves_nothing_to_sweep(start: Start, until: Until) -> None:
    """Where a lock holds no connection it frees none."""
    lock = start("inventory_lock", replicas=1, hold="transaction", expiry_per_s=0.01)
    take(lock, 6, BRIEF)
    until(lambda: lock.metric("inventory_locks_expired_total") == 6)
    assert lock.metric("inventory_locks_unswept") == lock.metric("connection_pool_active") == 0


def test_cpu_grows_with_the_locks_that_each_replica_holds(start: Start, until: Until) -> None:
    """Ten locks at 30 ms/s each are 30 %, of the one replica that they were all taken on."""
    lock = start(
        "inventory_lock", replicas=1, lock_scan_cpu_ms=30, request_cpu_ms=0, cpu_interval_s=0.05
    )
    take(lock, 10)
    until(lambda: lock.metric("replica_cpu_utilization_ratio") == pytest.approx(0.3))
    lock.configure(replicas=2)
    until(lambda: "1" in replicas(lock))
    assert replicas(lock) == {"0": pytest.approx(0.3), "1": 0.0}


def replicas(lock: Running) -> dict[str, float]:
    name = "replica_cpu_utilization_ratio"
    page = lock.get("/metrics").text
    found = (number for number in "012" if f'{name}{{replica="{number}"}}' in page)
    return {number: lock.metric(name, replica=number) for number in found}


@pytest.mark.parametrize(
    ("settings", "metric"),
    [
        ({"pool_max": 100, "lock_scan_cpu_ms": 200, "request_cpu_ms": 0}, "cpu"),
        ({"pool_max": 5, "scale_on": "pool_utilization"}, "pool_utilization"),
    ],
)
def test_it_scales_out_and_tells_of_it(
    start: Start, until: Until, settings: dict[str, Any], metric: str
) -> None:
    """Ten locks are too many for two replicas; the third serves once its pod is ready."""
    pods = {"pod_scheduling_s": 0.1, "pod_start_s": 0.1, "pod_readiness_s": 0.1}
    lock = start("inventory_lock", **AT_ONCE, **pods, **settings, replicas=2, replicas_max=3)
    take(lock, 10)
    until(lambda: lock.events("pod_ready"))
    (scaled,) = lock.events("scaled")
    assert scaled["message"].startswith("New size: 3; reason: ")
    assert (scaled["reason"], scaled["metric"]) == ("SuccessfulRescale", metric)
    assert (scaled["replicas_before"], scaled["replicas_after"]) == (2, 3)
    assert scaled["value_percent"] > scaled["threshold_percent"] == 80
    steps = [lock.events(f"pod_{step}")[0] for step in ("scheduled", "started", "ready")]
    assert {step["pod"] for step in steps} == {"inventory-lock-service-2"}
    times = [scaled["t_s"], *(step["t_s"] for step in steps)]
    assert all(later - earlier > 0.09 for earlier, later in pairwise(times))
    until(lambda: lock.metric("service_replicas") == 3)
    take(lock, 1)
    assert lock.metric("connection_pool_active", replica="2") == 1


def test_it_scales_down_after_a_quiet_time(start: Start, until: Until) -> None:
    """Never fewer than replicas_min; a connection that is held stays until it is given back."""
    quiet = {"scale_down_after_s": 0.1, "cpu_interval_s": 0.05}
    lock = start("inventory_lock", replicas=4, autoscale=False, **quiet)
    ids = take(lock, 4)
    lock.configure(autoscale=True)
    until(lambda: lock.metric("service_replicas") == 2)
    assert lock.metric("connection_pool_active") == 4
    for lock_id in ids:
        assert lock.post(RELEASE, {"lock_id": lock_id}).status_code == 200
    assert lock.metric("connection_pool_max") == 4000


def test_replicas_can_be_set_by_hand(start: Start) -> None:
    """At once, and outside of the autoscaler's range as well."""
    lock = start("inventory_lock", cpu_interval_s=0.05)
    for count in (1, 7, 2):
        assert lock.configure(replicas=count).status_code == 200
        assert lock.metric("service_replicas") == count
    assert lock.configure(replicas_min=9).status_code == 400


def test_the_503_takes_the_wait_and_nothing_more(start: Start) -> None:
    """Not what the drawn latency would have left: 200 ms of waiting and 800 ms of no work."""
    slow = {"p50_ms": 800, "p95_ms": 800, "p99_ms": 800, "max_ms": 800}
    lock = start(
        "inventory_lock", replicas=1, pool_max=1, wait_timeout_s=0.2,
        latency={"acquire": slow}, latency_scale=1.0,
    )  # fmt: skip
    assert lock.post(ACQUIRE, WANTED).status_code == 200
    refused = lock.post(ACQUIRE, WANTED)
    assert refused.status_code == 503
    assert 200 <= int(refused.headers["x-response-time"].removesuffix("ms")) < 600
