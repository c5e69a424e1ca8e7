"""A process that runs one command, and ends with all that the command started, wherever it went.

``python -m harness.system.keeper`` reads a `Kept` from its standard input, as JSON. What detaches
itself is adopted by the keeper (Linux: PR_SET_CHILD_SUBREAPER of prctl(2)), so nothing of it
escapes. It ends with the command's exit code when that fails, or leaves nothing running and has
no `stop`. SIGTERM, and the end of whoever started it, make it end what is left.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from harness.system.parent import STARTED_BY, end_with_starter
from harness.system.paths import PROJECT, environment_of

STOP_WITHIN_S = 30.0
"""For a `stop`."""
TERM_WITHIN_S = 10.0
"""From SIGTERM, or the end of `stop`, to SIGKILL."""
KILL_WITHIN_S = 5.0
ENDS_WITHIN_S = STOP_WITHIN_S + TERM_WITHIN_S + KILL_WITHIN_S + 5.0
"""A keeper that was told to end is gone after so long."""
NO_SUCH_COMMAND = 127
"""As a shell's."""
_SET_CHILD_SUBREAPER = 36
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Kept:
    """A command and what ends it in good order ([]: SIGTERM), in a folder and an environment.

    What is done ``once`` takes nothing along that it leaves running.
    """

    command: Sequence[str]
    stop: Sequence[str]
    folder: str
    environment: Mapping[str, str] = field(repr=False)
    once: bool = False


def kept(what: Kept, log: Path) -> "subprocess.Popen[bytes]":
    """Its keeper, which has just been started; both write to the end of ``log``."""
    with log.open("ab") as output:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "harness.system.keeper"],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**environment_of(), STARTED_BY: str(os.getpid())},
            cwd=PROJECT,  # `-m` finds the packages there first
            start_new_session=True,  # Ctrl-C in the terminal reaches the harness only
        )
    assert keeper.stdin is not None
    with suppress(BrokenPipeError), keeper.stdin as told:  # or it is gone, and its log says why
        told.write(json.dumps(asdict(what)).encode())
    return keeper


def below(pid: int) -> list[psutil.Process]:
    """All processes that a keeper keeps, or any other has below it."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def main() -> int:
    """Keep what standard input says; the exit code."""
    what = Kept(**json.loads(sys.stdin.buffer.read()))
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: end.set())
    end_with_starter()
    try:
        child = _start(what, what.command)
    except OSError as error:
        _say(f"{what.command[0]}: cannot be started: {error.strerror}")
        return NO_SUCH_COMMAND
    code = None
    while not end.wait(_POLL_S):
        code = _reaped().get(child.pid, code)
        if code or (code == 0 and (what.once or not (what.stop or _has_children()))):
            break
    _end(what)
    return code or 0


def _say(text: str) -> None:
    os.write(sys.stdout.fileno(), f"{text}\n".encode())


def _start(what: Kept, command: Sequence[str]) -> "subprocess.Popen[bytes]":
    """In a session of its own, so that it finds no terminal. Raises OSError.

    Who lets go of it lets Python take its exit code, which `_reaped` then never sees.
    """
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        cwd=what.folder,
        env=dict(what.environment),
        start_new_session=True,
    )


def _reaped() -> dict[int, int]:
    """Exit codes of children that have ended, adopted ones among them; 128 + n by signal n."""
    found = {}
    try:
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            code = os.waitstatus_to_exitcode(ended[1])
            found[ended[0]] = 128 - code if code < 0 else code
    except ChildProcessError:
        pass
    return found


def _has_children() -> bool:
    """Whether anything is left: what has lost its parent is ours."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _end(what: Kept) -> None:
    """In good order, and then for good."""
    if not (what.stop and _stopped(what)):
        _signal(signal.SIGTERM)
    _wait(TERM_WITHIN_S)
    deadline = time.monotonic() + KILL_WITHIN_S
    while _has_children() and time.monotonic() < deadline:
        _signal(signal.SIGKILL)
        _wait(_POLL_S)  # one that was forked meanwhile is found the next time


def _stopped(what: Kept) -> bool:
    """Whether its `stop` did so in time."""
    try:
        child = _start(what, what.stop)
    except OSError as error:
        _say(f"{what.stop[0]}: cannot be started: {error.strerror}")
        return False
    deadline = time.monotonic() + STOP_WITHIN_S
    while time.monotonic() < deadline:
        if (code := _reaped().get(child.pid)) is not None:
            return code == 0
        time.sleep(_POLL_S)
    _say(f"{what.stop[0]}: not done after {STOP_WITHIN_S:.0f} s")
    return False


def _wait(within_s: float) -> None:
    """Until nothing is left below, or the time is over."""
    deadline = time.monotonic() + within_s
    while _has_children() and time.monotonic() < deadline:
        _reaped()
        time.sleep(_POLL_S / 2)


def _signal(number: int) -> None:
    for process in below(os.getpid()):
        with suppress(psutil.Error):  # it has just ended
            process.send_signal(number)


if __name__ == "__main__":
    sys.exit(main())
