"""How often a 95 % interval of a percentile holds the true value: simulated and seeded.

    python -m benchmarks.percentile_coverage [--sims 1000] [--seed 2025]

Latencies are lognormal (sigma 0.6), in 16 to 100 blocks of time, as the judge cuts a run.
``AR(1)`` correlates each request with the one before; ``slow stretches`` lets the level of a
hundred stretches of the run wander (AR(1) of 10 % between them); ``stalls`` stop everybody for
half a second every 20 s, give or take 5 s. ``held`` counts an open side as holding; ``open`` is
the share of intervals without one of their bounds, ``width`` that of log latency over the width of
an interval that takes the samples as independent. The printed table stands in docs/statistics.md.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter
from scipy.special import ndtri

from analysis.statistics.percentiles import Interval, quantile_interval

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Make = Callable[[np.random.Generator, int], Floats]

SIGMA = 0.6
SPREAD = 0.1
STRETCHES = 100
STALL_EVERY_S, STALL_S = 20.0, 0.5
RUN_S = 150.0
QUANTILES = (0.95, 0.99)
SIZES = ((2_000, 16), (2_000, 100), (10_000, 100), (100_000, 100))
"""Requests, and blocks of time."""
# Values apart by 0.3 %, as in a histogram of three digits.
_EDGES = np.exp(np.arange(-4.0, 8.0, 0.003))


def correlated(rng: np.random.Generator, n: int, phi: float) -> Floats:
    """Requests that each resemble the one before."""
    return np.asarray(np.exp(SIGMA * _ar1(rng, n, phi)))


def slow_stretches(rng: np.random.Generator, n: int, phi: float) -> Floats:
    """Independent requests of a level that wanders."""
    level = np.repeat(SPREAD * _ar1(rng, STRETCHES, phi), math.ceil(n / STRETCHES))[:n]
    return np.asarray(np.exp(SIGMA * rng.normal(size=n) + level))


def stalls(rng: np.random.Generator, n: int) -> Floats:
    """Everybody waits until a stall is over."""
    t_s = np.arange(n) * (RUN_S / n)
    values = np.exp(SIGMA * rng.normal(size=n))
    starts = np.arange(-STALL_EVERY_S * (1 + rng.random()), RUN_S + STALL_EVERY_S, STALL_EVERY_S)
    for start in starts + rng.uniform(-STALL_EVERY_S / 4, STALL_EVERY_S / 4, starts.size):
        hit = (t_s >= start) & (t_s < start + STALL_S)
        values[hit] += 10 * (1 - (t_s[hit] - start) / STALL_S)
    return np.asarray(values)


def _ar1(rng: np.random.Generator, n: int, phi: float) -> Floats:
    """Of unit variance, stationary from its first value."""
    shocks = rng.normal(size=n) * math.sqrt(1 - phi**2)
    shocks[0] /= math.sqrt(1 - phi**2)
    return np.asarray(lfilter([1.0], [1.0, -phi], shocks))


KINDS: dict[str, Make] = {
    "independent": partial(correlated, phi=0.0),
    **{f"AR(1) {phi}": partial(correlated, phi=phi) for phi in (0.5, 0.8, 0.95)},
    **{f"slow stretches {phi}": partial(slow_stretches, phi=phi) for phi in (0.5, 0.8, 0.95)},
    "stalls": stalls,
}


def truth(kind: str, rng: np.random.Generator, q: float) -> float:
    """The true quantile; that of stalls from twenty million requests."""
    if kind == "stalls":
        many = np.concatenate([stalls(rng, 200_000) for _ in range(100)])
        return float(np.quantile(many, q))
    sigma = math.hypot(SIGMA, SPREAD) if kind.startswith("slow") else SIGMA
    return math.exp(sigma * float(ndtri(q)))


def blocked(values: Floats, blocks: int) -> tuple[Floats, Ints]:
    """Values of a histogram, and counts by block of time."""
    columns = np.searchsorted(_EDGES, values)
    counts = np.zeros((blocks, _EDGES.size), np.int64)
    np.add.at(counts, (np.arange(values.size) * blocks // values.size, columns), 1)
    seen = counts.any(axis=0)
    return _EDGES[seen], counts[:, seen]


def row(kind: str, n: int, blocks: int, q: float, sims: int, seed: int) -> tuple[float, ...]:
    """Shares held and open, and the mean relative width, of ``sims`` simulated runs."""
    rng = np.random.default_rng([seed, n, blocks])
    true = truth(kind, rng, q)
    found = [_once(KINDS[kind](rng, n), blocks, q, true) for _ in range(sims)]
    held, is_open, widths = zip(*found, strict=True)
    return float(np.mean(held)), float(np.mean(is_open)), float(np.nanmean([*widths, np.nan]))


def _once(values: Floats, blocks: int, q: float, true: float) -> tuple[bool, bool, float]:
    edges, counts = blocked(values, blocks)
    low, high = quantile_interval(edges, counts, q)
    # A bucket's edge stands for all values in it.
    held = (low is None or low <= true * 1.003) and (high is None or true <= high)
    if low is None or high is None:
        return held, True, math.nan
    plain = quantile_interval(edges, counts.sum(axis=0, keepdims=True), q)
    return held, False, _width(Interval(low, high)) / _width(plain)


def _width(interval: Interval) -> float:
    low, high = interval
    return math.log(high / low) if low and high and high > low else math.nan


def table(sims: int, seed: int) -> Iterator[str]:
    """The printed table, a line at a time."""
    yield f"{'':20} {'n':>7} {'blocks':>6}" + "".join(
        f"   p{100 * q:g} held  open  width" for q in QUANTILES
    )
    for kind in KINDS:
        for n, blocks in SIZES:
            cells = [row(kind, n, blocks, q, sims, seed) for q in QUANTILES]
            yield f"{kind:20} {n:7} {blocks:6}" + "".join(
                f"  {100 * held:7.1f} % {100 * opened:4.0f} %   {width:4.2f}"
                for held, opened, width in cells
            )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sims", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2025)
    given = parser.parse_args()
    for line in table(given.sims, given.seed):
        print(line, flush=True)


if __name__ == "__main__":
    main()
