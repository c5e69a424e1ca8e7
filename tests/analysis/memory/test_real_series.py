"""Series that others published, with what became of them; noise as their notes say."""

from pathlib import Path

import numpy as np
import pytest

from analysis.memory.judge import MemoryClass, MemoryVerdict, judge_memory
from analysis.words.units import BYTES_PER_MB

FIXTURES = Path(__file__).parents[2] / "fixtures" / "memory"
SEEDS = range(4)


def points(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Times in s and MB as published; the lines before say the truth and the noise."""
    lines = (FIXTURES / f"{name}.csv").read_text(encoding="utf-8").splitlines()
    rows = np.array([line.split(",") for line in lines if line[0].isdigit()], dtype=np.float64)
    return rows[:, 0], rows[:, 1]


def series(
    name: str, sigma_mb: float, seed: int, every_s: float = 60.0, until_s: float = np.inf
) -> tuple[np.ndarray, np.ndarray]:
    """The published points, joined by lines and with noise."""
    at_s, mb = points(name)
    t_s = np.arange(0.0, min(at_s[-1], until_s) + 1, every_s)
    scatter = np.random.default_rng(seed).normal(0.0, sigma_mb, len(t_s))
    return t_s, np.interp(t_s, at_s, mb) + scatter


def judge(t_s: np.ndarray, mb: np.ndarray) -> MemoryVerdict:
    return judge_memory(t_s, mb * BYTES_PER_MB)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("name", "sigma_mb", "mb_per_h"), [("leak-16h", 20.0, 325.0), ("leak-30min", 5.0, 280.0)]
)
def test_confirmed_leaks_grow(name: str, sigma_mb: float, mb_per_h: float, seed: int) -> None:
    """At the pace that was published."""
    verdict = judge(*series(name, sigma_mb, seed))
    assert verdict.class_ is MemoryClass.GROWING
    assert verdict.decides(10.0) is True
    assert verdict.ci_low < mb_per_h < verdict.ci_high


@pytest.mark.parametrize("every_s", [30.0, 60.0])
def test_a_slow_leak_is_never_stable(every_s: float) -> None:
    """0.47 MB/h keep a rule of 10 MB/h, but they grow."""
    for seed in SEEDS:
        verdict = judge(*series("slow-leak-24h", 0.05, seed, every_s))
        assert verdict.class_ is MemoryClass.GROWING
        assert verdict.decides(10.0) is False
        assert verdict.slope_mb_per_h == pytest.approx(0.5, abs=0.1)


def test_fixed_service_levelled_off() -> None:
    """300 to 616 MB within half an hour, and not a MB in the eighteen after it."""
    for seed in SEEDS:
        verdict = judge(*series("after-fix-19h", 8.0, seed))
        assert verdict.explanation.startswith("rose and levelled off")
        assert verdict.decides(10.0) is False


def test_quarter_megabyte_steps_are_no_leak() -> None:
    """Nor are they collections."""
    for seed in SEEDS:
        t_s, mb = series("flat-15h", 0.05, seed, every_s=900.0)
        verdict = judge(t_s, np.round(4 * mb) / 4)
        assert verdict.class_ in (MemoryClass.STABLE, MemoryClass.WARMING_UP)
        assert verdict.decides(10.0) is False


def test_a_converging_service_is_no_leak_in_the_end() -> None:
    """After eight hours; 16.6 MB more had come between the third and the fourth."""
    for seed in SEEDS:
        verdict = judge(*series("converges-8h", 0.5, seed))
        assert verdict.explanation.startswith("rose and levelled off")
        assert verdict.decides(10.0) is False


def test_a_converging_service_cannot_be_told_after_two_hours() -> None:
    """It was neither stable nor levelled off yet, and what came after was not known."""
    for seed in SEEDS:
        verdict = judge(*series("converges-8h", 0.5, seed, until_s=7200.0))
        assert verdict.class_ is MemoryClass.CANNOT_TELL
        assert verdict.decides(10.0) is None


def test_33_points_of_a_fixed_service_are_no_leak() -> None:
    """Sampled for five minutes, and still rising a little: no alarm, and no "stable" either."""
    verdict = judge(*points("levels-off-33"))
    assert verdict.class_ is MemoryClass.CANNOT_TELL
    assert verdict.decides(10.0) is None
