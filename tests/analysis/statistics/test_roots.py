"""Many roots at once, held against scipy's own finder."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize.elementwise import find_root

from analysis.statistics.roots import roots
from recording.arrays import Floats, Ints

SPAN, WITHIN = 7.0, 1e-6
AT = st.lists(st.floats(-6.9, 6.9), min_size=1, max_size=8)


def cliffs(at: Floats, steep: Floats) -> Floats:
    """Falling, and flat beyond its ends: what a clipped t looks like."""
    return np.clip(-steep * at - at**3, -20.0, 20.0)


@given(AT, st.sampled_from([0.01, 1.0, 300.0, 1e6]))
def test_it_finds_what_scipy_finds(at: list[float], steep: float) -> None:
    """Within both tolerances of each other, and no more often asked than bisection plus two."""
    middles, asked = np.array(at), 0

    def falling(x: Floats, row: Ints) -> Floats:
        nonlocal asked
        asked += 1
        return cliffs(x - middles[row], np.float64(steep))

    found = roots(falling, len(at), SPAN, WITHIN)
    assert asked <= 2 + np.ceil(np.log2(SPAN / WITHIN)) + 2  # both ends, and bisection plus two
    known = find_root(
        lambda x, middle: cliffs(x - middle, np.float64(steep)),
        (-SPAN, SPAN),
        args=(middles,),
        tolerances={"xatol": WITHIN, "xrtol": 0.0},
    ).x
    assert found == pytest.approx(known, abs=2 * WITHIN)
    assert found == pytest.approx(middles, abs=WITHIN)


def test_a_jump_is_found_where_it_is() -> None:
    """No value is zero: the sign changes all the same."""
    found = roots(lambda x, _: np.where(x < 1.25, 3.0, -0.001), 1, SPAN, WITHIN)
    assert found == pytest.approx([1.25], abs=WITHIN)


def test_no_change_of_sign_is_no_root() -> None:
    """NaN, and the row beside it is found."""
    ends = np.array([1.0, 0.0])
    found = roots(lambda x, row: np.where(ends[row] > 0, 1.0, -x), 2, SPAN, WITHIN)
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(0.0, abs=WITHIN)
