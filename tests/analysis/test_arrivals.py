"""analysis/single/delivery.py: a lost worker, or one too many, is seen to the journey."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from analysis.single.delivery import arrivals_due
from recording.arrivals import arrival_times_s
from recording.metric_names import ARRIVALS_PLANNED
from recording.profile import Load, Phase, Validity

LOAD = Load(
    model="arrivals",
    phases=(Phase(name="steady", duration=15, arrivals_per_s=20, measured=True),),
)
WORKERS, SEED = 3, 7
PLANNED = [len(list(arrival_times_s(LOAD, SEED, i, WORKERS))) for i in range(WORKERS)]


def delivered(due: list[int], ended_s: float = 15.4) -> bool:
    """Whether a run whose workers were due so many journeys passes."""
    series = {f"w{i}": (np.array([0.0, 15.0]), np.array([0.0, n])) for i, n in enumerate(due)}
    profile = SimpleNamespace(load=LOAD, seed=SEED, validity=Validity())
    load = SimpleNamespace(
        subjects=lambda name: list(series) if name == ARRIVALS_PLANNED else [],
        get=lambda subject, name: series[subject],
    )
    evidence: Any = SimpleNamespace(
        manifest=SimpleNamespace(profile=profile, workers=WORKERS),
        load=load,
        load_start_s=0.0,
        end_s=20.0,
        times_of=lambda name: [ended_s] if name == "phases_ended" else [],
    )
    return arrivals_due(evidence).ok


def test_what_was_planned_is_delivered() -> None:
    """Each worker's share, drawn from the same seed, to the journey."""
    assert delivered(PLANNED)


@pytest.mark.parametrize("lost", range(WORKERS))
@pytest.mark.parametrize("share", [0.0, 0.3, 0.6])
def test_a_lost_worker_is_seen(lost: int, share: float) -> None:
    """Whichever it was, and how far it ever got: 192 of 297 used to pass."""
    due = [int(n * share) if i == lost else n for i, n in enumerate(PLANNED)]
    assert not delivered(due)


def test_a_worker_too_many_is_seen() -> None:
    """Twice the arrivals of one."""
    assert not delivered([*PLANNED, PLANNED[0]])


def test_a_run_that_was_stopped_is_held_to_what_was_due_until_then() -> None:
    """Half of the time, half of the arrivals: no more, and no less."""
    half = [sum(t <= 7.5 for t in arrival_times_s(LOAD, SEED, i, WORKERS)) for i in range(WORKERS)]
    assert delivered(half, ended_s=7.5)
    assert not delivered(PLANNED, ended_s=7.5)
