import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from analysis.statistics.trend import block_means, fit_trend


@settings(deadline=None, derandomize=True)
@given(st.floats(-100, 100), st.floats(-1000, 1000), st.integers(3, 300))
def test_a_line_has_its_slope_and_no_error(slope: float, start: float, n: int) -> None:
    """Points on a line give that line, whatever their number."""
    t = np.arange(float(n))
    trend = fit_trend(t, start + slope * t, 0.95)
    assert trend.slope == pytest.approx(slope, abs=1e-6)
    assert trend.high - trend.low == pytest.approx(0, abs=1e-6)


def test_outliers_do_not_turn_the_slope() -> None:
    """A fifth of the samples wildly off leaves the slope where it was."""
    t = np.arange(50.0)
    y = 2.0 * t
    y[40:] += 1000.0
    assert fit_trend(t, y, 0.95).slope == pytest.approx(2.0)


def false_alarms(correlation: float, traces: int = 1500) -> float:
    rng = np.random.default_rng(20250922)
    t = np.arange(600.0)
    found = 0
    for _ in range(traces):
        steps = lfilter([1.0], [1.0, -correlation], rng.normal(size=900))
        found += fit_trend(t, steps[300:], 0.98).low > 0
    return found / traces


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_noise_has_a_trend_as_often_as_it_may(correlation: float) -> None:
    """One side of a 98 % interval excludes zero for about 1 % of flat traces, also correlated."""
    assert 0.003 <= false_alarms(correlation) <= 0.02


def test_blocks_keep_the_mean_line() -> None:
    """Averaging moves no point off the line, and no block holds twice as much as another."""
    t = np.arange(600.0)
    means_t, means_y = block_means(t, 3.0 * t, 400)
    assert means_y == pytest.approx(3.0 * means_t)
    assert len(means_t) == 300


@pytest.mark.parametrize("t", [[0.0, 1.0], [1.0, 1.0, 1.0]])
def test_no_trend_without_three_points_at_different_times(t: list[float]) -> None:
    """Two points, or one moment, have no scatter around a line."""
    with pytest.raises(ValueError, match="a trend needs"):
        fit_trend(np.array(t), np.array(t), 0.95)
