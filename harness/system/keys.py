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
        self._there = is_before_us()
        if self._there:
            with suppress(termios.error):
                termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)

    def pressed(self) -> bool:
        """Whether a line was ended; it is taken."""
        if not (self._there and is_before_us() and select.select([sys.stdin], [], [], 0)[0]):
            return False
        said = os.read(sys.stdin.fileno(), 1024)
        self._there = bool(said)  # a terminal that is gone is readable, and empty
        return bool(said)


def is_before_us() -> bool:
    """Whether a terminal is: standard input, and this process in its foreground. Those in the
    background are stopped where they read from it.
    """
    try:
        fd = sys.stdin.fileno()
        return os.isatty(fd) and os.tcgetpgrp(fd) == os.getpgrp()
    except (AttributeError, OSError, ValueError):
        return False
