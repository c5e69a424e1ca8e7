"""Verdicts are stored before they are shown, and showing them changes nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.judge import judge
from analysis.thresholds import load_thresholds
from harness.live import LiveView
from harness.verbs.screen import Screen
from recording.rundir import RunDir
from tests.analysis.recordings import Recording

ROOT = Path(__file__).parents[2]
NOBODY = 65534
AS_NOBODY = """
import os, sys
from pathlib import Path
from analysis.judge import judge
from analysis.thresholds import load_thresholds
from harness import cli
from recording.rundir import RunDir
sys.argv = {words}
# Loads what is loaded late: this installation may be for nobody's eyes.
judge(RunDir(Path(sys.argv[2])), load_thresholds(Path("thresholds.toml")))
os.setuid({nobody})
cli.main()
"""
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


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_another_users_recording_gives_the_same_bytes(tmp_path: Path) -> None:
    """Nobody may not write there: the same verdict and exit code, and a warning on stderr."""
    run = Recording().write(tmp_path / "run")
    ours = analyze(run, "--json")
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == "root" and str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    before = {p.name: p.read_bytes() for p in run.ledger.iterdir()}
    words = ["loadgate", "analyze", str(run.root), "--json"]
    theirs = subprocess.run(
        [sys.executable, "-c", AS_NOBODY.format(words=words, nobody=NOBODY)],
        cwd=ROOT, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert (theirs.returncode, theirs.stdout) == (ours.returncode, ours.stdout)
    assert b"could not be stored: Permission denied" in theirs.stderr
    assert {p.name: p.read_bytes() for p in run.ledger.iterdir()} == before


def test_a_live_view_that_raises_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """It is said once."""
    with LiveView(Screen(), "a run") as view:
        for _ in range(3):
            with view.harmless():
                raise KeyError("frame")
    assert capsys.readouterr().err.count("the live view failed: KeyError") == 1


def test_a_verdict_that_cannot_be_stored_is_a_warning(tmp_path: Path) -> None:
    """A folder has its name: the exit code is the verdict's."""
    run = Recording().write(tmp_path / "run")
    run.verdict.mkdir()
    done = analyze(run)
    assert done.returncode == expected(run)
    assert b"verdict.json could not be stored" in done.stderr
    shutil.rmtree(run.verdict)
