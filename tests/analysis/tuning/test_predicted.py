"""The twin is asked of other sizes only where it does what the pool did at its own."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.tuning.asked import Asked, Setting
from analysis.tuning.predicted import _smallest, unlike_the_recording
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


@pytest.mark.parametrize(
    ("per_s", "high", "present", "holds"),
    [
        (2.0, 200, 58, True),  # of few connections a peak is many times the mean
        (50.0, 200, 58, True),
        (50.0, 9, 58, True),  # what is in force may lie beyond the range
        (50.0, 4, 4, False),
        (500.0, 40, 40, False),
    ],
)
def test_a_pool_that_few_need_holds(per_s: float, high: int, present: int, holds: bool) -> None:
    """By the limit on how full it may be at the peak of a minute."""
    n = round(per_s * SECONDS)
    asked_s, held_s = np.sort(RNG.uniform(0.0, SECONDS, n)), RNG.exponential(0.1, 3_000)
    workload = Workload(asked_s, SECONDS, Holds.from_values(held_s))
    setting = Setting("inventory_lock.pool_max", 2, high, present, "connections")
    found = _smallest(workload, Asked((setting,), 0.0), 0.81, 1.0)
    assert bool(np.isfinite(found.pool_max)) is holds
    if holds:
        assert per_s * 0.1 < found.pool_max <= 58
