"""Time of users that requests took of windows: as by hand, over any windows in order."""

from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.single import delivery
from analysis.single.delivery import spent_s
from recording.histogram import Histogram
from recording.hlog import Interval, Tag

WINDOWS = st.lists(st.integers(0, 40), max_size=8).map(
    lambda ends: list(zip(sorted(ends)[::2], sorted(ends)[1::2], strict=False))
)
REQUESTS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 30_000_000)), max_size=6)


@given(windows=WINDOWS, requests=REQUESTS)
def test_as_by_hand(windows: list[tuple[int, int]], requests: list[tuple[int, int]]) -> None:
    by_hand_s = 0.0
    intervals = []
    for begin_s, took_us in requests:
        histogram = Histogram.from_values([took_us, took_us])
        intervals.append(Interval(Tag("browse", "ok"), begin_s - 0.5, 1.0, histogram))
        end_s = begin_s + histogram.values_us[0] / 1e6
        by_hand_s += sum(2 * max(0.0, min(end_s, b) - max(begin_s, a)) for a, b in windows)
    with patch.object(delivery, "AT_ONCE", 2):
        assert spent_s(intervals, windows) == pytest.approx(by_hand_s, abs=1e-9)
