"""analysis/single/delivery.py: a lost worker, or one too many, is seen to the journey."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from analysis.single.delivery import arrivals_due
from recording.arrivals import arrival_times_s
from recording.bursts import Burst
from recording.load import Load, Phase
from recording.metric_names import ARRIVALS_PLANNED
from recording.profile import Validity

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
        planned_s=lambda t_s: t_s,
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


BURSTS = (Burst(at=4, duration=2, factor=5), Burst(at=12, duration=100, factor=0.5))


@pytest.mark.parametrize("arrivals", ["poisson", "uniform"])
def test_bursts_multiply_the_arrivals_of_their_time(arrivals: str) -> None:
    """20/s for 15 s, of which 2 s at five times and the last 3 s at half of it."""
    jump = Phase(name="jump", duration=1e-6, arrivals_per_s=20)
    more = {"bursts": BURSTS, "arrivals": arrivals, "phases": (jump, *LOAD.phases)}
    load = LOAD.model_copy(update=more)
    times = [t for i in range(WORKERS) for t in arrival_times_s(load, SEED, i, WORKERS)]
    for start_s, end_s, expected in ((0, 4, 80), (4, 6, 200), (6, 12, 120), (12, 15, 30)):
        found = sum(start_s <= t < end_s for t in times)
        spread = 4 * expected**0.5 if arrivals == "poisson" else WORKERS
        assert found == pytest.approx(expected, abs=spread)


def test_a_load_without_bursts_is_drawn_as_before() -> None:
    """From the same candidates: a recording of before is held to its own moments."""
    assert LOAD.peak_arrivals_per_s == 20
    assert [LOAD.intended(t) for t in (0.0, 7.5, 15.0)] == [0.0, 10.0, None]
