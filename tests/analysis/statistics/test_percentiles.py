import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.signal import lfilter

from analysis.statistics.percentiles import (
    Interval,
    maximum,
    mean,
    min_samples,
    quantile,
    quantile_interval,
)

SIGMA = 0.6  # of log latency, as in the regression gate's own simulations
calm = settings(deadline=None, derandomize=True)
histograms = st.dictionaries(st.integers(1, 10**7), st.integers(0, 50), min_size=1).filter(
    lambda counts: sum(counts.values()) > 0
)


def arrays(counts: dict[int, int]) -> tuple[np.ndarray, np.ndarray]:
    values = sorted(counts)
    return np.array(values, dtype=float), np.array([counts[v] for v in values], dtype=np.int64)


def blocked(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Histogram of a (blocks, samples) matrix, one row of counts per block."""
    values, where = np.unique(samples, return_inverse=True)
    counts = np.zeros((len(samples), values.size), dtype=np.int64)
    rows = np.repeat(np.arange(len(samples)), samples.shape[1])
    np.add.at(counts, (rows, where.ravel()), 1)
    return values, counts


def ar1(rng: np.random.Generator, phi: float, n: int) -> np.ndarray:
    """Stationary AR(1) with unit variance."""
    steps = rng.normal(size=n) * math.sqrt(1 - phi**2)
    steps[0] = rng.normal()
    return lfilter([1.0], [1.0, -phi], steps)


@calm
@given(histograms, st.sampled_from([0, 0.25, 0.5, 0.75, 1]))
def test_a_quantile_is_numpys_inverted_cdf(counts: dict[int, int], q: float) -> None:
    """Where q has no rounding error, ours and numpy's nearest rank agree exactly."""
    values, n = arrays(counts)
    expected = np.quantile(np.repeat(values, n), q, method="inverted_cdf")
    assert quantile(values, n, q) == expected


@calm
@given(st.integers(1, 3000), st.integers(1, 9999))
def test_the_rank_is_exact_in_decimal(n: int, q_e4: int) -> None:
    """Rounding of q * n never moves the rank: it equals ceil in exact arithmetic."""
    values = np.arange(1.0, n + 1)
    rank = math.ceil(Fraction(q_e4, 10_000) * n)
    assert quantile(values, np.ones(n, dtype=np.int64), q_e4 / 10_000) == rank


@calm
@given(histograms, st.floats(0, 1), st.floats(0, 1))
def test_quantiles_ascend_and_were_seen(counts: dict[int, int], a: float, b: float) -> None:
    """A higher q never gives a lower value, and every answer is a recorded value."""
    values, n = arrays(counts)
    low, high = (quantile(values, n, q) for q in sorted((a, b)))
    assert low <= high
    assert counts[int(low)] > 0
    assert counts[int(high)] > 0


@calm
@given(histograms)
def test_mean_and_maximum_are_those_of_the_samples(counts: dict[int, int]) -> None:
    """Both equal what numpy says about the raw samples."""
    values, n = arrays(counts)
    raw = np.repeat(values, n)
    assert mean(values, n) == pytest.approx(raw.mean())
    assert maximum(values, n) == raw.max()


@pytest.mark.parametrize("statistic", [mean, maximum, lambda v, c: quantile(v, c, 0.99)])
def test_no_samples_is_an_error(statistic) -> None:
    """Missing data is never a number."""
    with pytest.raises(ValueError, match="no samples"):
        statistic(np.array([1.0]), np.array([0]))


@pytest.mark.parametrize("q", [-0.1, 1.1, math.nan])
def test_q_outside_its_range_is_an_error(q: float) -> None:
    """99 for 0.99 is a mistake that must not pass."""
    with pytest.raises(ValueError, match="must lie in"):
        quantile(np.array([1.0]), np.array([1]), q)


@pytest.mark.parametrize(("q", "n"), [(0.95, 72), (0.99, 368), (0.999, 3688), (0.5, 6)])
def test_the_fewest_samples_for_an_interval(q: float, n: int) -> None:
    """n samples bound the quantile at 95 %, n - 1 do not."""
    assert min_samples(q) == n
    assert q**n <= 0.025 < q ** (n - 1)


@pytest.mark.parametrize("q", [0.95, 0.99])
def test_the_interval_closes_at_the_fewest_samples(q: float) -> None:
    """With min_samples independent samples both bounds exist; with one less one is open."""
    n = min_samples(q)
    closed = quantile_interval(np.arange(1.0, n + 1), np.ones((1, n), dtype=np.int64), q)
    opened = quantile_interval(np.arange(1.0, n), np.ones((1, n - 1), dtype=np.int64), q)
    assert closed.high == n
    assert opened == Interval(opened.low, None)


def test_an_interval_can_be_open_below() -> None:
    """Two samples say nothing about how low the median may be."""
    assert quantile_interval(np.array([1.0, 2.0]), np.array([[1, 1]]), 0.5) == (None, None)


def coverage(phi: float, spread: float, q: float, sims: int = 200) -> float:
    """Share of simulated runs (60 blocks of 50) whose interval holds the true quantile."""
    rng = np.random.default_rng(20250922)
    truth = math.hypot(SIGMA, spread) * stats.norm.ppf(q)
    hits = 0
    for _ in range(sims):
        level = spread * ar1(rng, phi, 60)
        logs = SIGMA * rng.normal(size=(60, 50)) + level[:, None]
        low, high = quantile_interval(*blocked(logs.round(2)), q)
        # A rounded value stands for all that are within 0.005 of it.
        hits += (low is None or low - 0.005 <= truth) and (high is None or truth <= high + 0.005)
    return hits / sims


@pytest.mark.parametrize("q", [0.95, 0.99])
@pytest.mark.parametrize(
    ("phi", "spread"), [(0.0, 0.0), (0.5, 0.1), (0.8, 0.1), (0.9, 0.1), (0.95, 0.1)]
)
def test_the_interval_covers_the_truth(phi: float, spread: float, q: float) -> None:
    """95 % intervals of a minute hold the true quantile, also where it has three stretches only."""
    # Two hundred simulations know 94 % to 1.7 %.
    assert coverage(phi, spread, q) >= 0.94 - 2 * 0.017


def burst(slow: float) -> tuple[np.ndarray, np.ndarray]:
    """Ten minutes of 88 requests a second; one stretch of 18 s is the whole tail, `slow` ms."""
    rng = np.random.default_rng(7)
    logs = 0.3 * rng.normal(size=(200, 264))
    logs[120:126] += math.log(slow)
    return blocked(logs.round(2))


def test_one_burst_bounds_what_it_never_reached() -> None:
    """Its requests are too few, correlated as they are, to bound p99 by; none was slower."""
    low, high = quantile_interval(*burst(slow=20.0), 0.99, confidence=0.90)
    assert low is not None
    assert low < math.log(3)
    assert high is not None
    assert math.log(20) < high < math.log(60)


def test_bursts_that_are_the_slowest_percent_are_not_bounded_below_them() -> None:
    """Three of a second in three minutes: what is left without them is not the answer."""
    rng = np.random.default_rng(7)
    logs = 0.3 * rng.normal(size=(180, 50))
    logs[[20, 90, 150]] += math.log(20.0)
    high = quantile_interval(*blocked(logs.round(2)), 0.99, confidence=0.90).high
    assert high is None or high > math.log(20.0)
