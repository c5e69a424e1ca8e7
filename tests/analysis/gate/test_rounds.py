"""From a paired run's recording to counts by round and arm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.evidence.run import Evidence, load_evidence
from analysis.paired.rounds import Rounds
from tests.analysis.gate.paired_recordings import PER_SLOT, STEPS, PairedRecording


def evidence_of(folder: Path, recording: PairedRecording) -> Evidence:
    """Written and read back."""
    return load_evidence(recording.write(folder / "run"))


def rounds_of(folder: Path, recording: PairedRecording) -> Rounds:
    """The first 16 rounds."""
    return Rounds(evidence_of(folder, recording), recording.slots, 16)


def test_each_slot_keeps_its_own_requests(tmp_path: Path) -> None:
    """Lines of one slot add up, neighbouring slots do not mix, the journey is their sum."""
    recording = PairedRecording(rounds=16)
    data = rounds_of(tmp_path, recording).data()
    assert data is not None
    assert data.endpoints == (*STEPS, "journey")
    assert (data.base.sum(axis=2)[:, :-1] == PER_SLOT).all()
    assert (data.head[:, -1] == data.head[:, :-1].sum(axis=1)).all()
    assert data.head_first.tolist() == list(recording.slots.head_first[:16])


def test_values_come_back_within_a_bucket(tmp_path: Path) -> None:
    """The common grid holds what was recorded: +20 % on one step of head, nowhere else."""
    recording = PairedRecording(rounds=16, slower={"charge": 1.2})
    data = rounds_of(tmp_path, recording).data()
    assert data is not None
    means = [
        arm.sum(axis=0) @ data.values_us / arm.sum(axis=(0, 2)) for arm in (data.base, data.head)
    ]
    changes = dict(zip(data.endpoints, means[1] / means[0], strict=True))
    assert changes["charge"] == pytest.approx(1.2, abs=0.02)
    assert changes["browse"] == pytest.approx(1.0, abs=0.02)


def test_what_is_left_out_is_counted_by_reason(tmp_path: Path) -> None:
    """The cut of the judged rounds, the warm-up, and rounds after the look."""
    recording = PairedRecording(rounds=20)
    found = rounds_of(tmp_path, recording).excluded
    a_slot = len(STEPS) * (PER_SLOT + 30)
    assert found == {
        "cut": 32 * len(STEPS) * 30,
        "rounds not judged": 8 * a_slot,
        "warm-up": 2 * a_slot,
    }


def test_a_round_that_was_cut_short_is_not_complete(tmp_path: Path) -> None:
    """The load ended one second before its second slot did."""
    recording = PairedRecording(rounds=16)
    evidence = evidence_of(tmp_path, recording)
    end_s = recording.slots.start_of(2 * 17)
    for row in evidence.events:
        if row["event"] == "phases_ended":
            row["t_s"] = end_s - 1.0  # type: ignore[index]
    assert Rounds.recorded(evidence).count == 15


def test_outcomes_of_an_arm_are_its_own(tmp_path: Path) -> None:
    """Failures of head are not base's; a failure is latency too."""
    recording = PairedRecording(rounds=16, failed={"head": 0.1})
    samples = rounds_of(tmp_path, recording).samples
    base, head = samples["base"], samples["head"]
    assert (base["journey"].failures, head["charge"].failures) == (0, 16 * PER_SLOT // 10)
    assert head["charge"].n == 16 * PER_SLOT
    assert np.array_equal(head["charge"].block_counts.sum(axis=1), np.full(16, PER_SLOT))
