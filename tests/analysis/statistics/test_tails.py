"""How far apart recorded values lie near a percentile."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.statistics.tails import recorded_step

TAIL = 0.01


def counts_of(values_us: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A histogram of values."""
    found, counts = np.unique(values_us, return_counts=True)
    return found.astype(np.float64), counts


def lognormal_us(n: int) -> np.ndarray:
    """Evenly drawn requests around 150 ms, whole microseconds."""
    return np.rint(np.random.default_rng(1).lognormal(np.log(150_000), 0.6, n))


@pytest.mark.parametrize("n", [2_000, 20_000, 200_000])
def test_samples_however_few_are_no_steps(n: int) -> None:
    """What lies between two of few samples was not forbidden, only not drawn."""
    assert recorded_step(*counts_of(lognormal_us(n)), TAIL) == 0.0


@pytest.mark.parametrize("grid_ms", [20, 50, 100, 250])
def test_a_grid_is_a_step_of_its_width(grid_ms: int) -> None:
    """The distance of two neighbours there, as log ratio."""
    ticks = 1000 * grid_ms
    values_us, counts = counts_of(ticks * np.ceil(lognormal_us(20_000) / ticks))
    p99_us = values_us[np.searchsorted(np.cumsum(counts), 0.99 * counts.sum())]
    step = recorded_step(values_us, counts, TAIL)
    assert 0.8 * np.log1p(ticks / p99_us) < step < 1.5 * np.log1p(ticks / (p99_us - ticks))


def test_clusters_around_a_grid_are_steps_too() -> None:
    """A client that polls every 50 ms is late by up to 2 ms: nothing lies between the clusters."""
    rng = np.random.default_rng(2)
    ticks = 50_000 * np.ceil(lognormal_us(20_000) / 50_000)
    values_us, counts = counts_of(ticks + np.rint(rng.uniform(0, 2_000, ticks.size)))
    assert recorded_step(values_us, counts, TAIL) > 0.05


def test_one_value_only_is_no_step() -> None:
    """All requests took the same time: there is no neighbour to be far from."""
    assert recorded_step(np.array([100_000.0]), np.array([500]), TAIL) == 0.0
