"""The paired test is least squares, and its p-values count orders."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from analysis.statistics.crossover import fit, holm, p_values


def test_holm_by_hand() -> None:
    """The textbook's: 0.01, 0.02, 0.03 of three become 0.03, 0.04, 0.04."""
    assert holm(np.array([0.03, 0.01, 0.02])) == pytest.approx([0.04, 0.03, 0.04])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_lies_between_none_and_bonferroni(p: list[float]) -> None:
    """Corrected p-values are at least the raw ones and at most Bonferroni's."""
    raw = np.array(p)
    corrected = holm(raw)
    assert (corrected >= raw).all()
    assert (corrected <= np.minimum(raw * len(p), 1) + 1e-12).all()


def test_the_closed_form_is_least_squares() -> None:
    """The crossover fit equals ordinary least squares on order, arm and control."""
    rng = np.random.default_rng(5)
    signs = rng.permutation(np.repeat([1.0, -1.0], 10))
    control, y = rng.normal(size=20), rng.normal(size=20)
    found = fit(y[np.newaxis], control[np.newaxis], signs[np.newaxis])
    design = np.column_stack([np.ones(20), signs, control])
    solution, rss, *_ = np.linalg.lstsq(design, y)
    error = np.sqrt(rss[0] / 17 * np.linalg.inv(design.T @ design)[1, 1])
    assert found.adjusted[0, 0] == pytest.approx(solution[1])
    assert found.adjusted_t[0, 0] == pytest.approx(solution[1] / error)


def test_p_values_count_the_orders_that_look_as_bad() -> None:
    """Against all 70 balanced orders of 8 rounds, written out: the share with t at least as big."""
    rng = np.random.default_rng(2)
    differences, none = rng.normal(0.3, 1.0, (3, 8)), np.zeros((3, 8))
    signs = np.array([1.0, -1.0] * 4)
    every = [
        np.where(np.isin(np.arange(8), head_first), -1.0, 1.0)
        for head_first in combinations(range(8), 4)
    ]
    exact = []
    for y in differences:
        t = [_crossover_t(y, s) for s in every]
        exact.append(np.mean(np.array(t) >= _crossover_t(y, signs) - 1e-9))
    found = p_values(differences, none, signs, (8,), seed=0)
    assert found == pytest.approx(exact, abs=0.04)


def _crossover_t(y: np.ndarray, signs: np.ndarray) -> float:
    """Student's t of the rounds with head second against those with head first."""
    return float(ttest_ind(y[signs > 0], y[signs < 0]).statistic)
