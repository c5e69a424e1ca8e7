"""Where a chance crosses one half, of trials that held or did not."""

from math import log

import numpy as np
import pytest

from analysis.statistics.crossing import crossing


def test_separated_trials_have_a_finite_fit() -> None:
    """The crossing lies in the gap, and its interval reaches not far beyond."""
    loads = [40.0, 44.0, 47.0, 49.0, 51.0, 53.0, 56.0, 60.0]
    fit = crossing([log(load) for load in loads], [load < 50 for load in loads])
    assert log(49) < fit.x < log(51)
    assert log(45) < fit.low < log(49)
    assert log(51) < fit.high < log(55)


def test_trials_far_away_change_nothing() -> None:
    """Doubling began far below the border."""
    near = [46.0, 48.0, 49.0, 51.0, 52.0, 54.0]
    x, held = [log(load) for load in near], [load < 50 for load in near]
    alone, with_far = crossing(x, held), crossing([log(5.0), log(10.0), *x], [True, True, *held])
    assert with_far.x == pytest.approx(alone.x, abs=0.002)
    assert with_far.high - with_far.low <= alone.high - alone.low + 0.002


def test_its_interval_covers_the_truth() -> None:
    """About as often as it says: 95 of 100."""
    rng, covered = np.random.default_rng(3), 0
    for _ in range(40):
        x = rng.uniform(-0.1, 0.1, 20)
        held = rng.random(20) < 1 / (1 + np.exp(x / 0.02))
        if held.all() or not held.any():
            continue
        fit = crossing(list(x), list(held))
        covered += fit.low <= 0 <= fit.high
    assert covered >= 35


def test_without_both_outcomes_there_is_none() -> None:
    """Nothing says where it would be."""
    with pytest.raises(ValueError, match="did not"):
        crossing([1.0, 2.0], [True, True])
