"""What a Locust process needs from its surroundings: descriptors, quiet GC, a living parent."""

import gc
import os
import resource
from pathlib import Path

import gevent
import psutil

GC_THRESHOLDS = (100_000, 50, 100)
"""With the defaults, collections took a third of a process's CPU at 12,000 connections."""


def raise_descriptor_limit() -> int:
    """Lift the soft limit of open files to the hard one; returns the limit now in force."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def quiet_collector() -> None:
    """Take everything loaded so far out of the collector's sight and let it run rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def end_with_parent(is_master: bool) -> None:
    """End this process within half a second of its parent's death, however that died.

    ``LOADGATE_PARENT`` is who started Locust, and may be gone before we look; workers are forked
    by the master, which is not.
    """
    parent = os.getppid()
    started_by = int(os.environ.get("LOADGATE_PARENT", parent))
    if is_master and parent != started_by:
        os._exit(1)

    def watch() -> None:
        while os.getppid() == parent:
            gevent.sleep(0.5)
        os._exit(1)

    gevent.spawn(watch)


def run_queue_wait_s() -> float:
    """Time this process was ready to run but had no core, s since its start (0 off Linux)."""
    try:
        return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def resident_bytes() -> int:
    """Resident memory of this process."""
    return int(psutil.Process().memory_info().rss)
