"""Hold times from buckets: nothing that was counted moves, and little of the rest is made up."""

import numpy as np
import pytest

from analysis.twin.holds import Holds
from recording.histogram import Histogram

BOUNDS_S = np.array([*(0.001 * 2.0**k for k in range(20)), np.inf])
N = 100_000
DRAWS = {
    "exponential": lambda rng: rng.exponential(0.15, N),
    "lognormal": lambda rng: rng.lognormal(-2.0, 0.5, N),
    "Erlang": lambda rng: rng.gamma(4.0, 0.04, N),
    "bimodal": lambda rng: np.where(rng.random(N) < 0.9, 0.05, 1.1) * rng.uniform(0.9, 1.1, N),
}


def bucketed(values_s: np.ndarray) -> tuple[Holds, np.ndarray]:
    counts = np.bincount(np.searchsorted(BOUNDS_S, values_s), minlength=BOUNDS_S.size)
    return Holds.from_buckets(BOUNDS_S, counts, float(values_s.mean())), counts


@pytest.mark.parametrize("shape", DRAWS)
def test_mean_and_variance_survive_the_buckets(shape: str) -> None:
    """The mean is exact, and 1 + cs² (what a queue grows by) within 5 %; of a narrow mode on the
    border of two buckets, as here the slow one, it is up to a quarter too large.
    """
    values_s = DRAWS[shape](np.random.default_rng(1))
    holds, _ = bucketed(values_s)
    assert holds.n == N
    assert holds.mean_s == pytest.approx(values_s.mean(), rel=1e-6)
    squared_cv = values_s.var() / values_s.mean() ** 2
    ratio = (1 + holds.squared_cv) / (1 + squared_cv)
    assert 0.95 < ratio < (1.25 if shape == "bimodal" else 1.05)


@pytest.mark.parametrize("shape", DRAWS)
def test_every_bucket_keeps_its_share(shape: str) -> None:
    """What is drawn falls into the buckets as what was counted."""
    rng = np.random.default_rng(2)
    holds, counts = bucketed(DRAWS[shape](rng))
    drawn = np.bincount(np.searchsorted(BOUNDS_S, holds.draw_s(rng, N)), minlength=BOUNDS_S.size)
    assert np.abs(drawn - counts).max() < 5 * np.sqrt(N) / 2


def test_values_beyond_the_last_bound_make_up_the_mean() -> None:
    """A bucket without an end is as long as the mean says, within reason."""
    holds = Holds.from_buckets([1.0, 2.0, np.inf], [0, 50, 50], 2.2)
    assert holds.mean_s == pytest.approx(2.2)
    assert holds.high_s.max() <= 4.0


def test_values_and_histograms_are_taken_as_they_are() -> None:
    """No bucket is wide where each value is known."""
    values_s = [0.1, 0.2, 0.2]
    assert Holds.from_values(values_s).mean_s == pytest.approx(0.5 / 3)
    recorded = Histogram.from_values([100_000, 200_000, 200_000])
    assert Holds.from_histogram(recorded).mean_s == pytest.approx(0.5 / 3, rel=1e-3)
    assert Holds.from_values([0.1]).squared_cv == 0.0
