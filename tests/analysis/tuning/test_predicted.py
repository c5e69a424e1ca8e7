"""The twin is asked of other sizes only where it does what the pool did at its own."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.tuning.predicted import unlike_the_recording
from analysis.twin.holds import Holds
from analysis.twin.workload import Recorded, Workload

SECONDS, PER_S, SIZE = 60.0, 50.0, 6
RNG = np.random.default_rng(5)
WORKLOAD = Workload(
    np.sort(RNG.uniform(0.0, SECONDS, round(PER_S * SECONDS))),
    SECONDS,
    Holds.from_values(RNG.exponential(0.1, 3_000)),
)


@pytest.mark.parametrize(
    ("size", "wait_p99_ms", "says"),
    [
        (SIZE, 250.0, ""),  # Erlang C: 240 ms
        (SIZE, 1.0, "1 ms"),
        (SIZE, 30_000.0, "3e+04 ms"),
        (float("nan"), 1.0, ""),
        (SIZE, float("nan"), ""),
    ],
)
def test_it_is_held_against_what_was_recorded(size: float, wait_p99_ms: float, says: str) -> None:
    """Where nobody knows what was, there is nothing to hold it against."""
    recorded = Recorded(size=size, wait_p99_ms=wait_p99_ms)
    found = unlike_the_recording(replace(WORKLOAD, recorded=recorded))
    assert says in found
    assert bool(found) is bool(says)
