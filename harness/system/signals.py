"""What asks a command to stop, and how it does."""

import contextlib
import signal
from collections.abc import Iterator


def stop_signals() -> tuple[signal.Signals, ...]:
    """Ctrl-C, SIGTERM, and a closed terminal unless under nohup."""
    hangs_up = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    return (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hangs_up else []))


def stop_like_ctrl_c() -> None:
    """Let every one of them raise KeyboardInterrupt, so that files and processes are tidied up."""
    for number in stop_signals():
        signal.signal(number, signal.default_int_handler)


@contextlib.contextmanager
def nothing_to_tidy_up() -> Iterator[None]:
    """Let them end the process outright: an import that is interrupted prints tracebacks."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in stop_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
