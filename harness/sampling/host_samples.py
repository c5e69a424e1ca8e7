"""Samples the machine itself: how much CPU the run used, and how much everybody else did."""

from collections.abc import Iterator

import psutil

_IDLE = ("idle", "iowait", "steal", "guest", "guest_nice")
"""Not work done here; guest time is part of user time already."""


def host_samples() -> Iterator[tuple[str, float]]:
    """(metric, value) pairs of the subject ``host``; CPU in seconds since boot or start."""
    times = psutil.cpu_times()._asdict()
    yield "cpu_busy_seconds_total", sum(s for name, s in times.items() if name not in _IDLE)
    yield "cpu_steal_seconds_total", float(times.get("steal", 0.0))
    yield "own_cpu_seconds_total", _own_cpu_s()


def _own_cpu_s() -> float:
    """CPU of this process and everything below it: harness, mocks, Locust."""
    me = psutil.Process()
    total = 0.0
    for process in (me, *me.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.Error:  # it ended just now
            continue
        total += times.user + times.system
    return total
