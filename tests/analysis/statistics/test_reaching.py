"""When a line reaches a level: of rounded figures, and of noisy points."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.statistics.reaching import reach_of_rounded, reach_of_trend
from analysis.statistics.trend import fit_trend

CONFIDENCE = 0.98


def test_the_seeds_two_figures_leave_half_an_hour_open() -> None:
    """78 % at T+2h and 89 % at T+4h, each to half a point: full T+5h45m to T+6h18m."""
    found = reach_of_rounded(np.array([2.0, 4.0]), np.array([78.0, 89.0]), 0.5, 100.0)
    assert found is not None
    assert (found.likely, found.low, found.high) == pytest.approx((6.0, 5.75, 6.3))
    assert found.slope == pytest.approx(5.5)


@given(
    slope=st.floats(0.5, 20.0),
    start=st.floats(0.0, 40.0),
    n=st.integers(2, 6),
    digits=st.sampled_from([0, 1]),
)
def test_the_truth_behind_rounded_figures_is_inside(
    slope: float, start: float, n: int, digits: int
) -> None:
    """Whatever line the figures were read off."""
    t = np.arange(float(n))
    y = np.round(start + slope * t, digits)
    found = reach_of_rounded(t, y, 0.5 * 10.0**-digits, 200.0)
    assert found is not None
    assert found.low - 1e-6 <= (200.0 - start) / slope <= found.high + 1e-6
    assert found.low <= found.likely <= found.high


def test_figures_on_no_line_and_those_that_may_stand() -> None:
    """A bend beyond rounding has no line; two figures that may be one have no latest time."""
    t = np.array([0.0, 1.0, 2.0])
    assert reach_of_rounded(t, np.array([10.0, 50.0, 52.0]), 0.5, 100.0) is None
    stands = reach_of_rounded(t, np.array([50.0, 50.0, 51.0]), 0.5, 100.0)
    assert stands is not None
    assert math.isinf(stands.high)
    with pytest.raises(ValueError, match="2 points"):
        reach_of_rounded(t[:1], t[:1], 0.5, 100.0)


def test_fiellers_interval_holds_the_truth_as_often_as_it_says() -> None:
    """98 % of 120 noisy lines, by three standard errors of that share."""
    t, inside = np.linspace(0.0, 2.0, 40), 0
    for seed in range(120):
        y = 78.0 + 5.5 * t + np.random.default_rng(seed).normal(0.0, 2.0, t.size)
        found = reach_of_trend(t, y, 100.0, fit_trend(t, y, CONFIDENCE), CONFIDENCE)
        inside += found.low <= 4.0 <= found.high
    assert inside / 120 > CONFIDENCE - 3 * math.sqrt(CONFIDENCE * (1 - CONFIDENCE) / 120)


def test_without_a_proven_slope_there_is_no_latest_time() -> None:
    """But a soonest one, unless the points surely fall."""
    t = np.linspace(0.0, 2.0, 100)
    noise = np.random.default_rng(1).normal(0.0, 2.0, t.size)
    for slope, soonest_known in ((0.0, True), (-30.0, False)):
        y = 50.0 + slope * t + noise
        found = reach_of_trend(t, y, 100.0, fit_trend(t, y, CONFIDENCE), CONFIDENCE)
        assert math.isinf(found.high)
        assert math.isfinite(found.low) is soonest_known
        assert found.low > 2.0
