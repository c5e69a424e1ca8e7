"""A lock pool as fluids: what the lock service's classes do one by one, added up.

Checkouts take connections. Most give them back at confirm; the abandoned expire after their time
to live, and wait for a sweeper. Who finds no connection waits, and fails when that takes too long.
CPU is the service's own model of it: each request, each lock held and scanned, and some more while
callers wait. Times that are not given are the seed's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import Protocol

TTL_S = 300.0
TO_CONFIRM_S = 7.8
"""Two pauses, the charge, and the confirmation until it releases the lock."""
PEAK_STARTS_PER_S = 88.0
REQUESTS_PER_START = 1 + 80 / 88
STEP_S = 0.1
PEAKS = 1000
HOUR_S = 3600.0
MARKS_H = (2.0, 4.0, 6.0, 7.0)
_LAST_MARK_S = HOUR_S * max(MARKS_H)


class LockSettings(Protocol):
    """What inventory-lock-service can be told, as far as it matters here; by the same names."""

    @property
    def replicas(self) -> int: ...
    @property
    def most(self) -> int: ...
    @property
    def pool_max(self) -> int: ...
    @property
    def expiry_per_s(self) -> float: ...
    @property
    def request_cpu_ms(self) -> float: ...
    @property
    def lock_scan_cpu_ms(self) -> float: ...
    @property
    def waiting_cpu_percent(self) -> float: ...
    @property
    def autoscale(self) -> bool: ...
    @property
    def scale_on(self) -> str: ...
    @property
    def scale_threshold_percent(self) -> float: ...
    @property
    def scale_hold_s(self) -> float: ...
    @property
    def pod_scheduling_s(self) -> float: ...
    @property
    def pod_start_s(self) -> float: ...
    @property
    def pod_readiness_s(self) -> float: ...


def seed_starts(t_s: float) -> float:
    """Checkouts started a second: two hours up, 42 hours at the peak, four hours down."""
    hour = t_s / HOUR_S
    return PEAK_STARTS_PER_S * min(1.0, hour / 2, (48 - hour) / 4)


@dataclass(frozen=True)
class Plan:
    """What is played. ``starts_per_s`` is a function of the time in s."""

    settings: LockSettings
    starts_per_s: Callable[[float], float] = seed_starts
    hours: float = 48.0
    abandoned: float = 8 / 88
    patience_s: float = 1.7
    """How long a start waits for its lock before it fails: two attempts and a pause."""
    ttl_s: float = TTL_S
    to_confirm_s: float = TO_CONFIRM_S
    step_s: float = STEP_S

    @cached_property
    def peak_per_s(self) -> float:
        """The most starts that there ever are, to the thousandth part of the time."""
        step_s = self.hours * HOUR_S / PEAKS
        return max(self.starts_per_s(step * step_s) for step in range(PEAKS))


@dataclass
class Told:
    """What happened; hours, percent."""

    used: dict[float, float] = field(default_factory=dict)
    cpu: dict[float, float] = field(default_factory=dict)
    exhausted_h: float | None = None
    scaled_h: float | None = None
    ready_h: float | None = None
    failed: float = 0.0
    peak: float = 0.0
    replica_hours: float = 0.0
    connections: int = 0
    """That all replicas could have had open at most."""


class Locks:
    """Connections held: on their way to confirm, abandoned, expired and not yet swept."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._step_s = plan.step_s
        self._young: deque[float] = deque([0.0] * max(1, round(plan.ttl_s / plan.step_s)))
        self._abandoned = self._expired = self._confirming = 0.0
        self.waiting = 0.0

    @property
    def held(self) -> float:
        """Connections taken."""
        return self._confirming + self._abandoned + self._expired

    def settled(self, swept_per_s: float, offered_per_s: float) -> bool:
        """Whether nothing will ever pile up again: at the plan's peak all that expires is freed."""
        keeps_up = not swept_per_s or swept_per_s >= self._plan.peak_per_s * self._plan.abandoned
        at_peak = offered_per_s >= self._plan.peak_per_s
        steady = abs(self._abandoned - offered_per_s * self._plan.abandoned * self._plan.ttl_s)
        return keeps_up and at_peak and not self.waiting and steady < 1.0 > self._expired

    def free(self, swept_per_s: float) -> None:
        """One step of confirmations, expiries and sweeps."""
        self._confirming -= self._confirming * min(1.0, self._step_s / self._plan.to_confirm_s)
        oldest = self._young.popleft()
        self._abandoned -= oldest
        self._expired += oldest
        self._expired -= min(self._expired, swept_per_s * self._step_s or self._expired)

    def start(self, offered_per_s: float, room: float) -> float:
        """One step of checkouts that want a lock; how many failed, having waited too long."""
        plan = self._plan
        wanted = self.waiting + offered_per_s * self._step_s
        granted = min(wanted, max(0.0, room))
        left = granted * plan.abandoned
        self._young.append(left)
        self._abandoned += left
        self._confirming += granted - left
        failed = max(0.0, wanted - granted - offered_per_s * plan.patience_s)
        self.waiting = wanted - granted - failed
        return failed


class Scaler:
    """One replica more when the metric has been above its target for long enough."""

    def __init__(self, settings: LockSettings) -> None:
        self._settings = settings
        self._start_up_s = (
            settings.pod_scheduling_s + settings.pod_start_s + settings.pod_readiness_s
        )
        self._above_since_s: float | None = None
        self._ready_s: float | None = None
        self.replicas = settings.replicas

    @property
    def rests(self) -> bool:
        """Whether no replica is wanted, and none on its way."""
        return self._ready_s is None and self._above_since_s is None

    def look(self, t_s: float, percent: float, told: Told) -> None:
        """One step."""
        settings = self._settings
        if self._ready_s is not None:
            if t_s >= self._ready_s:
                self.replicas += 1
                told.ready_h, self._ready_s = t_s / HOUR_S, None
        elif not settings.autoscale or percent <= settings.scale_threshold_percent:
            self._above_since_s = None
        elif self._above_since_s is None:
            self._above_since_s = t_s
        elif t_s - self._above_since_s >= settings.scale_hold_s and self.replicas < settings.most:
            told.scaled_h, self._ready_s = t_s / HOUR_S, t_s + self._start_up_s
            self._above_since_s = None


def play(plan: Plan, stop_percent: float = inf) -> Told:
    """The plan's hours in steps, up to where the pool is so full, %.

    Where nothing more can happen the rest is as the last step.
    """
    told, locks, settings, step_s = Told(), Locks(plan), plan.settings, plan.step_s
    scaler = Scaler(settings)
    for step in range(round(plan.hours * HOUR_S / step_s)):
        t_s, count = step * step_s, scaler.replicas
        offered, swept = plan.starts_per_s(t_s), count * settings.expiry_per_s
        locks.free(swept)
        told.failed += locks.start(offered, count * settings.pool_max - locks.held)
        waits = locks.waiting > 0
        if waits and told.exhausted_h is None:
            told.exhausted_h = t_s / HOUR_S
        requests_per_s = offered * REQUESTS_PER_START / count
        cpu = _cpu_percent(settings, requests_per_s, locks.held / count, waits)
        used = 100 * locks.held / (count * settings.pool_max)
        told.peak = max(told.peak, used)
        told.replica_hours += count * step_s / HOUR_S
        told.connections = max(told.connections, count * settings.pool_max)
        scaler.look(t_s, cpu if settings.scale_on == "cpu" else used, told)
        if t_s / HOUR_S in MARKS_H:
            told.used[t_s / HOUR_S], told.cpu[t_s / HOUR_S] = used, cpu
        if used >= stop_percent:
            break
        if t_s > _LAST_MARK_S and scaler.rests and locks.settled(swept, offered):
            told.replica_hours += count * (plan.hours - t_s / HOUR_S)
            break
    return told


def _cpu_percent(
    settings: LockSettings, requests_per_s: float, held: float, waiting: bool
) -> float:
    """Of one replica, of the CPU that it asks for."""
    busy_ms = settings.request_cpu_ms * requests_per_s + settings.lock_scan_cpu_ms * held
    return busy_ms / 10 + (settings.waiting_cpu_percent if waiting else 0.0)
