"""Where a line through noisy margins crosses zero, and how often its interval covers that."""

import numpy as np
import pytest

from analysis.statistics.line_crossing import FEWEST, line_crossing


def test_a_line_without_noise_crosses_where_it_does() -> None:
    x = list(np.linspace(-1.0, 2.0, 9))
    found = line_crossing(x, [3.0 * (at - 0.5) for at in x])
    assert found is not None
    assert found.x == pytest.approx(0.5)
    assert found.high - found.low < 1e-9


def test_its_interval_covers_the_truth_as_often_as_it_says() -> None:
    """95 %, with an error of 1.1 points; the crossing may lie beyond all trials."""
    rng, n, covered = np.random.default_rng(7), 400, 0
    for _ in range(n):
        x = rng.uniform(-0.2, 0.05, 12)
        found = line_crossing(list(x), list(2.0 * x + rng.normal(0, 0.05, 12)))
        assert found is not None
        covered += found.low <= 0.0 <= found.high
    assert 0.92 * n <= covered <= 0.98 * n


@pytest.mark.parametrize(
    "y",
    [
        pytest.param([0.0] * 12, id="flat"),
        pytest.param([1.0, -1.0] * 6, id="noise"),
        pytest.param(list(-np.arange(12.0)), id="falls"),
    ],
)
def test_what_does_not_surely_rise_has_none(y: list[float]) -> None:
    assert line_crossing(list(np.arange(12.0)), y) is None


def test_too_few_have_none() -> None:
    x = list(np.arange(FEWEST - 1.0))
    assert line_crossing(x, x) is None
    assert line_crossing([1.0] * 12, list(np.arange(12.0))) is None
