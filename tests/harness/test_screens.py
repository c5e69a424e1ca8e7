"""What a person sees of every verb, in a real terminal, is what was looked at and kept."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.screens import KEPT, WIDTHS, transcripts

WIDEST_HELP = 80


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    """Of each width."""
    if shutil.which("tmux") is None:
        pytest.skip("needs tmux (apt-get install tmux)")
    return transcripts(tmp_path_factory.mktemp("screens"))


@pytest.mark.parametrize("width", WIDTHS)
def test_every_screen_is_as_it_was_looked_at(seen: dict[int, str], width: int) -> None:
    """``python -m tests.harness.screens`` writes them anew where one is meant to change."""
    assert seen[width] == (KEPT / f"{width}.txt").read_text()


def test_help_fits_the_narrowest_of_them() -> None:
    """On a screen that is wide enough for anything, no line of it is wider."""
    wide = (KEPT / f"{WIDTHS[-1]}.txt").read_text()
    helped = wide[wide.index("$ loadgate --help") :]
    assert [line for line in helped.splitlines() if len(line) > WIDEST_HELP] == []


def test_a_pipe_gets_whole_lines_without_blanks_at_their_ends(tmp_path: Path) -> None:
    """However long a name is: a log is searched and cut by programs."""
    run = tmp_path / ("long-" * 40)
    run.mkdir()
    (run / "manifest.json").write_text("{}")
    words = [sys.executable, "-m", "harness", "runs", "--runs", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert f"INVALID  {run}  ?" in done.stdout
    assert [line for line in done.stdout.splitlines() if line != line.rstrip()] == []
