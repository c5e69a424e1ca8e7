"""A running gate may stop at an early look that decides, and is asked cheaply."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis import gate_early
from analysis.gate_early import EarlyLook
from analysis.thresholds import load_thresholds
from recording.rundir import RunDir
from tests.analysis.gate_recordings import PairedRecording

THRESHOLDS = load_thresholds(Path(__file__).parents[2] / "thresholds.toml")


def running(folder: Path, rounds: int, **changes: object) -> RunDir:
    """A run that is still going."""
    recording = PairedRecording(rounds=rounds, ended="running", **changes)  # type: ignore[arg-type]
    return recording.write(folder / "run")


def test_a_decisive_look_may_end_the_run(tmp_path: Path) -> None:
    """After the first look's rounds equal arms pass, and the reason says so."""
    assert EarlyLook(THRESHOLDS)(running(tmp_path, 17)) == "PASS after 16 rounds"


def test_nothing_is_said_before_the_look_is_complete(tmp_path: Path) -> None:
    """15 rounds of 16 are no look, whatever they show."""
    assert EarlyLook(THRESHOLDS)(running(tmp_path, 15)) == ""


def test_an_open_look_is_judged_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked ten times, the recording is read once: the generator needs the processor."""
    run = running(tmp_path, 20, per_slot=20)
    reads = []
    load = gate_early.load_evidence
    monkeypatch.setattr(gate_early, "load_evidence", lambda run: reads.append(run) or load(run))
    early = EarlyLook(THRESHOLDS)
    assert [early(run) for _ in range(10)] == [""] * 10
    assert len(reads) == 1


def test_the_last_look_is_not_an_early_one(tmp_path: Path) -> None:
    """The budget ends the run by itself."""
    run = running(tmp_path, 24, looks=(24,))
    assert EarlyLook(THRESHOLDS)(run) == ""


def test_a_run_directory_without_anything_yet(tmp_path: Path) -> None:
    """Before the manifest is written there is nothing to say."""
    assert EarlyLook(THRESHOLDS)(RunDir(tmp_path)) == ""
