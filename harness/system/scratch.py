"""Folders for as long as the process lives that made them, however it ends.

Beside each lies a lock that its owner holds. The kernel drops it when the owner dies, by a
``kill -9`` too and whatever namespace its id is of; the next `sweep` removes what nobody holds.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "loadgate-"
LOCK = ".lock"


@contextmanager
def scratch(what: str) -> Iterator[Path]:
    """An empty folder ``loadgate-<what>-<random>`` of this process alone."""
    held, lock = _locked(what)
    folder = lock.with_suffix("")
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        _remove(folder, lock)
        os.close(held)


def sweep() -> None:
    """Remove this user's folders whose owner is gone; what cannot be removed stays for the next."""
    for lock in Path(tempfile.gettempdir()).glob(f"{PREFIX}*{LOCK}"):
        try:
            held = os.open(lock, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:
            continue  # somebody else's, or gone meanwhile
        try:
            if os.fstat(held).st_uid == os.getuid() and _take(held):
                _remove(lock.with_suffix(""), lock)
        finally:
            os.close(held)


def _locked(what: str) -> tuple[int, Path]:
    """A new lock that is held, and still there: a sweep may have taken it before we could."""
    while True:
        held, name = tempfile.mkstemp(prefix=f"{PREFIX}{what}-", suffix=LOCK)
        if _take(held) and (lock := Path(name)).exists():
            return held, lock
        os.close(held)


def _take(held: int) -> bool:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove(folder: Path, lock: Path) -> None:
    """The folder first: a lock without one is found again, a folder without one is not."""
    shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        lock.unlink(missing_ok=True)
