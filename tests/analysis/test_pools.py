import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.evidence.pool_series import (
    BucketQuantile,
    ExhaustionWindow,
    PoolSeries,
    counter_steps,
    exhaustion_windows,
    histogram_quantile,
)
from analysis.words.units import format_elapsed

INF = math.inf


def pool(*, active, waiting=None, timeouts=None, maximum=10.0, t_s=None) -> PoolSeries:
    """A pool sampled once a second unless told otherwise."""
    n = len(active)
    return PoolSeries(
        t_s=np.arange(n, dtype=float) if t_s is None else np.array(t_s, dtype=float),
        maximum=np.full(n, maximum, dtype=float) if np.isscalar(maximum) else np.array(maximum),
        active=np.array(active, dtype=float),
        waiting=np.zeros(n) if waiting is None else np.array(waiting, dtype=float),
        timeouts_total=np.zeros(n) if timeouts is None else np.array(timeouts, dtype=float),
    )


def seed_lock_pool() -> PoolSeries:
    """The lock pool of LT-2025-Q3-CHECKOUT as its post-mortem lists it, hours apart."""
    hour, minute = 3600.0, 60.0
    rows = [
        # time, connections, share of them in use, waiting, timeouts so far
        (0 * hour, 2000, 0.45, 0, 0),
        (2 * hour, 2000, 0.78, 0, 0),
        (4 * hour, 2000, 0.89, 0, 0),
        (6 * hour, 2000, 0.96, 0, 0),
        (6 * hour + 14 * minute, 2000, 1.0, 400, 74),  # 2,400 requests for 2,000 connections
        (6 * hour + 16 * minute, 2000, 1.0, 147, 147),  # the autoscaler is triggered
        (6 * hour + 18 * minute, 3000, 1.0, 20, 147),  # the third replica is ready
        (6 * hour + 19 * minute, 3000, 0.62, 0, 147),
        (48 * hour, 3000, 0.6, 0, 147),
    ]
    t_s, maximum, share, waiting, timeouts = map(np.array, zip(*rows, strict=True))
    return PoolSeries(t_s, maximum, share * maximum, waiting, timeouts)


def test_the_seeds_pool_was_exhausted_from_6h14_to_6h19() -> None:
    """From a timeline with hours between its points comes the post-mortem's own finding."""
    (window,) = exhaustion_windows(seed_lock_pool())
    assert format_elapsed(window.start_s) == "T+6h14m"
    assert format_elapsed(window.end_s or 0) == "T+6h19m"
    assert (window.failures, window.peak_waiting) == (147, 400)


def test_the_seeds_pool_peaked_at_100_percent() -> None:
    """However long the calm after it."""
    assert seed_lock_pool().utilization_peak_percent == 100.0


def test_a_full_pool_without_waiters_is_not_exhausted() -> None:
    """All connections in use and nobody waiting is a pool of the right size."""
    assert exhaustion_windows(pool(active=[9, 10, 10, 9])) == []


def test_waiters_at_a_pool_with_room_are_not_exhaustion() -> None:
    """A caller seen between queueing and getting its connection is no shortage."""
    assert exhaustion_windows(pool(active=[9, 9, 9], waiting=[0, 1, 0])) == []


def test_waiters_at_a_full_pool_are_exhaustion() -> None:
    """The window begins with the first bad sample and ends with the first good one after it."""
    windows = exhaustion_windows(
        pool(active=[9, 10, 10, 9, 9], waiting=[0, 3, 5, 0, 0], timeouts=[7, 7, 8, 8, 8])
    )
    assert windows == [ExhaustionWindow(1.0, 3.0, failures=1, peak_waiting=5, pool_max=10)]


def test_timeouts_alone_are_exhaustion() -> None:
    """A burst between two samples shows in the counter only, and counts."""
    windows = exhaustion_windows(pool(active=[1, 1, 1, 1], timeouts=[0, 4, 4, 4]))
    assert windows == [ExhaustionWindow(1.0, 2.0, failures=4, peak_waiting=0, pool_max=10)]


def test_a_pool_exhausted_at_the_end_has_an_open_window() -> None:
    """Without a good sample after it nobody knows when it ended."""
    (window,) = exhaustion_windows(pool(active=[1, 10], waiting=[0, 1]))
    assert window.end_s is None


def test_one_good_sample_does_not_end_a_window() -> None:
    """A gasp of one sample joins its neighbours; two good samples part them."""
    gasp = exhaustion_windows(pool(active=[10, 9, 10, 9], waiting=[1, 0, 1, 0]))
    pause = exhaustion_windows(pool(active=[10, 9, 9, 10, 9], waiting=[1, 0, 0, 1, 0]))
    assert [(w.start_s, w.end_s) for w in gasp] == [(0.0, 3.0)]
    assert [(w.start_s, w.end_s) for w in pause] == [(0.0, 1.0), (3.0, 4.0)]


def test_failures_survive_a_restart_of_the_service() -> None:
    """After a counter starts again what it shows is added, not subtracted."""
    (window,) = exhaustion_windows(
        pool(active=[10] * 5, waiting=[1] * 5, timeouts=[100, 103, 2, 4, 4])
    )
    assert window.failures == 3 + 2 + 2


def test_timeouts_before_the_first_sample_do_not_count() -> None:
    """A counter that stands at 50 when the test begins has nothing to do with the test."""
    assert pool(active=[1, 1], timeouts=[50, 51]).timeouts == 1


def test_a_single_sample_has_a_utilization() -> None:
    """Even a run cut after one sample says how full the pool was."""
    assert pool(active=[4]).utilization_peak_percent == 40.0


@pytest.mark.parametrize("unlimited", [0.0, -1.0, INF, math.nan])
def test_a_pool_without_a_limit_has_no_utilization(unlimited: float) -> None:
    """Unlimited, or not exported: neither 100 % nor a division by zero, but no data."""
    assert math.isnan(pool(active=[0, 7], maximum=unlimited).utilization_peak_percent)


@pytest.mark.parametrize(
    ("series", "why"),
    [
        (pool(active=[1, 1], waiting=[math.nan] * 2), "no connection_pool_waiting in 2 of 2"),
        (pool(active=[1, 1], timeouts=[0, math.nan]), "no connection_pool_timeouts_total in 1"),
        (
            pool(active=[1, 1], waiting=[0, 1], maximum=0.0),
            "callers waited, and its size is unlimited",
        ),
        (pool(active=[1, 1], maximum=-1.0), ""),
        (pool(active=[1, 1]), ""),
    ],
)
def test_a_pool_says_why_exhaustion_could_go_unseen(series: PoolSeries, why: str) -> None:
    """Who exports no waiters or timeouts shows no window, and proves nothing by that."""
    assert exhaustion_windows(series) == []
    assert series.blind_to.startswith(why)
    assert bool(series.blind_to) == bool(why)


def test_no_samples_give_no_windows_and_no_utilization() -> None:
    """Missing data is NaN, which keeps no rule, and never 0 %."""
    empty = pool(active=[])
    assert exhaustion_windows(empty) == []
    assert math.isnan(empty.utilization_peak_percent)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3), st.integers(0, 4))))
def test_windows_hold_every_failure_and_never_overlap(rows: list[tuple[int, int, int]]) -> None:
    """Whatever happens, each timed-out wait lies in exactly one window, in order of time."""
    active, waiting, steps = map(list, zip(*rows, strict=True)) if rows else ([], [], [])
    series = pool(active=active, waiting=waiting, timeouts=np.cumsum(steps))
    windows = exhaustion_windows(series)
    assert sum(w.failures for w in windows) == counter_steps(series.timeouts_total).sum()
    ends = [w.end_s if w.end_s is not None else INF for w in windows]
    starts = [w.start_s for w in windows]
    assert all(e > s for s, e in zip(starts, ends, strict=True))
    assert all(e < s for e, s in zip(ends, starts[1:], strict=False))


@pytest.mark.parametrize(
    ("counts", "q", "expected"),
    [
        # 100 waits below 10 ms: the median is halfway into the lowest bucket.
        ([100, 100, 100, 100], 0.5, BucketQuantile(0.005, False)),
        # rank 95 is 45 of the 50 in (10, 100] ms.
        ([50, 100, 100, 100], 0.95, BucketQuantile(0.091, False)),
        # rank 99 lies beyond the last finite bound: all that is known is that it is more.
        ([50, 90, 95, 100], 0.99, BucketQuantile(1.0, True)),
        # a bucket without its own samples is never interpolated in.
        ([50, 50, 100, 100], 0.5, BucketQuantile(0.01, False)),
        # one scrape caught the buckets out of step.
        ([50, 49, 100, 100], 0.5, BucketQuantile(0.01, False)),
    ],
)
def test_bucket_quantiles_are_prometheus(
    counts: list[int], q: float, expected: BucketQuantile
) -> None:
    """Linear within the bucket, at least the last bound beyond it."""
    found = histogram_quantile(np.array([0.01, 0.1, 1.0, INF]), np.array(counts, dtype=float), q)
    assert found == (pytest.approx(expected.value), expected.at_least)


def test_a_lowest_bucket_at_or_below_zero_is_its_bound() -> None:
    """There is no width to interpolate in below a bound of 0."""
    found = histogram_quantile(np.array([0.0, 1.0, INF]), np.array([9.0, 10.0, 10.0]), 0.5)
    assert found == BucketQuantile(0.0, False)


def test_no_waits_have_no_quantile() -> None:
    """An empty histogram is NaN, which keeps no rule."""
    assert math.isnan(histogram_quantile(np.array([1.0, INF]), np.zeros(2), 0.99).value)


@pytest.mark.parametrize("bounds", [[INF], [1.0, 2.0]])
def test_buckets_without_infinity_are_refused(bounds: list[float]) -> None:
    """Without a last bucket nobody knows how many waits there were."""
    with pytest.raises(ValueError, match=r"last up to \+Inf"):
        histogram_quantile(np.array(bounds), np.ones(len(bounds)), 0.99)
