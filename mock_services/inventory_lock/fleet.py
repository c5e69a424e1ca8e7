"""What the lock service's replicas do without being asked: sweep, use CPU, scale."""

import asyncio
from collections.abc import Callable

from mock_services.inventory_lock.autoscaler import Autoscaler
from mock_services.inventory_lock.cpu import CpuMeter
from mock_services.inventory_lock.locks import LockTable
from mock_services.inventory_lock.replicas import Replicas
from mock_services.inventory_lock.settings import InventoryLockSettings
from mock_services.inventory_lock.sweeper import Sweeper


class Fleet:
    """The replicas with their pools, locks, sweepers and autoscaler, in the event loop's time."""

    def __init__(
        self,
        service: str,
        settings: Callable[[], InventoryLockSettings],
        write: Callable[..., None],
    ) -> None:
        now = settings()
        self._settings = settings
        self.replicas = Replicas("locks", now.replicas, now.pool_max, now.routing)
        self.replicas.down = now.replicas_down
        self.sweeper = Sweeper(self._swept_per_s)
        self.locks = LockTable(self.sweeper)
        self.cpu = CpuMeter()
        self.autoscaler = Autoscaler(service, settings, self.replicas, write)

    async def run(self) -> None:
        """Look at it at intervals, for ever."""
        while True:
            self.look(asyncio.get_running_loop().time())
            await asyncio.sleep(self._settings().cpu_interval_s)

    def look(self, now_s: float) -> None:
        """Measure the CPU and let the autoscaler see it."""
        settings = self._settings()
        self.cpu.read(now_s, settings, self.replicas.serving)
        if settings.scale_on == "cpu":
            percents = [100 * share for share in self.cpu.utilization.values()]
        else:
            percents = [100 * pool.active / pool.max for pool in self.replicas.serving]
        if percents:
            self.autoscaler.look(now_s, percents)

    def configure(self) -> None:
        """New settings are in force; the number of replicas stays as it is."""
        settings = self._settings()
        self.replicas.routing = settings.routing
        self.replicas.down = settings.replicas_down
        self.replicas.resize(settings.pool_max)
        self.sweeper.hurry()

    def _swept_per_s(self) -> float:
        return len(self.replicas) * self._settings().expiry_per_s
