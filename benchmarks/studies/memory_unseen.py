"""Traces that the memory judge was not made with: other shapes, samplings, noises and falls.

Written apart from ``memory_traces.py``, by someone who had not made the judge: its figures show
what the judge does with what it has not seen. In MB (2**20 bytes) at times in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.signal import lfilter

from benchmarks.studies.memory_traces import HOUR_S, Floats, exponential, power

Rng = np.random.Generator
Shape = Callable[[Floats], Floats]
Trace = tuple[Floats, Floats]

SAMPLED_S = (1.0, 30.0, 60.0)
NOISES = ("white", "white", "AR(1) 0.9", "pages of 4 kB", "whole MB")
_PHI = 0.9
# A straight leak of this rise in standard errors of it, or 20 MB, is found in 99 % and more.
_ERRORS, _ERRORS_WITH_DIPS, _LEAST_MB = 12.0, 20.0, 20.0


def paces(*told: tuple[float, float]) -> Shape:
    """Growth from 0 to 1 at paces (until a share of the trace, pace)."""

    def shape(x: Floats) -> Floats:
        ends = np.array([until for until, _ in told])
        begins = np.concatenate([[0.0], ends[:-1]])
        parts = np.clip(x[:, None] - begins, 0.0, ends - begins) * [pace for _, pace in told]
        return np.asarray(parts.sum(axis=1) / float((ends - begins) @ [p for _, p in told]))

    return shape


def _logistic(x: Floats) -> Floats:
    soft = np.log1p(np.exp(12.0 * (x - 0.4)))
    return np.asarray((soft - soft[0]) / (soft[-1] - soft[0]))


LEAKS: dict[str, Shape] = {
    "x": power(1.0),
    "x^1.1": power(1.1),
    "x^1.3": power(1.3),
    "x^1.7": power(1.7),
    "x^2.5": power(2.5),
    "(x + x^2) / 2": lambda x: np.asarray((x + x * x) / 2),
    "exp(2x)": exponential(2.0),
    "exp(4x)": exponential(4.0),
    "exp(6x)": exponential(6.0),
    "flat for a third": paces((1 / 3, 0.0), (1.0, 1.0)),
    "flat for half": paces((0.5, 0.0), (1.0, 1.0)),
    "logistic begin": _logistic,
    "paces 1, 2, 3": paces((0.33, 1.0), (0.66, 2.0), (1.0, 3.0)),
    "paces 1, 1.5, 4": paces((0.25, 1.0), (0.7, 1.5), (1.0, 4.0)),
    "paces 1, 0.6": paces((0.45, 1.0), (1.0, 0.6)),
    "paces 1, 0.5": paces((0.35, 1.0), (1.0, 0.5)),
}
# These slow down to nothing in the end: a leak, or not to be told, but never a PASS.
SLOWING: dict[str, Shape] = {"x^0.8": power(0.8), "x^0.7": power(0.7), "x^0.5": power(0.5)}


def leak(rng: Rng, shape: Shape, dips: int) -> tuple[Trace, float]:
    """A leak over 1 or 8 h that gives back 3 to 20 % of it so many times, and its MB/h."""
    hours, sampled_s = float(rng.choice([1.0, 8.0])), float(rng.choice(SAMPLED_S))
    sigma_mb, kind = float(rng.choice([0.5, 5.0])), str(rng.choice(NOISES))
    t = np.arange(0.0, hours * HOUR_S, sampled_s)
    inflation = (1 + _PHI) / (1 - _PHI) if kind.startswith("AR") else 1.0
    error_mb = sigma_mb * math.sqrt(12 * inflation / len(t))
    least_mb = max(_LEAST_MB, (_ERRORS_WITH_DIPS if dips else _ERRORS) * error_mb)
    total_mb = least_mb * float(rng.choice([1.0, 2.0, 5.0]))
    x = t / t[-1]
    mb = float(rng.choice([100.0, 400.0])) + total_mb * shape(x)
    for at in rng.uniform(0.06, 0.96, dips):
        mb -= total_mb * rng.uniform(0.03, 0.2) * (x > at)
    return (t, _read(rng, mb, sigma_mb, kind)), total_mb / hours


def no_leak(rng: Rng, name: str) -> Trace:
    """Ten minutes to 48 hours of what does not grow without bound."""
    hours = 48.0 if name == "a wave a day" else float(rng.choice([1 / 6, 0.5, 1, 8, 24, 48]))
    sampled_s = float(rng.choice([1.0, 5.0] if hours < 1 else [30.0, 60.0]))
    t = np.arange(0.0, hours * HOUR_S, sampled_s)
    rise_mb, level_mb = float(rng.choice([10, 50, 200])), float(rng.choice([100, 400]))
    mb = level_mb + rise_mb * NO_LEAKS[name](rng, t / t[-1])
    return t, _read(rng, mb, float(rng.choice([0.5, 5.0])), str(rng.choice(NOISES)))


def _read(rng: Rng, mb: Floats, sigma_mb: float, kind: str) -> Floats:
    """As it is read: with noise, and in the units that it is counted in."""
    noise = rng.normal(0.0, sigma_mb, len(mb) + 100)
    if kind.startswith("AR"):
        noise = math.sqrt(1 - _PHI**2) * lfilter([1.0], [1.0, -_PHI], noise)
    grain = {"pages of 4 kB": 256.0, "whole MB": 1.0}.get(kind)
    seen = mb + noise[100:]
    return np.asarray(seen if grain is None else np.floor(seen * grain) / grain)


def _filling(low: float, high: float) -> Callable[[Rng, Floats], Floats]:
    return lambda rng, x: np.asarray(1 - np.exp(-x / rng.uniform(low, high)))


def _steps(count: int) -> Callable[[Rng, Floats], Floats]:
    def shape(rng: Rng, x: Floats) -> Floats:
        told = zip(rng.uniform(0.02, 0.5, count), rng.uniform(0.2, 1.0, count), strict=True)
        return np.asarray(sum((size * (x > at) for at, size in told), 0.0 * x))

    return shape


def _teeth(form: Shape, low: float = 2.0, high: float = 40.0) -> Callable[[Rng, Floats], Floats]:
    return lambda rng, x: form(np.asarray((x * rng.uniform(low, high) + rng.random()) % 1.0))


def _minor_and_major(rng: Rng, x: Floats) -> Floats:
    times, begin = rng.uniform(2.0, 40.0), rng.random()
    return np.asarray(0.25 * ((4 * times * x) % 1.0) + 0.75 * ((times * x + begin) % 1.0))


NO_LEAKS: dict[str, Callable[[Rng, Floats], Floats]] = {
    "flat": lambda rng, x: 0.0 * x,
    "filling, tau 1/20 to 1/8": _filling(0.05, 0.125),
    "filling, tau 1/8 to 1/4": _filling(0.125, 0.25),
    "1 step, then plateau": _steps(1),
    "2 steps, then plateau": _steps(2),
    "3 steps, then plateau": _steps(3),
    "teeth, straight": _teeth(lambda x: x),
    "teeth, concave": _teeth(np.sqrt),
    "teeth, convex": _teeth(np.square),
    "teeth, small on large": _minor_and_major,
    "teeth, 1.2 to 4": _teeth(lambda x: x, 1.2, 4.0),
    "warm-up, then flat": lambda rng, x: np.clip(x / rng.uniform(0.02, 0.4), 0.0, 1.0),
    "a wave a day": lambda rng, x: 0.5 * np.sin(2 * np.pi * (2 * x + rng.random())),
    "like log(x)": lambda rng, x: np.log1p(x * rng.uniform(50.0, 1000.0)) / 5,
}
