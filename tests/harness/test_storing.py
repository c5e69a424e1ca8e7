"""Verdicts are stored before they are shown, and showing them changes nothing.

Recordings of other users and verdicts that cannot be stored are fast rows of the fault matrix
(tests/faults/rows_storage.py).
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.judge import judge
from analysis.limits.thresholds import load_thresholds
from harness.screen.live import LiveView
from harness.screen.plain import Screen
from recording.rundir import RunDir
from tests.analysis.recordings import Recording

ROOT = Path(__file__).parents[2]
SHOWN = ("| head -1", "> /dev/full", "<&- >&- 2>&-")


def analyze(run: RunDir, shell: str = "", **env: str) -> "subprocess.CompletedProcess[bytes]":
    """`loadgate analyze` in a shell that does something with what it prints."""
    command = f'set -o pipefail; "{sys.executable}" -m harness.cli analyze "{run.root}" {shell}'
    return subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env={**os.environ, **env}, capture_output=True,
        timeout=60, check=False,
    )  # fmt: skip


def expected(run: RunDir) -> int:
    """The exit code of the verdict."""
    return int(judge(run, load_thresholds(ROOT / "thresholds.toml")).exit_code)


@pytest.mark.parametrize("shell", SHOWN)
def test_a_verdict_is_stored_and_its_exit_code_kept_wherever_it_is_shown(
    tmp_path: Path, shell: str
) -> None:
    """A reader that leaves, a full disk, a closed stream: FAIL is exit 3, and is on disk."""
    run = Recording(latency_ms={"charge": 5000.0}).write(tmp_path / "run")
    done = analyze(run, shell)
    assert done.returncode == expected(run)
    assert b"Traceback" not in done.stderr
    assert all(path.stat().st_size for path in (run.verdict, run.report))


def test_what_a_screen_cannot_print_is_escaped(tmp_path: Path) -> None:
    """Letters of an order id on a terminal that knows ASCII only."""
    run = Recording(orders=["süß-1", "ord-2"]).write(tmp_path / "run")
    done = analyze(run, PYTHONIOENCODING="ascii", LANG="C", TERM="dumb")
    assert done.returncode == expected(run)
    assert b"s\\xfc\\xdf-1" in done.stdout


def test_a_live_view_that_raises_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """It is said once."""
    with LiveView(Screen(), "a run") as view:
        for _ in range(3):
            with view.harmless():
                raise KeyError("frame")
    assert capsys.readouterr().err.count("the live view failed: KeyError") == 1
