"""Leaks that bend and give back, and what only looks like them."""

import numpy as np
import pytest

from analysis.memory.judge import MemoryClass, MemoryVerdict, judge_memory
from analysis.words.units import BYTES_PER_MB
from benchmarks.studies.memory_traces import GROWTHS, HOUR_S, bent_leak, two_slopes
from benchmarks.studies.memory_unseen import LEAKS, SLOWING, leak

LIMIT_MB_PER_H = 10.0


def judge(t_s: np.ndarray, mb: np.ndarray) -> MemoryVerdict:
    return judge_memory(t_s, mb * BYTES_PER_MB)


def leaks(growth: str, dips: int, sigma_mb: float = 0.5, n: int = 2) -> list[MemoryVerdict]:
    """An hour of 100 MB more, so many times."""
    rng = np.random.default_rng([7, dips])
    t_s = np.linspace(0.0, HOUR_S, 360)
    return [judge(t_s, bent_leak(rng, t_s, growth, 100.0, sigma_mb, dips)) for _ in range(n)]


@pytest.mark.parametrize("dips", [0, 1, 2])
@pytest.mark.parametrize("growth", GROWTHS)
def test_a_leak_is_found_however_it_bends(growth: str, dips: int) -> None:
    """Straight, bent either way, or giving back a fifth of it twice: it grows, beyond any limit."""
    assert [v.decides(LIMIT_MB_PER_H) for v in leaks(growth, dips)] == [True] * 2


@pytest.mark.parametrize("dips", [0, 1, 2])
@pytest.mark.parametrize("name", [name for name in LEAKS if name != "exp(6x)"])
def test_shapes_that_the_judge_was_not_made_with_are_found(name: str, dips: int) -> None:
    """Sampled every 1 to 60 s, with white and correlated noise, in pages and in whole MB."""
    rng = np.random.default_rng([3, dips])
    found = [leak(rng, LEAKS[name], dips) for _ in range(2)]
    said = [judge(*trace).decides(mb_per_h / 3) for trace, mb_per_h in found]
    assert True in said
    assert False not in said


@pytest.mark.parametrize("dips", [0, 1, 2])
def test_a_leak_that_slows_down_does_not_pass(dips: int) -> None:
    """Whether x^0.7 is a leak or fills up may be open; that it stands still is not said."""
    rng = np.random.default_rng([4, dips])
    for _ in range(3):
        trace, mb_per_h = leak(rng, SLOWING["x^0.7"], dips)
        assert judge(*trace).decides(mb_per_h / 3) is not False


def test_a_jump_between_two_falls_hides_no_leak() -> None:
    """Two give-backs within a minute, seen as one of a third of the growth: not a collection."""
    t_s = np.linspace(0.0, HOUR_S, 120)
    x = t_s / HOUR_S
    mb = 100 + 100 * x - 20 * (x > 0.712) - 14 * (x > 0.725)
    verdict = judge(t_s, mb + np.random.default_rng(6).normal(0, 0.5, len(t_s)))
    assert verdict.class_ is MemoryClass.GROWING


def test_samples_that_no_machine_can_hold_are_missing() -> None:
    """A damaged number neither hides a leak nor raises."""
    t_s = np.linspace(0.0, HOUR_S, 720)
    mb = 100 + 100 * t_s / HOUR_S
    mb[300] = 1e300
    assert judge(t_s, mb).decides(LIMIT_MB_PER_H) is True


def test_correlated_noise_is_no_growth() -> None:
    """AR(1) noise of 60 samples bends by itself: no more alarms than one in thirty."""
    rng = np.random.default_rng(9)
    t_s = np.linspace(0.0, HOUR_S, 60)
    alarms = 0
    for _ in range(30):
        noise = np.zeros(160)
        for i in range(1, 160):
            noise[i] = 0.9 * noise[i - 1] + rng.normal(0.0, 1.0)
        alarms += judge(t_s, 300 + noise[100:]).class_ is MemoryClass.GROWING
    assert alarms <= 1


def test_less_noise_does_not_hide_a_bent_leak() -> None:
    """60 to 260 MB in 160 s like x squared: the bend is no scatter, however smooth the curve."""
    t_s = np.arange(160.0)
    rng = np.random.default_rng(3)
    for sigma_mb in (0.0, 0.05, 0.5, 5.0):
        mb = 60 + 200 * (t_s / 160) ** 2 + rng.normal(0, sigma_mb, 160)
        verdict = judge(t_s, mb)
        assert verdict.class_ is MemoryClass.GROWING, verdict.explanation
        assert "ever faster" in verdict.explanation
        assert verdict.slope_mb_per_h == pytest.approx(6750, rel=0.05)


@pytest.mark.parametrize("given_back_mb", [6.0, 12.0])
def test_one_give_back_does_not_hide_a_leak(given_back_mb: float) -> None:
    """What is given back once changes neither the verdict nor the slope that is seen through it."""
    rng = np.random.default_rng(5)
    t_s = np.linspace(0.0, HOUR_S, 3600)
    for at in (0.2, 0.5, 0.8):
        mb = 300 + 60 * t_s / HOUR_S - given_back_mb * (t_s > at * HOUR_S)
        verdict = judge(t_s, mb + rng.normal(0, 2, len(t_s)))
        assert verdict.explanation.startswith("grows through 1 give-back, ")
        assert verdict.ci_low < 60 < verdict.ci_high


def test_a_fall_of_all_that_grew_is_a_collection() -> None:
    """Growth that is undone may be a collector's rhythm; it is not seen through."""
    t_s = np.linspace(0.0, HOUR_S, 3600)
    mb = 300 + 60 * (t_s / HOUR_S) - 30 * (t_s > HOUR_S / 2)
    verdict = judge(t_s, mb + np.random.default_rng(2).normal(0, 1, len(t_s)))
    assert verdict.class_ is MemoryClass.SAWTOOTH
    assert verdict.decides(LIMIT_MB_PER_H) is None


def test_a_filling_that_has_not_ended_cannot_be_told_from_a_leak() -> None:
    """Slower and slower, and still rising: neither grows nor levelled off nor stable."""
    t_s = np.linspace(0.0, HOUR_S, 3600)
    mb = 300 + 200 * (1 - np.exp(-t_s / (0.45 * HOUR_S)))
    verdict = judge(t_s, mb + np.random.default_rng(4).normal(0, 0.5, len(t_s)))
    assert verdict.class_ is MemoryClass.CANNOT_TELL
    assert verdict.explanation.startswith("a leak or a cache that fills: rises, but more slowly")
    assert verdict.decides(LIMIT_MB_PER_H) is None


def test_what_may_have_risen_by_much_is_not_stable() -> None:
    """A slope within its noise proves nothing where the noise is large."""
    t_s = np.arange(60.0)
    mb = 300 + np.random.default_rng(1).normal(0, 30, 60)
    verdict = judge(t_s, mb)
    assert verdict.class_ is MemoryClass.CANNOT_TELL
    assert verdict.explanation.startswith("no growth proven and none excluded")


def test_a_rise_that_an_allocator_may_take_says_so() -> None:
    """A proven slope beside "stable" is explained."""
    mb = 300 + np.linspace(0, 1, 180)
    assert judge(np.arange(180.0), mb).explanation.endswith(
        "less than the 2 MB that an allocator takes"
    )


@pytest.mark.parametrize("tau", [0.05, 0.12, 0.25])
def test_fillings_within_a_quarter_raise_no_alarm(tau: float) -> None:
    """Neither with noise nor without; where they are not levelled off it cannot be told."""
    t_s = np.linspace(0.0, 8 * HOUR_S, 1440)
    for sigma_mb in (0.0, 0.5, 5.0):
        mb = 300 + 200 * (1 - np.exp(-t_s / (tau * 8 * HOUR_S)))
        verdict = judge(t_s, mb + np.random.default_rng(8).normal(0, sigma_mb, len(t_s)))
        assert verdict.class_ in (MemoryClass.WARMING_UP, MemoryClass.CANNOT_TELL)
        assert verdict.decides(LIMIT_MB_PER_H) is not True


def test_late_give_backs_do_not_look_like_the_end_of_a_filling() -> None:
    """Half the pace from the middle on, and two falls near the end, each smaller than the noise."""
    t_s = np.linspace(0.0, HOUR_S, 3600)
    x = t_s / HOUR_S
    for at, other in ((0.7, 0.9), (0.65, 0.75), (0.5, 0.95)):
        mb = 100 + 60 * two_slopes(0.5, 0.5)(x) - 8 * (x > at) - 4 * (x > other)
        verdict = judge(t_s, mb + np.random.default_rng(1).normal(0, 5, len(t_s)))
        assert verdict.class_ is MemoryClass.GROWING, verdict.explanation


def test_too_small_a_rise_is_not_called_a_leak() -> None:
    """10 MB under noise of 5 MB, filled or stepped: it rises, and the trace does not tell how."""
    t_s = np.linspace(0.0, HOUR_S, 60)
    x = t_s / HOUR_S
    shapes = (1 - np.exp(-4 * x), np.where(x > 0.4, 1.0, 0.0))
    for i in range(12):
        noise = np.random.default_rng(i).normal(0, 5, len(t_s))
        assert judge(t_s, 300 + 10 * shapes[i % 2] + noise).class_ is not MemoryClass.GROWING


def test_a_daily_wave_is_no_growth() -> None:
    """Two days of it have a slope, wherever they begin, and no growth explains it."""
    t_s = np.linspace(0.0, 48 * HOUR_S, 1440)
    for begin in (0.0, 0.25, 0.5, 0.75):
        mb = 300 + 25 * np.sin(2 * np.pi * (t_s / (24 * HOUR_S) + begin))
        verdict = judge(t_s, mb + np.random.default_rng(1).normal(0, 2, len(t_s)))
        assert verdict.class_ is not MemoryClass.GROWING
