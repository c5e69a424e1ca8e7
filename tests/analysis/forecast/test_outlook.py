"""What a stretch of constant load says of the time after it, and when it says nothing."""

import numpy as np
import pytest

from analysis.forecast.filling import Filling
from analysis.forecast.outlook import HOUR_S, LONGEST_HOLD_S, Outlook, outlook
from recording.arrays import Floats

SIZE = 200.0
SAMPLES = (60, 180, 600, 2000)


def told(percent: Floats, hours: float = 1.0, again: float = 1e9) -> Outlook:
    """The outlook of samples, evenly over so many hours; ``again`` were held before."""
    t_s = np.linspace(0.0, hours * HOUR_S, percent.size)
    used = np.clip(percent, 0.0, 99.5) * SIZE / 100
    return outlook(Filling("s", "p", 0.0, t_s, used, SIZE, None), again, published=False)


def noise(rng: np.random.Generator, n: int) -> Floats:
    """Of any size and correlation (AR(1))."""
    rho, sigma = rng.choice([0.0, 0.5, 0.9, 0.97]), rng.uniform(0.3, 4.0)
    white, found = rng.normal(0.0, 1.0, n), np.zeros(n)
    for i in range(n):
        found[i] = rho * found[i - 1] + np.sqrt(1 - rho**2) * white[i] if i else white[i]
    return np.asarray(sigma * found)


def shape(kind: str, rng: np.random.Generator, n: int) -> Floats:
    """A pool that will never be full."""
    x, base = (np.arange(n) + 0.5) / n, rng.uniform(10.0, 85.0)
    rise = rng.uniform(2.0, 90.0 - base)
    curves = {
        "flat": np.zeros(n),
        "filling": 1.0 - np.exp(-x / rng.uniform(0.02, 0.25)),
        "ramp": np.minimum(1.0, x / rng.uniform(0.1, 0.6)),
        "sawtooth": (x * rng.integers(3, 20) + rng.uniform()) % 1.0,
        "step": (x > rng.uniform(0.1, 0.9)).astype(float),
    }
    return np.asarray(base + rise * curves[kind])


def false_forecasts(kind: str, seeds: range) -> int:
    """How many of these are foreseen to be full, or to climb."""
    wrong = 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        n = int(rng.choice(SAMPLES))
        found = told(shape(kind, rng, n) + noise(rng, n))
        wrong += found.full is not None or found.climbs
    return wrong


@pytest.mark.parametrize("kind", ["flat", "filling", "ramp", "sawtooth", "step"])
def test_what_levels_off_or_falls_foresees_nothing(kind: str) -> None:
    """At most one of 10; `make test-long` counts 300."""
    assert false_forecasts(kind, range(10)) <= 1


@pytest.mark.long
@pytest.mark.parametrize("kind", ["flat", "filling", "ramp", "sawtooth", "step"])
def test_at_most_two_percent_of_forecasts_are_false(kind: str) -> None:
    """Of 300 series of each shape, whatever their noise."""
    assert false_forecasts(kind, range(300)) <= 0.02 * 300


def test_a_climb_is_found_with_the_time_it_takes() -> None:
    """Lines under noise: nearly all, and the truth is in the interval."""
    right = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        base, rise, n = rng.uniform(10, 50), rng.uniform(10, 40), int(rng.choice(SAMPLES))
        found = told(base + rise * np.linspace(0.0, 1.0, n) + rng.normal(0.0, 1.0, n))
        full_s = HOUR_S * (100.0 - base) / rise
        right += found.full is not None and found.full.low <= full_s <= found.full.high
    assert right >= 9


def test_a_pool_that_fills_for_the_first_time_is_no_climb() -> None:
    """Before its connections came back nobody can tell; after half an hour they would have."""
    percent = 20.0 + 30.0 * np.linspace(0.0, 1.0, 100)
    short = told(percent, hours=0.9 * LONGEST_HOLD_S / HOUR_S, again=10.0)
    assert short.because == "what it gives out has not come back yet"
    assert told(percent, hours=0.9 * LONGEST_HOLD_S / HOUR_S, again=70.0).climbs
    assert told(percent, hours=1.1 * LONGEST_HOLD_S / HOUR_S, again=float("nan")).climbs


def test_too_few_samples_foresee_nothing() -> None:
    """Fifteen points have no shape."""
    assert "too few" in told(np.linspace(10.0, 60.0, 15)).because


def figures(*percent: float, size: float = 2000.0) -> Outlook:
    """Published ones, an hour apart."""
    t_s = HOUR_S * np.arange(float(len(percent)))
    used = np.array(percent) * size / 100
    return outlook(Filling("s", "p", 0.0, t_s, used, size, None), float("nan"), published=True)


@pytest.mark.parametrize(
    ("percent", "because"),
    [
        ((50.0,), "one figure is no line"),
        ((50.0, 51.0), "no climb is proven"),
        ((50.0, 60.0, 58.0), "no climb is proven"),
        ((50.0, 70.0, 75.0), "it rises, but more slowly"),
    ],
)
def test_figures_that_do_not_climb(percent: tuple[float, ...], because: str) -> None:
    """One, what rounding explains, what falls, what slackens to less than half."""
    found = figures(*percent)
    assert (found.because, found.climbs, found.full) == (because, False, None)


def test_figures_that_climb_on_no_line_foresee_no_time() -> None:
    """78, 89, 96: from 11 points to 7."""
    found = figures(78.0, 89.0, 96.0)
    assert (found.slowest, found.fastest, found.full) == (pytest.approx(7), pytest.approx(11), None)


def test_figures_of_connections_are_exact_to_half_of_one() -> None:
    """1,561 and 1,781 of 2,000 are no whole percents, so the interval is narrower."""
    coarse, fine = figures(78.0, 89.0).full, figures(78.05, 89.05).full
    assert coarse is not None
    assert fine is not None
    assert fine.high - fine.low < 0.1 * (coarse.high - coarse.low)
