"""A running gate may stop at an early look that decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.limits.thresholds import load_thresholds
from analysis.paired.look import decided_early
from recording.rundir import RunDir
from tests.analysis.gate.paired_recordings import PairedRecording

THRESHOLDS = load_thresholds(Path(__file__).parents[3] / "thresholds.toml")


@pytest.mark.parametrize(
    ("written", "asked", "answer"),
    [(17, 16, "PASS after 16 rounds"), (15, 16, ""), (24, 8, "")],
    ids=["after the look", "before its last round", "asked for none of the looks"],
)
def test_equal_arms_may_stop_at_the_first_look(
    tmp_path: Path, written: int, asked: int, answer: str
) -> None:
    """Once its rounds are recorded, of a run that is still going; not before."""
    run = PairedRecording(rounds=written, ended="running").write(tmp_path / "run")
    assert decided_early(THRESHOLDS, run, asked) == answer


def test_an_open_look_lets_the_run_go_on(tmp_path: Path) -> None:
    """Too few requests for p99 so far."""
    run = PairedRecording(rounds=17, ended="running", per_slot=20).write(tmp_path / "run")
    assert decided_early(THRESHOLDS, run, 16) == ""


def test_a_run_directory_without_anything_yet(tmp_path: Path) -> None:
    """Before the manifest is written there is nothing to say."""
    assert decided_early(THRESHOLDS, RunDir(tmp_path), 16) == ""
