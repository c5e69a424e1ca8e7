"""CPU that a replica would take, by a stated model.

A request costs its share, so does each lock held, as the sweeper scans them every second, and
callers who wait cost some more. The mock's own CPU is another matter: process_cpu_seconds_total.
"""

from collections.abc import Mapping, Sequence

from mock_services.inventory_lock.settings import InventoryLockSettings
from mock_services.kit.pool import Pool


def utilization(
    settings: InventoryLockSettings, requests_per_s: float, held: float, waiting: bool
) -> float:
    """Of one replica, share of the CPU that it asks Kubernetes for; it may use more than that."""
    busy_ms_per_s = settings.request_cpu_ms * requests_per_s + settings.lock_scan_cpu_ms * held
    return busy_ms_per_s / 1000 + (settings.waiting_cpu_percent / 100 if waiting else 0.0)


class CpuMeter:
    """CPU of each replica over the time between two readings. Requests are spread evenly."""

    def __init__(self) -> None:
        self.requests = 0
        self.utilization: Mapping[str, float] = {}
        self._read_s: float | None = None
        self._counted = 0
        self._waited_s: dict[str, float] = {}

    def read(self, now_s: float, settings: InventoryLockSettings, serving: Sequence[Pool]) -> None:
        """Measure since the last reading; the first one only begins."""
        if self._read_s is not None and now_s > self._read_s:
            requests_per_s = (self.requests - self._counted) / (now_s - self._read_s)
            per_s = requests_per_s / len(serving)
            self.utilization = {
                pool.replica: utilization(settings, per_s, pool.active, self._waited(pool))
                for pool in serving
            }
        self._read_s, self._counted = now_s, self.requests
        self._waited_s = {pool.replica: pool.acquire_s.total for pool in serving}

    def _waited(self, pool: Pool) -> bool:
        """Whether callers wait, or did since the last reading."""
        waited_s = pool.acquire_s.total - self._waited_s.get(pool.replica, 0.0)
        return pool.waiting > 0 or waited_s > 0
