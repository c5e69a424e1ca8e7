"""Watches processes and the kernel's TCP counters once a second while a load runs."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

_SNMP = Path("/proc/net/snmp")
Roles = Mapping[str, list[psutil.Process]]


@dataclass(frozen=True, slots=True)
class Look:
    """CPU seconds and resident bytes per role, and TCP connections accepted, at a moment.

    ``accepted`` counts every connection accepted on this machine since boot (``PassiveOpens``,
    RFC 4022), so its growth is an upper bound for the services under test.
    """

    wall_s: float
    cpu_s: Mapping[str, float]
    rss_bytes: Mapping[str, int]
    accepted: int


class Watch(threading.Thread):
    """Looks every second until its ``with`` block ends."""

    def __init__(self, find: Callable[[], Roles]) -> None:
        super().__init__(name="watch", daemon=True)
        self._find = find
        self._stopping = threading.Event()
        self.looks: list[Look] = []

    def run(self) -> None:
        """Look until stopped; a process that ends between two looks is left out."""
        while not self._stopping.wait(1.0):
            roles = self._find()
            seen = {name: [s for p in own if (s := _state(p))] for name, own in roles.items()}
            self.looks.append(
                Look(
                    wall_s=time.time(),
                    cpu_s={name: sum(cpu for cpu, _ in own) for name, own in seen.items()},
                    rss_bytes={name: sum(rss for _, rss in own) for name, own in seen.items()},
                    accepted=accepted_connections(),
                )
            )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self.join()

    def between(self, start_wall_s: float, end_wall_s: float) -> "Span":
        """What happened between two moments. Raises ValueError with fewer than two looks."""
        inside = [look for look in self.looks if start_wall_s <= look.wall_s <= end_wall_s]
        if len(inside) < 2:
            raise ValueError("nothing was watched in the measured phase")
        return Span(tuple(inside))


@dataclass(frozen=True, slots=True)
class Span:
    """The looks of a stretch of time."""

    looks: tuple[Look, ...]

    @property
    def seconds(self) -> float:
        """From the first to the last look."""
        return self.looks[-1].wall_s - self.looks[0].wall_s

    @property
    def accepted_per_s(self) -> float:
        """New TCP connections per second, on the whole machine."""
        return (self.looks[-1].accepted - self.looks[0].accepted) / self.seconds

    def cores(self, role: str) -> float:
        """Cores a role used on average."""
        grown = self.looks[-1].cpu_s[role] - self.looks[0].cpu_s[role]
        return grown / self.seconds

    def peak_bytes(self, *roles: str) -> int:
        """The most resident memory of some roles together; shared pages count in each process."""
        return max(sum(look.rss_bytes[role] for role in roles) for look in self.looks)


def _state(process: psutil.Process) -> tuple[float, int] | None:
    try:
        with process.oneshot():
            times = process.cpu_times()
            return times.user + times.system, process.memory_info().rss
    except psutil.Error:
        return None


def accepted_connections(text: str | None = None) -> int:
    """TCP connections accepted since boot; 0 where the kernel does not say (not Linux)."""
    if text is None:
        text = _SNMP.read_text() if _SNMP.exists() else ""
    rows = [line.split() for line in text.splitlines() if line.startswith("Tcp:")]
    if len(rows) < 2:
        return 0
    return int(dict(zip(rows[0], rows[1], strict=True)).get("PassiveOpens", 0))
