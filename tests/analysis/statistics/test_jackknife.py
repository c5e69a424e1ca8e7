"""analysis/statistics/jackknife.py: for a mean it is what everybody knows."""

import numpy as np
import pytest
import scipy

from analysis.statistics.jackknife import jackknife_reach


def test_of_a_mean_it_is_students_interval_but_for_a_degree() -> None:
    """s over root n, times t of n - 2 degrees."""
    values = np.random.default_rng(1).normal(5.0, 2.0, 12)
    left_out = np.array([np.delete(values, i).mean() for i in range(12)])
    error = values.std(ddof=1) / 12**0.5
    assert jackknife_reach(left_out) == pytest.approx(scipy.stats.t.ppf(0.975, 10) * error)


def test_an_estimate_that_no_observation_moves_is_certain() -> None:
    """As far as they can tell."""
    assert jackknife_reach(np.full(5, 3.0)) == 0.0
