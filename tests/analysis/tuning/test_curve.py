"""analysis/tuning/curve.py: a value with its interval at each level, and the curve's shape."""

import numpy as np
import pytest

from analysis.tuning.curve import Point, Raw, hurts_from, knee, points


def curve(tails: dict[float, float], scatter: float = 0.02, repeats: int = 2) -> tuple[Point, ...]:
    rng = np.random.default_rng(1)
    levels = [((level,), 60.0) for level in tails for _ in range(repeats)]
    raws = [Raw(100.0, float(tails[level] * rng.lognormal(0, scatter)), "start", 0.0, 1.0, 0.0)
            for (level,), _ in levels]  # fmt: skip
    return points(levels, raws, [frozenset()] * len(levels))


def test_a_curve_has_its_knee_and_the_place_where_more_hurts() -> None:
    """The tail falls, stays, and rises for sure."""
    found = curve({10: 900, 20: 500, 40: 300, 80: 290, 160: 300, 320: 600})
    first, worse = knee(found), hurts_from(found)
    assert first is not None
    assert first.levels == (40,)
    assert worse is not None
    assert worse.levels == (320,)


def test_a_flat_curve_hurts_nowhere() -> None:
    """Scatter is no trend."""
    assert hurts_from(curve(dict.fromkeys((10, 20, 40, 80, 160), 300))) is None


def test_intervals_hold_the_truth_and_shrink_with_repeats() -> None:
    """A level that was tried once has one as well, from its neighbours."""
    truth = dict.fromkeys(np.geomspace(10, 100, 12), 300.0)
    once, often = (curve(truth, 0.05, repeats) for repeats in (1, 8))
    inside = [point.p99.low <= 300 <= point.p99.high for point in (*once, *often)]
    assert sum(inside) >= 0.85 * len(inside)
    width = [np.mean([p.p99.high - p.p99.low for p in found]) for found in (once, often)]
    assert width[1] < 0.6 * width[0]


def test_a_value_that_nobody_gives_stays_unknown() -> None:
    """No zero for it."""
    (point,) = points(
        [((1.0,), 60.0)], [Raw(1.0, np.nan, "", np.nan, np.nan, np.nan)], [frozenset()]
    )
    assert np.isnan([point.p99.value, point.wait_p99.value, point.timeouts.value]).all()
    assert point.throughput.value == pytest.approx(1.0)
