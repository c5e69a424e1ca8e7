"""The timetable of a paired run, read back from what was recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from recording.jsonl import read_json_lines
from recording.manifest import read_manifest
from recording.timetable import borders_s, slots_of
from tests.analysis.gate.paired_recordings import START_S, PairedRecording


def test_manifest_and_event_give_the_timetable(tmp_path: Path) -> None:
    """Slots begin at the event's start_s and follow the manifest's order."""
    recording = PairedRecording(rounds=2)
    run = recording.write(tmp_path / "run")
    assert slots_of(read_manifest(run.manifest), read_json_lines(run.events)[0]) == recording.slots


@pytest.mark.parametrize("events", [[], [{"event": "slots_started"}], [{"event": "other"}]])
def test_no_event_no_timetable(tmp_path: Path, events: list[dict[str, object]]) -> None:
    """A run that ended before its slots, or whose event was spoilt, has none."""
    run = PairedRecording(rounds=2).write(tmp_path / "run")
    assert slots_of(read_manifest(run.manifest), events) is None


def test_a_run_without_arms_has_no_timetable(tmp_path: Path) -> None:
    """The event alone does not make a run paired."""
    run = PairedRecording(rounds=2).write(tmp_path / "run")
    manifest = read_manifest(run.manifest).model_copy(update={"paired": None})
    assert slots_of(manifest, [{"event": "slots_started", "start_s": START_S}]) is None


def test_borders_are_the_recorders_own() -> None:
    """Every slot has two intervals: its cut and what counts."""
    slots = PairedRecording().slots
    borders = sorted(borders_s(slots))
    assert len(borders) == 2 * slots.count + 1
    assert borders[:3] == [slots.start_s, slots.start_s + 0.5, slots.start_s + 3.5]
