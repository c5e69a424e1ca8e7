"""The Enter key of whoever sits before the terminal.

The terminal stays as it is, so that whatever ends this process leaves it usable.
"""

import os
import select
import sys
import termios
from contextlib import suppress


class Enter:
    """``pressed`` since it was made; what was typed before does not count."""

    def __init__(self) -> None:
        self._there = _is_ours()
        if self._there:
            with suppress(termios.error):
                termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)

    @property
    def is_there(self) -> bool:
        """Whether anybody could press it."""
        return self._there

    def pressed(self) -> bool:
        """Whether a line was ended; it is taken."""
        if not (self._there and _is_ours() and select.select([sys.stdin], [], [], 0)[0]):
            return False
        said = os.read(sys.stdin.fileno(), 1024)
        self._there = bool(said)  # a terminal that is gone is readable, and empty
        return bool(said)


def _is_ours() -> bool:
    """Whether standard input is a terminal, and this process in front of it: others would stop."""
    try:
        fd = sys.stdin.fileno()
        return os.isatty(fd) and os.tcgetpgrp(fd) == os.getpgrp()
    except (AttributeError, OSError, ValueError):
        return False
