import math

import numpy as np
import pytest

from analysis.memory.judge import MemoryClass, MemoryVerdict, judge_memory
from analysis.words.units import BYTES_PER_MB

HOUR_S = 3600.0
GB = 2.0**30
# cart-service-pod-01 in LT-2025-Q3-CHECKOUT: container_memory_working_set_bytes of Appendix B
# up to the collection, the post-mortem's 1.1 and 1.5 GB after it.
SEED_H = np.array([0, 6, 12, 18, 24, 30, 36, 36 + 134 / 3600, 42, 48])
SEED_BYTES = np.array(
    [
        536870912,
        754974720,
        1027604480,
        1288490188,
        1503238553,
        1717986918,
        1932735283,
        667483750,
        1.1 * GB,
        1.5 * GB,
    ]
)


def judge(mb: np.ndarray, hours: float, **options: object) -> MemoryVerdict:
    t_s = np.linspace(0.0, hours * HOUR_S, len(mb), endpoint=False)
    return judge_memory(t_s, mb * BYTES_PER_MB, **options)


def noisy(mb: np.ndarray, sigma_mb: float = 2.0, seed: int = 1) -> np.ndarray:
    return mb + np.random.default_rng(seed).normal(0.0, sigma_mb, len(mb))


def teeth(n: int, per_tooth: int, low_mb: float, high_mb: float, valley_rise_mb=0.0) -> np.ndarray:
    i = np.arange(n)
    rise = (high_mb - low_mb) * (i % per_tooth) / per_tooth
    return low_mb + rise + valley_rise_mb * (i // per_tooth)


def test_the_seeds_cart_grows() -> None:
    """The verdict on the whole seed trace: growing, above the limit, whatever the sawtooth."""
    verdict = judge_memory(SEED_H * HOUR_S, SEED_BYTES, limit_bytes=2 * GB)
    assert verdict.class_ is MemoryClass.GROWING
    assert verdict.decides(10.0) is True
    assert "collected only near the limit of 2048 MB" in verdict.explanation


def test_the_seeds_cart_grew_twice_as_fast_after_the_collection() -> None:
    """35 to 40 MB/h until T+36h, about twice that after it, which the post-mortem missed."""
    before, after = judge_memory(SEED_H * HOUR_S, SEED_BYTES, limit_bytes=2 * GB).segments
    assert (before.start_s, before.end_s) == (0.0, 36 * HOUR_S)
    assert 35.0 < before.slope_mb_per_h < 40.0
    assert 67.0 < after.slope_mb_per_h < 80.0


def test_a_line_through_the_seeds_sawtooth_would_hide_the_leak() -> None:
    """What is reported is far from the single regression over all points."""
    verdict = judge_memory(SEED_H * HOUR_S, SEED_BYTES, limit_bytes=2 * GB)
    one_line = np.polyfit(SEED_H, SEED_BYTES / BYTES_PER_MB, 1)[0]
    assert one_line < 20.0
    assert verdict.slope_mb_per_h > 40.0


def test_the_seed_without_a_limit_grows_by_its_length() -> None:
    """No collector waits 36 hours by its own rhythm, so the limit need not be known."""
    verdict = judge_memory(SEED_H * HOUR_S, SEED_BYTES)
    assert verdict.class_ is MemoryClass.GROWING
    assert "h of growth" in verdict.explanation


def test_the_seed_before_its_collection_has_a_time_to_limit() -> None:
    """At T+36h 5 to 6 hours were left to 2 GB, 41 of them from the baseline."""
    verdict = judge_memory(SEED_H[:7] * HOUR_S, SEED_BYTES[:7], limit_bytes=2 * GB)
    first_mb, last_mb = SEED_BYTES[0] / BYTES_PER_MB, SEED_BYTES[6] / BYTES_PER_MB
    assert (2048 - last_mb) / verdict.slope_mb_per_h == pytest.approx(5.5, abs=0.5)
    assert (2048 - first_mb) / verdict.slope_mb_per_h == pytest.approx(41.0, abs=1.0)


def test_a_known_collection_cuts_where_it_was() -> None:
    """Given the event, the cut is there and the finding is the same."""
    verdict = judge_memory(
        SEED_H * HOUR_S, SEED_BYTES, collections_s=[36 * HOUR_S + 60], limit_bytes=2 * GB
    )
    assert [s.n for s in verdict.segments] == [7, 3]


def test_flat_memory_is_stable_and_below_any_limit() -> None:
    """An hour without change is proof enough against 10 MB/h."""
    verdict = judge(noisy(np.full(3600, 300.0)), hours=1)
    assert verdict.class_ is MemoryClass.STABLE
    assert verdict.decides(10.0) is False
    assert verdict.ci_low < 0.0 < verdict.ci_high


def test_memory_that_rose_and_stays_has_no_slope_at_all() -> None:
    """And not what floating point leaves of one, by which a limit is 300 million years away."""
    level = np.concatenate([np.linspace(80, 90, 100), np.full(1000, 92.37)])
    found = judge(level, hours=0.25)
    assert found.class_ is MemoryClass.WARMING_UP
    assert found.slope_mb_per_h == 0.0


def test_a_steady_leak_grows() -> None:
    """30 MB/h under ordinary noise is found within an hour, with its slope in the interval."""
    verdict = judge(noisy(300 + np.linspace(0, 30, 3600)), hours=1, limit_bytes=0.5 * GB)
    assert verdict.class_ is MemoryClass.GROWING
    assert verdict.ci_low < 30.0 < verdict.ci_high
    assert verdict.decides(10.0) is True
    assert verdict.slope_mb_per_h == pytest.approx(30, rel=0.05)


def test_a_leak_near_the_limit_is_not_decided() -> None:
    """Growth that may lie on either side of the limit is neither proven nor excluded."""
    verdict = judge(noisy(300 + np.linspace(0, 10, 3600), 10.0), hours=1)
    assert verdict.decides(verdict.slope_mb_per_h) is None


def test_a_rise_of_a_megabyte_is_the_allocators() -> None:
    """However regular, growth below the allocator's grain is no leak."""
    verdict = judge(300 + np.linspace(0, 1, 180), hours=0.05)
    assert verdict.class_ is MemoryClass.STABLE
    assert verdict.decides(10.0) is None


def test_a_filling_cache_warms_up() -> None:
    """A cache that fills in a sixth of the trace is no leak, even at low noise."""
    x = np.linspace(0, 6, 3600)
    verdict = judge(noisy(300 + 200 * (1 - np.exp(-x)), 0.5), hours=8)
    assert verdict.class_ is MemoryClass.WARMING_UP
    assert verdict.decides(10.0) is False


def test_a_step_to_a_plateau_warms_up() -> None:
    """Load that arrives in the middle of the trace lifts the level once."""
    verdict = judge(noisy(np.where(np.arange(3600) < 1800, 300.0, 400.0)), hours=1)
    assert verdict.class_ is MemoryClass.WARMING_UP
    assert verdict.decides(10.0) is False


def test_a_warm_up_does_not_hide_the_leak_after_it() -> None:
    """A quick rise at the start is cut off, and what grows on afterwards is found."""
    x = np.linspace(0, 1, 3600)
    verdict = judge(noisy(300 + 100 * np.minimum(x * 10, 1) + 60 * x), hours=1)
    assert verdict.class_ is MemoryClass.GROWING
    assert verdict.ci_low < 60.0 < verdict.ci_high


def test_a_staircase_is_growth() -> None:
    """Memory taken in ever more portions is a leak, not a series of plateaus."""
    verdict = judge(noisy(300 + 40.0 * (np.arange(3600) // 400)), hours=8)
    assert verdict.class_ is MemoryClass.GROWING


def test_a_collected_runtime_with_level_valleys_is_a_sawtooth() -> None:
    """Growth between collections far from the limit is a collector's rhythm."""
    verdict = judge(noisy(teeth(3600, 300, 300, 600)), hours=8, limit_bytes=2 * GB)
    assert verdict.class_ is MemoryClass.SAWTOOTH
    assert verdict.decides(10.0) is False


def test_rising_valleys_are_a_leak() -> None:
    """What is left after each collection grows by 20 MB, 30 MB/h: the collector cannot help."""
    mb = noisy(teeth(3600, 300, 300, 600, valley_rise_mb=20))
    verdict = judge(mb, hours=8, limit_bytes=2 * GB)
    assert verdict.class_ is MemoryClass.GROWING
    assert "in the valleys" in verdict.explanation
    assert verdict.slope_mb_per_h == pytest.approx(30.0, rel=0.05)


def test_collections_forced_by_the_limit_are_a_leak() -> None:
    """A cache that is emptied only when the container is nearly full does not evict."""
    verdict = judge(
        noisy(teeth(240, 60, 100, 195)), hours=240 / 3600, limit_bytes=200 * BYTES_PER_MB
    )
    assert verdict.class_ is MemoryClass.GROWING
    assert verdict.slope_mb_per_h == pytest.approx(95 * 60, rel=0.05)


def test_one_collection_does_not_tell_a_leak_from_a_rhythm() -> None:
    """Far from the limit and within an hour, one tooth is neither proof nor disproof."""
    verdict = judge(noisy(teeth(3600, 2000, 300, 600)), hours=1, limit_bytes=2 * GB)
    assert verdict.class_ is MemoryClass.SAWTOOTH
    assert verdict.decides(10.0) is None


def test_a_spike_is_not_a_collection() -> None:
    """A single sample far off cuts nothing."""
    mb = noisy(np.full(300, 300.0))
    mb[150] = 500.0
    assert len(judge(mb, hours=1).segments) == 1


@pytest.mark.parametrize("n", [0, 1, 9])
def test_a_few_samples_say_nothing(n: int) -> None:
    """Fewer than ten samples within minutes decide nothing, whatever they show."""
    verdict = judge(np.linspace(100, 900, n), hours=0.1)
    assert verdict.class_ is MemoryClass.TOO_SHORT
    assert verdict.decides(10.0) is None


def test_a_flat_half_minute_does_not_exclude_a_leak() -> None:
    """What the allocator can hide in 30 s is more than 10 MB/h."""
    assert judge(np.full(30, 300.0), hours=30 / 3600).decides(10.0) is None


def test_missing_samples_are_left_out() -> None:
    """NaN where the sampler failed does not spoil the rest."""
    mb = noisy(np.full(3600, 300.0))
    mb[100:200] = math.nan
    assert judge(mb, hours=1).class_ is MemoryClass.STABLE


def test_times_that_run_backwards_are_refused() -> None:
    """A slope against a jumping clock would be an invention."""
    with pytest.raises(ValueError, match="do not ascend"):
        judge_memory(np.array([0.0, 2.0, 1.0]), np.ones(3))


def test_series_of_different_lengths_are_refused() -> None:
    """A sample without a time is a mistake of the caller."""
    with pytest.raises(ValueError, match="3 times for 2 samples"):
        judge_memory(np.arange(3.0), np.ones(2))


@pytest.mark.parametrize(
    ("share", "tau"), [(0.02, 0.1), (0.2, 0.1), (0.2, 0.3), (1.0, 0.05), (1.0, 0.3)]
)
def test_filling_caches_raise_no_alarm(share: float, tau: float) -> None:
    """At most one of fifteen caches of any size and speed is called a leak."""
    x = np.linspace(0, 1, 400)
    mb = 400 * (1 + share * (1 - np.exp(-x / tau)))
    called = [judge(noisy(mb, 3.0, seed), 8).class_ is MemoryClass.GROWING for seed in range(15)]
    assert sum(called) <= 1


def test_flat_noise_raises_no_alarm() -> None:
    """At most one of 60 noisy flat traces is called a leak (1 % expected at most)."""
    flat = np.full(300, 500.0)
    called = [judge(noisy(flat, 25.0, s), 1).class_ is MemoryClass.GROWING for s in range(60)]
    assert sum(called) <= 1


def test_a_clear_leak_is_found() -> None:
    """A slope of 12 standard errors is found nine times in ten."""
    sigma_mb, n = 10.0, 300
    rise = 12 * sigma_mb * math.sqrt(12 / n)
    mb = 500 + np.linspace(0, rise, n)
    called = [judge(noisy(mb, sigma_mb, s), 1).class_ is MemoryClass.GROWING for s in range(30)]
    assert sum(called) >= 27


def test_a_late_step_is_not_a_leak() -> None:
    """What rises within the last quarter has not settled: neither a leak nor excluded."""
    x = np.linspace(0, 1, 400)
    mb = 400 * (1 + 0.03 * np.clip((x - 0.85) / 0.03, 0, 1))
    found = [judge(noisy(mb, 3.0, seed), 1) for seed in range(10)]
    assert [v.class_ for v in found].count(MemoryClass.GROWING) == 0
    assert all(v.decides(10.0) is None for v in found)


@pytest.mark.parametrize("count", [17.07, 18.06, 30.1])
def test_valleys_that_samples_miss_do_not_rise(count: float) -> None:
    """Teeth that rise steeply at first: where a sample falls in them drifts from tooth to tooth."""
    x = np.linspace(0, 1, 1440, endpoint=False)
    verdict = judge(noisy(300 + 200 * np.sqrt((x * count) % 1.0), 0.5), hours=24)
    assert verdict.class_ is not MemoryClass.GROWING
