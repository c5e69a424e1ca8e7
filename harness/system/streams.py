"""Standard streams that cannot fail: what can no longer be shown ends nothing.

A reader that went away (`| head -1`), a full disk behind `>`, a closed terminal or one that knows
ASCII only are no reason for a run to end, or for its exit code to be another than its verdict's.
"""

import contextlib
import errno
import io
import os
import select
import stat
import sys
from collections.abc import Iterator
from typing import Any

import typer

_NOBODY_READS = (errno.EPIPE, errno.EIO)
"""A reader or a terminal that went away knows that it did."""


class _Unfailing(io.FileIO):
    """Writes as long as that works, and from then on nowhere; says so once."""

    waits = True
    """Whether those who read slowly are waited for."""
    _lost = False

    def write(self, data: Any) -> int:
        """As much as is taken, or none of it."""
        if self._lost:
            return len(data)
        try:
            while (written := super().write(data)) is None:  # nobody takes it now
                if not self.waits:
                    return len(data)
                select.select([], [self], [])
        except (OSError, ValueError) as error:
            self._lost = True
            self._complain(error)
            return len(data)
        return written

    def _complain(self, error: Exception) -> None:
        if getattr(error, "errno", None) not in _NOBODY_READS and self.fileno() != 2:
            with contextlib.suppress(OSError):
                os.write(2, f"loadgate: output is lost: {error}\n".encode(errors="replace"))


def make_unfailing() -> None:
    """Replace stdout and stderr; what they cannot print they print as escapes.

    A descriptor that is closed is opened first, on nothing: a file of the recording must not get
    its number, and with it whatever somebody prints. A stream that somebody put in their place
    has no descriptor to lose, and stays.
    """
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is sys.__stdout__:
        sys.stdout = _stream(1, sys.stdout)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _stream(2, sys.stderr)


def wait_for_readers(waits: bool) -> None:
    """Whether what is printed from now on waits until it is taken, or is left out if it is not."""
    _Unfailing.waits = waits


def _stream(fd: int, before: Any) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(_Unfailing(_own(fd), "wb", closefd=False)),
        encoding=getattr(before, "encoding", None) or "utf-8",
        errors="backslashreplace",
        line_buffering=fd == 2 or os.isatty(fd),
    )


def _own(fd: int) -> int:
    """The same pipe or terminal, opened once more: who shares it is not kept from waiting."""
    if not (stat.S_ISFIFO(os.fstat(fd).st_mode) or os.isatty(fd)):
        return fd
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        return os.open(f"/dev/fd/{fd}", flags)
    except OSError:
        return fd


@contextlib.contextmanager
def presenting() -> Iterator[None]:
    """Whatever goes wrong in showing something is said, and ends nothing."""
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - whatever it is
        warn(f"not all could be shown: {type(error).__name__}: {error}")


def warn(text: str) -> None:
    """A line on stderr, if there is anybody."""
    with contextlib.suppress(Exception):
        typer.echo(f"loadgate: {text}", err=True)
