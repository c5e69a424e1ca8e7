"""Processes that others start and end while a test looks at them."""

import psutil


def words_of(process: psutil.Process) -> list[str]:
    """Its command line; [] of one that has ended just now, be it that nobody has waited for it."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []
