"""What the process they run in needs: descriptors, garbage collection, memory."""

import contextlib
import ctypes
import gc
import resource

import psutil

GC_THRESHOLDS = (100_000, 50, 100)
"""Default thresholds took 36 % of a service's CPU at 12,000 connections."""

_OURSELVES = psutil.Process()


def raise_descriptor_limit() -> int:
    """Raise the soft limit of open files to the hard one; returns the limit in force."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # macOS refuses "unlimited"
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def calm_garbage_collector() -> None:
    """Take what start-up created out of every later collection, and collect seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def rss_bytes() -> int:
    """Resident memory of this process."""
    return int(_OURSELVES.memory_info().rss)


def give_memory_back() -> None:
    """Return free heap pages to the system (glibc; elsewhere the allocator decides)."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return
    trim(0)
