"""Samples the machine itself: how much CPU the run used, and how much everybody else did."""

from collections.abc import Iterator

import psutil

from recording.metric_names import CPU_BUSY, CPU_STEAL, OWN_CPU

_IDLE = ("idle", "iowait", "steal", "guest", "guest_nice")
"""Not work done here; guest time is part of user time already."""


def host_samples() -> Iterator[tuple[str, float]]:
    """(metric, value) pairs of the subject ``host``; CPU in seconds since boot or start."""
    times = psutil.cpu_times()._asdict()
    yield CPU_BUSY, sum(s for name, s in times.items() if name not in _IDLE)
    yield CPU_STEAL, float(times.get("steal", 0.0))
    yield OWN_CPU, _own_cpu_s()


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
