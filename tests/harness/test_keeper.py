"""A command that is kept ends with all it has started, and nothing of it is left."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from harness.system.keeper import NO_SUCH_COMMAND, Kept, below, kept
from tests.harness.conftest import gone, wait_for

DETACHED = ("sh", "-c", "(setsid sleep 100 &); exit 0")
DEAF = ("sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done")


def keep(
    folder: Path, *command: str, stop: tuple[str, ...] = (), once: bool = False
) -> "subprocess.Popen[bytes]":
    """Its keeper, which writes to ``folder``."""
    what = Kept(command, stop, str(folder), dict(os.environ), once)
    return kept(what, folder / "log")


@pytest.mark.parametrize(
    ("command", "code"),
    [(("sh", "-c", "exit 7"), 7), (("sh", "-c", "kill -9 $$"), 137), (("true",), 0)],
)
def test_a_command_that_ends_is_known_by_its_exit_code(
    tmp_path: Path, command: tuple[str, ...], code: int
) -> None:
    """By a signal as a shell says it; one that leaves nothing running is over too."""
    assert keep(tmp_path, *command).wait(10) == code


def test_what_cannot_be_started_is_said(tmp_path: Path) -> None:
    """In the log of what was to be started."""
    assert keep(tmp_path, "no-such-program").wait(10) == NO_SUCH_COMMAND
    assert "no-such-program: cannot be started" in (tmp_path / "log").read_text()


def test_what_has_detached_itself_ends_with_its_keeper(tmp_path: Path) -> None:
    """In a session of its own, and without a parent."""
    keeper = keep(tmp_path, *DETACHED)
    kin = wait_for(lambda: [p for p in below(keeper.pid) if p.name() == "sleep"])
    assert keeper.poll() is None
    keeper.terminate()
    keeper.wait(10)
    assert gone(kin)


def test_what_is_done_once_leaves_nothing_running(tmp_path: Path) -> None:
    """A daemon that a build leaves does not keep the build from being over."""
    keeper = keep(tmp_path, "sh", "-c", "sleep 100 & echo $! > pid", once=True)
    assert keeper.wait(10) == 0
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_a_stop_of_its_own_ends_what_has_returned(tmp_path: Path) -> None:
    """A command that only starts something elsewhere is kept until it is told to stop."""
    keeper = keep(tmp_path, "touch", "up", stop=("rm", "up"))
    wait_for((tmp_path / "up").exists)
    assert keeper.poll() is None
    keeper.terminate()
    assert keeper.wait(10) == 0
    assert not (tmp_path / "up").exists()


@pytest.mark.long
def test_whoever_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    """After its ten seconds, with its children."""
    keeper = keep(tmp_path, *DEAF)
    wait_for(lambda: "deaf" in (tmp_path / "log").read_text())
    kin = below(keeper.pid)
    keeper.terminate()
    keeper.wait(20)
    assert gone(kin)


def test_a_harness_that_is_killed_takes_it_along(tmp_path: Path) -> None:
    """By ``kill -9``, which no handler hears."""
    code = (
        "import sys, time; from pathlib import Path; from harness.system.keeper import Kept, kept;"
        "k = kept(Kept(['sleep', '100'], [], '/', {'PATH': '/usr/bin:/bin'}), Path(sys.argv[1]));"
        "print(k.pid, flush=True); time.sleep(100)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True
    ) as harness:
        assert harness.stdout is not None
        keeper = int(harness.stdout.readline())
        kin = wait_for(lambda: below(keeper))
        harness.kill()
    wait_for(lambda: gone(kin))
