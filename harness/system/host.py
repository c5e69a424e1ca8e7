"""Facts about where a run happened, for its manifest."""

import os
import platform
import resource
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

_PACKAGES = ("loadgate", "locust", "geventhttpclient", "fastapi", "uvicorn", "numpy")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that shape a measurement."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def host_facts() -> dict[str, Any]:
    """Cores, memory, kernel and descriptor limit: two hosts alike in these are of one class."""
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "kernel": platform.release(),
        "cpu": _cpu_model(),
        "cores": usable_cores(),
        "memory_bytes": psutil.virtual_memory().total,
        "descriptors": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        "load_average": list(os.getloadavg()),
    }


def usable_cores() -> int:
    """Cores this process may run on."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((x.partition(":")[2].strip() for x in lines if x.startswith("model name")), "")
