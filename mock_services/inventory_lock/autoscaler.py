"""A horizontal pod autoscaler: how many replicas there should be, and how long they take to come.

As Kubernetes' own, it wants as many replicas as carry the present load at the target, follows the
least of what it wanted throughout the hold time when it grows, and the most when it shrinks.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mock_services.inventory_lock.replicas import Replicas
from mock_services.inventory_lock.settings import InventoryLockSettings

ABOVE = {
    "cpu": "cpu resource utilization (percentage of request) above target",
    "pool_utilization": "pods metric pool_utilization above target",
}
BELOW = "All metrics below target"


@dataclass(frozen=True, slots=True)
class Recommended:
    """Replicas, wanted in one direction without a break since then."""

    since_s: float
    replicas: int


class Autoscaler:
    """Scales the replicas of a service by what they report. `write` records its events."""

    def __init__(
        self,
        service: str,
        settings: Callable[[], InventoryLockSettings],
        replicas: Replicas,
        write: Callable[..., None],
    ) -> None:
        self._service = service
        self._settings = settings
        self._replicas = replicas
        self._write = write
        self._starting: list[asyncio.Task[None]] = []
        self._more: Recommended | None = None
        self._fewer: Recommended | None = None

    @property
    def wanted(self) -> int:
        """Replicas that serve or are about to."""
        return len(self._replicas) + len(self._starting)

    def set(self, count: int) -> None:
        """Somebody scales by hand: so many serve at once, and whatever was starting is dropped."""
        self.stop()
        self._replicas.scale(count)
        self._more = self._fewer = None

    def stop(self) -> None:
        """Start no more replicas."""
        for task in self._starting:
            task.cancel()
        self._starting.clear()

    def look(self, now_s: float, percents: Sequence[float]) -> None:
        """Compare the metric, one value a serving replica (percent), with the target."""
        settings = self._settings()
        if not settings.autoscale:
            self._more = self._fewer = None
            return
        # The mean over n replicas, times n, over the target: those that start count as idle.
        carrying = math.ceil(sum(percents) / settings.scale_threshold_percent)
        count = max(settings.fewest, min(settings.most, carrying))
        self._more = _lasting(self._more, now_s, count, min) if count > self.wanted else None
        self._fewer = _lasting(self._fewer, now_s, count, max) if count < self.wanted else None
        mean = sum(percents) / len(percents)
        if self._more and now_s - self._more.since_s >= settings.scale_hold_s:
            self._grow(self._more.replicas, mean)
        shrinks = self._fewer and settings.scale_down_after_s
        if self._fewer and shrinks and now_s - self._fewer.since_s >= settings.scale_down_after_s:
            self._shrink(self._fewer.replicas, mean)

    def _grow(self, count: int, mean_percent: float) -> None:
        self._announce(count, ABOVE[self._settings().scale_on], mean_percent)
        for _ in range(count - self.wanted):
            pod = f"{self._service}-{self._replicas.started + len(self._starting)}"
            self._starting.append(asyncio.create_task(self._start(pod)))
        self._more = None

    def _shrink(self, count: int, mean_percent: float) -> None:
        self._announce(count, BELOW, mean_percent)
        self.stop()
        self._replicas.scale(count)
        self._fewer = None

    async def _start(self, pod: str) -> None:
        settings = self._settings()
        for event, after_s, reason, message in (
            ("pod_scheduled", settings.pod_scheduling_s, "Scheduled", f"Assigned {pod} to a node"),
            ("pod_started", settings.pod_start_s, "Started", f"Started container {self._service}"),
            ("pod_ready", settings.pod_readiness_s, "Readiness", "Readiness probe succeeded"),
        ):
            await asyncio.sleep(after_s)
            self._write(event, pod=pod, reason=reason, message=message)
        self._starting = [task for task in self._starting if task is not asyncio.current_task()]
        self._replicas.scale(len(self._replicas) + 1)

    def _announce(self, count: int, because: str, mean_percent: float) -> None:
        settings = self._settings()
        self._write(
            "scaled",
            reason="SuccessfulRescale",
            message=f"New size: {count}; reason: {because}",
            replicas_before=self.wanted,
            replicas_after=count,
            metric=settings.scale_on,
            value_percent=round(mean_percent, 1),
            threshold_percent=settings.scale_threshold_percent,
        )


def _lasting(
    before: Recommended | None, now_s: float, count: int, cautious: Callable[[int, int], int]
) -> Recommended:
    if before is None:
        return Recommended(now_s, count)
    return Recommended(before.since_s, cautious(before.replicas, count))
