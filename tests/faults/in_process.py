"""The command line within this process: for the many rows that end before anything is started."""

import contextlib
import io
import signal
import sys
from unittest.mock import patch

from harness import cli
from tests.faults.fault import Seen, verdict_of

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def loadgate(*words: str) -> Seen:
    """Exit code and everything that was printed; the process' own handlers are back afterwards."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    said = io.StringIO()
    try:
        with (
            patch.object(sys, "argv", ["loadgate", *words]),
            patch.dict("os.environ", {"COLUMNS": "300"}),
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
        ):
            code = _exit_code()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return Seen(code, said.getvalue(), verdict_of(code))


def _exit_code() -> int:
    try:
        cli.main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    return 0
