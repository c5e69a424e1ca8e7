"""What is going on, said when it takes longer than a moment."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from harness.screen.plain import Screen

MOMENT_S = 2.0


@contextmanager
def saying(text: str, after_s: float = MOMENT_S) -> Iterator[None]:
    """A line on stderr, unless all is done before."""
    timer = threading.Timer(after_s, Screen(stderr=True).print, [text], {"style": "dim"})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
