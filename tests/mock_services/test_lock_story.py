"""The seed's 48 hours of inventory-lock-service: its own classes, in virtual time.

Rates and pools are 1/100 of the seed's, times are its own: 0.88 of 88 starts a second, every
eleventh abandoned, pools of 20. Who waits, waits as long as there. CPU is read as seldom as
Kubernetes reads it: in a second there are too few requests to tell their rate.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from virtual_time import play

from mock_services.inventory_lock.fleet import Fleet
from mock_services.inventory_lock.settings import InventoryLockSettings
from mock_services.kit.pool import Pool, PoolExhaustedError

SIZE = 1 / 100
STARTS_PER_S = 88 * SIZE
TO_CONFIRM_S = 7.8
HOUR_S = 3600.0
ATTEMPTS, ATTEMPT_S = 2, 0.8
SEED = {
    "pool_max": int(2000 * SIZE),
    "expiry_per_s": 3.967 * SIZE,
    "request_cpu_ms": 2.05 / SIZE,
    "lock_scan_cpu_ms": 0.309 / SIZE,
    "cpu_interval_s": 15.0,
}


def present(t_s: float) -> float:
    """Share of the peak's users: two hours up, 42 hours, four hours down."""
    return min(1.0, t_s / (2 * HOUR_S), max(0.0, (48 * HOUR_S - t_s) / (4 * HOUR_S)))


@dataclass
class Story:
    """The service and its clients, and what is to be told of them; times in hours."""

    settings: InventoryLockSettings
    events: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    used: dict[float, float] = field(default_factory=dict)
    cpu: dict[float, float] = field(default_factory=dict)
    failed_h: list[float] = field(default_factory=list)
    waited_h: list[float] = field(default_factory=list)

    def hours(self) -> float:
        return asyncio.get_running_loop().time() / HOUR_S

    def write(self, event: str, **fields: Any) -> None:
        self.events.append((self.hours(), event, fields))

    def told(self, event: str) -> list[float]:
        return [hour for hour, name, _ in self.events if name == event]

    async def play(self, until_h: float) -> Story:
        self.fleet = Fleet("inventory-lock-service", lambda: self.settings, self.write)
        watch = asyncio.create_task(self.fleet.run())
        marks = asyncio.create_task(self._look())
        for number, due_s in enumerate(_uniform(until_h * HOUR_S)):
            await asyncio.sleep(due_s - asyncio.get_running_loop().time())
            self._started = asyncio.create_task(self._start(abandons=number % 11 == 5))
        watch.cancel()
        marks.cancel()
        return self

    async def _look(self) -> None:
        for minute in itertools.count(1):
            await asyncio.sleep(minute * 60 - asyncio.get_running_loop().time())
            hour, pools = minute / 60, self.fleet.replicas.serving
            self.used[hour] = 100 * sum(p.active for p in pools) / sum(p.max for p in pools)
            shares = self.fleet.cpu.utilization.values()
            self.cpu[hour] = 100 * sum(shares) / len(shares)

    async def _start(self, abandons: bool) -> None:
        for _ in range(ATTEMPTS):
            lock = await self._acquire()
            if lock is not None:
                break
        else:
            self.failed_h.append(self.hours())
            return
        if not abandons:
            await asyncio.sleep(TO_CONFIRM_S)
            self.fleet.cpu.requests += 1
            assert self.fleet.locks.release(lock)

    async def _acquire(self) -> str | None:
        """A lock; None when the client gives up, whose place in the queue stays as it is."""
        self.fleet.cpu.requests += 1
        pool = self.fleet.replicas.next()
        if pool.idle and not pool.waiting:
            lease = await pool.acquire(self.settings.wait_timeout_s)
            return self.fleet.locks.add(self.settings.lock_ttl_s, lease)
        self.waited_h.append(self.hours())
        asked = asyncio.create_task(self._wait(pool, asyncio.get_running_loop().time()))
        await asyncio.wait({asked}, timeout=ATTEMPT_S)
        return asked.result() if asked.done() else None

    async def _wait(self, pool: Pool, asked_s: float) -> str | None:
        try:
            lease = await pool.acquire(self.settings.wait_timeout_s)
        except PoolExhaustedError:
            return None
        if asyncio.get_running_loop().time() - asked_s >= ATTEMPT_S:
            lease.release()  # as the service does for a client that has gone away
            return None
        return self.fleet.locks.add(self.settings.lock_ttl_s, lease)


def _uniform(until_s: float) -> Iterator[float]:
    owed, step_s = 0.0, 1 / STARTS_PER_S
    for number in itertools.count(1):
        t_s = number * step_s
        if t_s > until_s:
            return
        owed += present(t_s)
        if owed >= 1:
            owed -= 1
            yield t_s


def tell(until_h: float, **settings: Any) -> Story:
    story = Story(InventoryLockSettings.model_validate({**SEED, **settings}))
    played = play(story.play(until_h))
    assert isinstance(played, Story)
    return played


@pytest.fixture(scope="module")
def seed() -> Story:
    """All 48 hours."""
    return tell(48)


def test_the_defaults_are_the_seeds() -> None:
    """What is scaled here is what the service has by itself; T+6h14m is fitted with that."""
    told = InventoryLockSettings()
    assert (told.pool_max, told.expiry_per_s) == (2000, 3.967)
    assert (told.request_cpu_ms, told.lock_scan_cpu_ms) == (2.05, 0.309)
    assert told.pod_scheduling_s + told.pod_start_s + told.pod_readiness_s == 182


@pytest.mark.parametrize(("hour", "percent"), [(2, 78), (4, 89), (6, 96)])
def test_the_pool_fills_at_constant_load_as_in_the_seed(
    seed: Story, hour: int, percent: float
) -> None:
    """Document 1's timeline, within 6 points."""
    assert seed.used[hour] == pytest.approx(percent, abs=6)


def test_it_runs_dry_at_about_six_hours_and_a_quarter(seed: Story) -> None:
    """T+6h14m in the seed. Starts fail then, after two attempts of 0.8 s, and at no other time."""
    assert seed.waited_h[0] == pytest.approx(6 + 14 / 60, abs=0.25)
    (ready_h,) = seed.told("pod_ready")
    assert seed.failed_h
    assert all(seed.waited_h[0] < hour < ready_h for hour in seed.failed_h)


def test_cpu_climbs_to_the_seeds_84_percent_and_falls_by_half(seed: Story) -> None:
    """45 to 84 % before the third replica; at constant load it stays down for 42 hours."""
    (scaled,) = (fields for _, name, fields in seed.events if name == "scaled")
    assert scaled["value_percent"] == pytest.approx(84, abs=3)
    assert (scaled["replicas_before"], scaled["replicas_after"]) == (2, 3)
    assert scaled["message"] == (
        "New size: 3; reason: cpu resource utilization (percentage of request) above target"
    )
    assert seed.cpu[4] < seed.cpu[6] < 80
    assert max(cpu for hour, cpu in seed.cpu.items() if hour > 7) < 60


def test_the_third_replica_comes_when_the_seeds_did(seed: Story) -> None:
    """Rescaled 2 min after the pool ran dry, scheduled, started and ready 132, 167 and 182 s on."""
    (scaled_h,) = seed.told("scaled")
    assert 120 <= (scaled_h - seed.waited_h[0]) * HOUR_S <= 300
    steps = [seed.told(event)[0] for event in ("pod_scheduled", "pod_started", "pod_ready")]
    assert [(h - scaled_h) * HOUR_S for h in steps] == pytest.approx([132, 167, 182], abs=0.01)


def test_afterwards_nothing_happens_for_42_hours(seed: Story) -> None:
    """The backlog drains: 62 % at T+6h19m in the seed, then less; nobody waits, nobody scales."""
    (ready_h,) = seed.told("pod_ready")
    minute_on = min(hour for hour in seed.used if hour > ready_h + 1 / 60)
    assert seed.used[minute_on] == pytest.approx(62, abs=5)
    calm = {hour: used for hour, used in seed.used.items() if 8 < hour < 44}
    assert 44 <= min(calm.values()) <= max(calm.values()) <= 56
    assert max(seed.waited_h) < ready_h + 1 / 60
    assert len(seed.events) == 4


@pytest.mark.parametrize(
    ("change", "scales_h"),
    [
        ({"expiry_per_s": 2 * 3.967 * SIZE}, None),
        ({"pool_max": int(2500 * SIZE)}, 7.0),
        ({"scale_threshold_percent": 65.0}, 2.5),
        ({"scale_on": "pool_utilization", "scale_threshold_percent": 85.0}, 4.4),
    ],
    ids=lambda change: ",".join(change) if isinstance(change, dict) else "",
)
def test_what_would_have_prevented_it(change: dict[str, Any], scales_h: float | None) -> None:
    """A faster sweeper never scales; the post-mortem's own two pieces of advice do, in time."""
    told = tell(8, **change)
    assert (told.waited_h, told.failed_h) == ([], [])
    assert told.told("scaled") == ([] if scales_h is None else [pytest.approx(scales_h, abs=0.5)])
