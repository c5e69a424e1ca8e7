"""Pictures of trends: every run with its interval, and the level that it belongs to."""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from analysis.report.chart import Chart, Curve, Limit
from analysis.trends.trend import Trend


def trend_pictures(found: Iterable[Trend]) -> tuple[Chart, ...]:
    """One of each, over the number of the run, oldest first."""
    return tuple(map(_picture, found))


def _picture(trend: Trend) -> Chart:
    subject, metric = trend.key
    x, points = np.arange(1.0, len(trend.points) + 1), trend.points
    y = np.array([point.value for point in points])
    low = np.array([point.value if point.low is None else point.low for point in points])
    high = np.array([point.value if point.high is None else point.high for point in points])
    runs = Curve(metric, x, y, low, high, joined=False)
    marks = [Limit(float(at + 1), "new level from run") for at in trend.starts[1:]]
    return Chart(
        title=f"{subject} {metric}",
        x_title="run",
        y_title=trend.unit,
        curves=(runs, _levels(trend)),
        marks=tuple(marks),
    )


def _levels(trend: Trend) -> Curve:
    """With a gap from each to the next."""
    before = np.array(trend.starts[1:], dtype=np.int64)
    sizes = [b - a for a, b in pairwise((*trend.starts, len(trend.points)))]
    x = np.insert(np.arange(1.0, sum(sizes) + 1), before, before + 0.5)
    return Curve("level", x, np.insert(np.repeat(trend.levels, sizes), before, np.nan))
