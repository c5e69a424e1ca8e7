"""harness/run/watchdog.py and what is around it: who ends a pause, and how it is asked."""

import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from analysis.limits.guard import Guards
from harness.cli import app
from harness.run.watchdog import Watchdog
from harness.system.held import held, is_held
from harness.verbs.resume import resume
from recording.clock import RunClock
from recording.errors import ConfigError
from recording.events import LOOK_FAILED
from recording.jsonl import JsonLinesWriter, read_json_lines
from recording.rundir import RunDir, create_run_dir
from tests.faults.rows_guards import CLEARED
from tests.harness.conftest import FIXTURES, LIMIT_S, wait_for

PRESSES = """
from harness.system.keys import Enter
enter = Enter()
print("before", enter.pressed(), flush=True)
while not enter.pressed():
    pass
print("pressed", flush=True)
"""


def paused_run(folder: Path) -> RunDir:
    """A run directory whose load stands still."""
    run = create_run_dir(folder, "smoke")
    run.manifest.write_text("{}")
    with JsonLinesWriter(run.events) as events:
        events.write({"t_s": 1.0, "event": "phase_started", "phase": "up", "measured": True})
        paused = {"phase": "paused", "measured": False, "paused": True}
        events.write({"t_s": 2.0, "event": "phase_started", **paused})
    return run


def test_a_folder_is_held_as_long_as_its_holder_lives(tmp_path: Path) -> None:
    """A process that is killed holds nothing."""
    holder = subprocess.Popen(
        [sys.executable, "-c", "import sys, time; from pathlib import Path\n"
         "from harness.system.held import held\n"
         "with held(Path(sys.argv[1])): print('held', flush=True); time.sleep(90)", str(tmp_path)],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert holder.stdout is not None
    holder.stdout.readline()
    assert is_held(tmp_path)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert not is_held(tmp_path)


def test_what_is_no_paused_run_cannot_be_resumed(tmp_path: Path) -> None:
    """Dead, or going on: exit 2, and nothing is left in it."""
    with pytest.raises(ConfigError, match=r"no run of .* is running"):
        resume(None, tmp_path)
    run = paused_run(tmp_path)
    with pytest.raises(ConfigError, match="is not running"):
        resume(run.root, tmp_path)
    with JsonLinesWriter(run.events) as events:
        events.write({"t_s": 3.0, "event": "phase_started", "phase": "up", "measured": True})
    with held(run.root), pytest.raises(ConfigError, match="is not paused"):
        resume(None, tmp_path)
    assert not run.resume.exists()


def test_resume_waits_until_the_run_has_heard(tmp_path: Path) -> None:
    """The newest that is running is meant."""
    run = paused_run(tmp_path)

    def take() -> None:
        wait_for(run.resume.exists)
        run.resume.unlink()

    hearing = threading.Thread(target=take)
    with held(run.root):
        hearing.start()
        done = CliRunner().invoke(app, ["resume", "--runs", str(tmp_path)])
        hearing.join()
    assert done.exit_code == 0, done.output
    assert "goes on" in done.output


def test_enter_counts_from_now_on() -> None:
    """What was typed before is gone; the terminal stays as it was."""
    screen, terminal = pty.openpty()
    os.write(screen, b"typed before\n")
    child = subprocess.Popen(
        [sys.executable, "-c", f"import os, fcntl, termios; os.setsid()\n"
         f"fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n{PRESSES}"],
        stdin=terminal, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "before False\n"
    os.write(screen, b"\n")
    assert child.stdout.readline() == "pressed\n"
    assert child.wait(LIMIT_S) == 0
    child.stdout.close()
    os.close(screen)
    os.close(terminal)


def test_a_look_that_fails_is_told_once_and_is_an_event(tmp_path: Path) -> None:
    """The run goes on: it is judged in the end all the same."""
    run = create_run_dir(tmp_path, "smoke")
    run.manifest.write_text("no manifest")
    watchdog = Watchdog(Guards(), run, RunClock.start(), {})
    watchdog.start()
    wait_for(lambda: bool(watchdog.news))
    watchdog.stop()
    assert len(watchdog.news) == 1
    assert "guards could not look" in watchdog.news[0]
    assert [row["event"] for row in read_json_lines(run.events)[0]] == [LOOK_FAILED]


def test_a_dry_run_names_the_guards(tmp_path: Path) -> None:
    """Of the file that it is given."""
    limits = tmp_path / "limits.toml"
    limits.write_text(
        '[journey]\nlatency = ["p99 < 9 s"]\n[guard.charge]\nabort = ["p99 < 9 s over 5s"]\n'
    )
    words = ["run", str(FIXTURES / "tiny.toml"), "--dry-run", "--thresholds", str(limits)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "abort  unless p99 < 9 s over 5s of charge" in done.output


@pytest.mark.live
@pytest.mark.long
def test_a_pause_that_clears_ends_with_a_verdict(tmp_path: Path) -> None:
    """Half of the cart's answers fail for a while: no journey begins, users go, and come back."""
    assert CLEARED.wrong(CLEARED.do(tmp_path)) == ""
