"""Memory and CPU of processes that the run has started for somebody, by the service they answer as.

A process is of the service whose port it, or whoever forked it, listens on; what is left, such as
a wrapper, is of the first. Services at one port have the same figures. Whoever listens elsewhere,
as containers do, has none here.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence

import psutil

from harness.system.deadline import NoAnswerError
from recording.metric_names import CPU, RSS, STARTED

FRESH_S = 0.05
"""One look at the processes serves all services that are sampled at the same time."""


class Processes:
    """Those below one process; ``ports`` has that of each subject.

    CPU never goes back: what has ended keeps what it took when it was last seen.
    """

    def __init__(
        self, all_of_them: Callable[[], Sequence[psutil.Process]], ports: Mapping[str, int]
    ) -> None:
        self._all = all_of_them
        self._ports = ports
        self._lock = threading.Lock()
        self._cpu_s: dict[int, dict[psutil.Process, float]] = {p: {} for p in ports.values()}
        self._figures: dict[int, dict[str, float]] = {}
        self._looked_s = 0.0
        self._listening: dict[int, list[psutil.Process]] = {}
        self._look()

    @property
    def subjects(self) -> list[str]:
        """Of whom there are figures."""
        return [subject for subject, port in self._ports.items() if self._listening.get(port)]

    def of(self, subject: str) -> dict[str, float]:
        """Its memory, CPU and start. Raises NoAnswerError where nothing listens for it any more."""
        with self._lock:
            if time.monotonic() - self._looked_s > FRESH_S:
                self._look()
            if found := self._figures.get(self._ports[subject]):
                return found
        raise NoAnswerError(f"no process of {subject} is left")

    def _look(self) -> None:
        there = list(self._all())
        for port in self._cpu_s:
            alive = [p for p in self._listening.get(port, ()) if p in there]
            self._listening[port] = alive or [p for p in there if _listens(p, port)]
        owners = {p.pid: port for port, some in self._listening.items() for p in some}
        parents = {process.pid: _parent(process) for process in there}
        first = next(iter(self._cpu_s))
        theirs: dict[int, list[psutil.Process]] = {port: [] for port in self._cpu_s}
        for process in there:
            theirs[_owner(process.pid, owners, parents, first)].append(process)
        self._figures = {
            port: self._measured(port, some)
            for port, some in theirs.items()
            if self._listening[port]
        }
        self._looked_s = time.monotonic()

    def _measured(self, port: int, theirs: Sequence[psutil.Process]) -> dict[str, float]:
        rss, cpu_s = 0.0, self._cpu_s[port]
        for process in theirs:
            try:
                with process.oneshot():
                    rss += process.memory_info().rss
                    times = process.cpu_times()
                    cpu_s[process] = times.user + times.system
            except psutil.Error:  # it ended just now
                continue
        started = min(process.create_time() for process in self._listening[port])
        return {RSS: rss, CPU: sum(cpu_s.values()), STARTED: started}


def _listens(process: psutil.Process, port: int) -> bool:
    try:
        sockets = process.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return False
    return any(s.status == psutil.CONN_LISTEN and s.laddr.port == port for s in sockets)


def _parent(process: psutil.Process) -> int:
    try:
        return int(process.ppid())
    except psutil.Error:
        return 0


def _owner(pid: int, owners: Mapping[int, int], parents: Mapping[int, int], first: int) -> int:
    while pid in parents:
        if pid in owners:
            return owners[pid]
        pid = parents[pid]
    return first
