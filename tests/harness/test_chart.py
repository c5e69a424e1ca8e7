"""harness/screen/chart.py: a chart as text fits, and has its points where they belong."""

import numpy as np
import pytest

from analysis.report.chart import Chart, Curve, Limit
from harness.screen.chart import plot

X = np.array([50.0, 100.0, 200.0, 400.0])
CHART = Chart(
    "Tail", "pool_max", "p99 ms",
    (Curve("60/s", X, np.array([900.0, 300.0, 290.0, 310.0]), X * 0 + 250, X * 0 + 950),),
    limits=(Limit(1000.0, "limit"),), marks=(Limit(64.0, "today"),), log_x=True,
)  # fmt: skip


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("width", [40, 80])
def test_it_fits_the_screen(width: int, plain: bool) -> None:
    """In columns and rows; plain is ASCII."""
    lines = plot(CHART, width, 8, plain=plain)
    assert max(map(len, lines)) <= width
    assert len(lines) == 1 + 8 + 3
    assert plain == all(line.isascii() for line in lines)


def test_a_title_is_never_cut() -> None:
    """What it has to say goes on below it."""
    lines = plot(CHART, 24, 8, plain=True)
    titles = lines[: -8 - 3]
    assert len(titles) > 1
    assert max(map(len, lines)) <= 24
    assert " ".join(map(str.strip, titles)) == "Tail, p99 ms; limit 1000, today 64"


def test_points_are_where_their_values_are() -> None:
    """The highest on the left, the axis' ends below, the limit across the top."""
    lines = plot(CHART, 60, 10, plain=True)
    picture = [line[9:] for line in lines[1:11]]
    first = next(row for row, line in enumerate(picture) if line.startswith("*"))
    last = next(row for row, line in enumerate(picture) if line.rstrip().endswith("*"))
    assert first < 3 < last
    assert "---" in picture[0] + picture[1]
    assert lines[-2].split() == ["50", "141", "400"]


def test_what_is_not_known_leaves_a_gap_and_nothing_is_no_data() -> None:
    """Never a zero."""
    unknown = Curve("", X, np.full(4, np.nan))
    assert plot(Chart("T", "x", "y", (unknown,)))[1].strip() == "no data"
    some = Curve("", X, np.array([1.0, np.nan, 1.0, 2.0]))
    assert plot(Chart("T", "x", "y", (some,)))
