"""A thinned line looks as the whole one: what stands out is in it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analysis.pictures.thinned import thinned

VALUES = st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=400)


@given(VALUES, st.integers(4, 60))
def test_no_extreme_and_no_end_is_lost(values: list[float], most: int) -> None:
    """However few points are left: lowest, highest, first and last are among them, in order."""
    x, y = np.arange(len(values), dtype=float), np.array(values)
    few_x, few_y = thinned(x, y, most)
    assert few_x.size <= max(most, 2)
    assert (np.diff(few_x) > 0).all()
    assert {few_x[0], few_x[-1]} == {x[0], x[-1]}
    if np.isfinite(y).any():
        assert (np.nanmin(few_y), np.nanmax(few_y)) == (np.nanmin(y), np.nanmax(y))


def test_every_bucket_keeps_its_spike() -> None:
    """One sample of 100,000 that stands out is a line on the page, wherever it is."""
    for place in (1, 777, 50_000, 99_998):
        y = np.tile([1.0, 2.0], 50_000)
        y[place] = 9.0
        assert 9.0 in thinned(np.arange(y.size, dtype=float), y)[1]


def test_a_level_line_is_two_points() -> None:
    """And a step is four."""
    x = np.arange(1000.0)
    assert thinned(x, np.ones(1000))[0].tolist() == [0, 999]
    assert thinned(x, np.repeat([1.0, 2.0], 500))[0].tolist() == [0, 499, 500, 999]
