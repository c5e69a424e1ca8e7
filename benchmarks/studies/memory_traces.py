"""Traces of memory with a known truth, for the benchmark of the judge and its tests.

All are in MB (2**20 bytes) at times in seconds, drawn from a generator that the caller seeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

Floats = npt.NDArray[np.float64]
HOUR_S = 3600.0
DURATIONS_S = (600.0, 3600.0, 8 * HOUR_S, 48 * HOUR_S)
MOST_SAMPLES = 2000


def noise(rng: np.random.Generator, n: int, sigma: float, correlation: float) -> Floats:
    """Stationary AR(1) noise with a correlation time given in samples (0 is white)."""
    if correlation <= 0.0:
        return sigma * rng.normal(size=n)
    phi = math.exp(-1.0 / correlation)
    warm_up = int(10 * correlation) + 1
    raw = lfilter([math.sqrt(1 - phi * phi)], [1, -phi], rng.normal(size=n + warm_up))
    return np.asarray(sigma * raw[warm_up:], dtype=np.float64)


def times(duration_s: float) -> Floats:
    """Sample times: every second, or fewer for long traces."""
    n = int(min(duration_s, MOST_SAMPLES))
    return np.linspace(0.0, duration_s, n, endpoint=False)


def background(rng: np.random.Generator, n: int) -> tuple[float, Floats]:
    """A level in MB and noise of 0.05 to 2 % of it, white or correlated over up to 1 % of n."""
    level = float(np.exp(rng.uniform(math.log(100), math.log(800))))
    sigma = level * float(np.exp(rng.uniform(math.log(5e-4), math.log(2e-2))))
    correlation = float(rng.choice([0.0, 0.0, n / 400, n / 100]))
    return level, noise(rng, n, sigma, correlation)


def noisy_flat(rng: np.random.Generator, t: Floats) -> Floats:
    """No growth; in half of the traces a few spikes of up to half the level."""
    level, scatter = background(rng, len(t))
    spikes = rng.random(len(t)) < (0.002 if rng.random() < 0.5 else 0.0)
    spiked = level * spikes * rng.uniform(0, 0.5, len(t))
    return np.asarray(level + scatter + spiked)


def filling_cache(rng: np.random.Generator, t: Floats, slowest: float = 0.33) -> Floats:
    """Fills to 1 to 100 % of the level with a time constant of 3 to 33 % of the trace."""
    level, scatter = background(rng, len(t))
    tau_s = t[-1] * rng.uniform(0.03, slowest)
    share = math.exp(rng.uniform(math.log(0.01), 0.0))
    return np.asarray(level * (1 + share * (1 - np.exp(-t / tau_s))) + scatter)


def step_then_plateau(rng: np.random.Generator, t: Floats, latest: float = 0.9) -> Floats:
    """Steps by 1 to 50 % anywhere in the trace, at once or within 5 % of it."""
    level, scatter = background(rng, len(t))
    at_s = rng.uniform(0.1, latest) * t[-1]
    width_s = max(rng.uniform(-0.05, 0.05) * t[-1], 1e-9)
    share = math.exp(rng.uniform(math.log(0.01), math.log(0.5)))
    return np.asarray(level * (1 + share * np.clip((t - at_s) / width_s, 0, 1)) + scatter)


def sawtooth(teeth: tuple[float, float]) -> Callable[[np.random.Generator, Floats], Floats]:
    """A collected runtime whose valleys do not rise; periods and depths vary by 15 %."""

    def trace(rng: np.random.Generator, t: Floats) -> Floats:
        level, scatter = background(rng, len(t))
        period_s = t[-1] / rng.uniform(*teeth)
        rise = level * rng.uniform(0.15, 1.0) / period_s
        y = np.empty(len(t))
        start_s = -period_s * rng.random()
        while start_s < t[-1]:
            end_s = start_s + period_s * rng.uniform(0.85, 1.15)
            inside = (t >= start_s) & (t < end_s)
            y[inside] = level * rng.normal(1, 0.01) + rise * (t[inside] - start_s)
            start_s = end_s
        y[t >= start_s] = level
        return y + scatter

    return trace


def leak(
    errors: float, correlated: bool = False, measured: bool = False
) -> Callable[[np.random.Generator, Floats], Floats]:
    """A linear leak of so many standard errors of the least-squares slope.

    With `measured` it is the slope found, not the true one, that has this size.
    """

    def trace(rng: np.random.Generator, t: Floats) -> Floats:
        n = len(t)
        level = rng.uniform(400, 800)
        sigma = level * rng.uniform(0.03, 0.06)  # so that 3 errors exceed the floor of 2 MB
        correlation = n / 200 if correlated else 0.0
        phi = math.exp(-1.0 / correlation) if correlated else 0.0
        inflation = (1 + phi) / (1 - phi)
        error = sigma * math.sqrt(inflation / float(np.square(t - t.mean()).sum()))
        scatter = noise(rng, n, sigma, correlation)
        if measured:
            scatter -= np.polyval(np.polyfit(t, scatter, 1), t)
        return level + scatter + errors * error * t

    return trace


def seed_like_leak(rng: np.random.Generator, t: Floats) -> Floats:
    """512 to 1,843 MB, collected to 620 MB once or twice in the trace, as in the seed."""
    period_s = t[-1] * rng.uniform(0.4, 0.75)
    into = np.mod(t, period_s) / period_s
    low = np.where(t < period_s, 512.0, 620.0)
    return np.asarray(low + (1843.0 - low) * into + noise(rng, len(t), 5.0, 0.0))


def power(exponent: float) -> Callable[[Floats], Floats]:
    """Growth from 0 to 1 over a trace, like x to this power."""
    return lambda x: np.asarray(x**exponent, dtype=np.float64)


def exponential(rate: float) -> Callable[[Floats], Floats]:
    """Growth from 0 to 1 that is e**rate times as fast at the end as at the beginning."""
    return lambda x: np.asarray(np.expm1(rate * x) / math.expm1(rate), dtype=np.float64)


def two_slopes(at: float, times: float) -> Callable[[Floats], Floats]:
    """Growth from 0 to 1 whose pace changes by this factor at this share of the trace."""

    def shape(x: Floats) -> Floats:
        y = np.minimum(x, at) + times * np.maximum(x - at, 0.0)
        return np.asarray(y / (at + times * (1.0 - at)), dtype=np.float64)

    return shape


GROWTHS: dict[str, Callable[[Floats], Floats]] = {
    "x": power(1.0),
    "x^1.2": power(1.2),
    "x^1.5": power(1.5),
    "x^2": power(2.0),
    "x^3": power(3.0),
    "exp(3x)": exponential(3.0),
    "exp(5x)": exponential(5.0),
    "half pace from 0.3": two_slopes(0.3, 0.5),
    "half pace from 0.5": two_slopes(0.5, 0.5),
    "half pace from 0.7": two_slopes(0.7, 0.5),
    "twice from 0.5": two_slopes(0.5, 2.0),
    "4 times from 0.6": two_slopes(0.6, 4.0),
}


def bent_leak(
    rng: np.random.Generator,
    t: Floats,
    growth: str,
    total_mb: float,
    sigma_mb: float,
    dips: int = 0,
) -> Floats:
    """A leak of this total from 100 MB on, that gives back 5 to 20 % of it so many times."""
    x = t / t[-1]
    y = 100.0 + total_mb * GROWTHS[growth](x)
    for at in rng.uniform(0.15, 0.85, dips):
        y -= total_mb * rng.uniform(0.05, 0.2) * (x > at)
    return np.asarray(y + rng.normal(0.0, sigma_mb, len(t)), dtype=np.float64)


def quick_filling(rng: np.random.Generator, t: Floats) -> Floats:
    """The same with a time constant of at most a quarter of the trace."""
    return filling_cache(rng, t, slowest=0.25)


def early_step(rng: np.random.Generator, t: Floats) -> Floats:
    """The same with a plateau of at least half of the trace."""
    return step_then_plateau(rng, t, latest=0.45)


SCENARIOS: dict[str, Callable[[np.random.Generator, Floats], Floats]] = {
    "noisy flat": noisy_flat,
    "filling cache": filling_cache,
    "filling, tau to a quarter": quick_filling,
    "step then plateau": step_then_plateau,
    "step, plateau at least half": early_step,
    "sawtooth, 4 to 60 teeth": sawtooth((4.0, 60.0)),
    "sawtooth, 1.5 to 3 teeth": sawtooth((1.5, 3.0)),
    "leak measured at 3 errors": leak(3.0, measured=True),
    "leak of 3 standard errors": leak(3.0),
    "leak of 4 standard errors": leak(4.0),
    "leak of 5 standard errors": leak(5.0),
    "leak of 8 standard errors": leak(8.0),
    "leak of 20 standard errors": leak(20.0),
    "leak of 3, correlated": leak(3.0, correlated=True),
    "leak of 5, correlated": leak(5.0, correlated=True),
    "leak of 8, correlated": leak(8.0, correlated=True),
    "leak collected at the limit": seed_like_leak,
}
