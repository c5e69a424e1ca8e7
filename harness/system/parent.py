"""Ends this process in good order when whoever started it is gone: no load goes on alone."""

import os
import signal
import threading
import time

import psutil

STARTED_BY = "LOADGATE_PARENT"
"""The environment variable with the pid of the process that started this one."""
_POLL_S = 0.5


def end_with_starter() -> None:
    """As SIGTERM would, within a second. Nothing happens where nobody asked for it."""
    if starter := os.environ.get(STARTED_BY):
        threading.Thread(target=_watch, args=(int(starter),), daemon=True).start()


def _watch(starter: int) -> None:
    while _lives(starter):
        time.sleep(_POLL_S)
    os.kill(os.getpid(), signal.SIGTERM)


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
