"""How often a 95 % interval of a percentile holds the true value: simulated and seeded.

    python -m benchmarks.studies.percentile_coverage [--sims 1000] [--seed 2025] [--only stalls]

Latencies are lognormal (sigma 0.6), cut into blocks of time as the judge cuts a run. The level of
``blocks`` wanders by 10 % from second to second (AR(1)); ``requests`` resemble each the one before;
``stalls`` stop everybody for half a second every 20 s, give or take 5 s; ``bursts`` slow everybody
down twentyfold for two seconds, at random moments two minutes apart on average. ``held`` has its
standard error and counts an open side as holding; ``past`` are runs whose true value lies above the
one-sided 95 % bound, the judge's, which may be 5 %; ``open`` those without one of their bounds;
``width`` is that of log latency over the width of an interval for independent samples. ``release``
is how often the judge decides charge's p99 rule in a healthy run of that profile. What is printed
stands in docs/statistics.md.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter
from scipy.special import ndtri

from analysis.evidence.reading import MAX_BLOCKS
from analysis.evidence.requests import Sample
from analysis.limits.rules import parse_rule
from analysis.metrics.decide import decided
from analysis.metrics.latency import ONE_SIDED, straddles
from analysis.statistics.percentiles import Interval, quantile_interval
from benchmarks.figures.appendix_a import LATENCY
from mock_services.kit.quantiles import LatencySampler

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Make = Callable[[np.random.Generator, int, int], Floats]

SIGMA = 0.6
SPREAD = 0.1
STALL_EVERY_S, STALL_S = 20.0, 0.5
BURST_EVERY_S, BURST_S = 120.0, 2.0
QUANTILES = (0.95, 0.99)
RUNS = ((60, 10), (60, 50), (60, 300), (180, 10), (180, 50), (180, 300), (600, 10))
"""Seconds, and requests per second."""
RELEASE, RELEASE_S, CHARGES_PER_S = "release", 180, 54
"""The measured phase of profile ``release``, and what its 800 users charge."""
# Values apart by 0.3 %, as in a histogram of three digits.
_EDGES = np.exp(np.arange(-3.0, 5.0, 0.003))


def requests(rng: np.random.Generator, seconds: int, per_s: int, phi: float) -> Floats:
    """Requests that each resemble the one before."""
    return np.asarray(np.exp(SIGMA * _ar1(rng, seconds * per_s, phi)))


def blocks(rng: np.random.Generator, seconds: int, per_s: int, phi: float) -> Floats:
    """Independent requests of a level that wanders from second to second."""
    level = np.repeat(SPREAD * _ar1(rng, seconds, phi), per_s)
    return np.asarray(np.exp(SIGMA * rng.normal(size=level.size) + level))


def stalls(rng: np.random.Generator, seconds: int, per_s: int) -> Floats:
    """Everybody waits until a stall is over."""
    t_s = np.arange(seconds * per_s) / per_s
    values = np.exp(SIGMA * rng.normal(size=t_s.size))
    starts = np.arange(-STALL_EVERY_S * (1 + rng.random()), seconds + STALL_EVERY_S, STALL_EVERY_S)
    for start in starts + rng.uniform(-STALL_EVERY_S / 4, STALL_EVERY_S / 4, starts.size):
        first, end = np.searchsorted(t_s, (start, start + STALL_S))
        values[first:end] += 10 * (1 - (t_s[first:end] - start) / STALL_S)
    return np.asarray(values)


def bursts(rng: np.random.Generator, seconds: int, per_s: int) -> Floats:
    """Rare and short, and more than the slowest 1 %: of two minutes the whole tail, or none."""
    t_s = np.arange(seconds * per_s) / per_s
    values = np.exp(SIGMA / 2 * rng.normal(size=t_s.size))
    begun = rng.uniform(-BURST_S, seconds, rng.poisson((seconds + BURST_S) / BURST_EVERY_S))
    for first, end in np.searchsorted(t_s, np.column_stack([begun, begun + BURST_S])):
        values[first:end] *= 20
    return np.asarray(values)


def _ar1(rng: np.random.Generator, n: int, phi: float) -> Floats:
    """Of unit variance, stationary from its first value."""
    shocks = rng.normal(size=n) * math.sqrt(1 - phi**2)
    shocks[0] /= math.sqrt(1 - phi**2)
    return np.asarray(lfilter([1.0], [1.0, -phi], shocks))


KINDS: dict[str, Make] = {
    "independent": partial(requests, phi=0.0),
    **{f"blocks {phi}": partial(blocks, phi=phi) for phi in (0.5, 0.8, 0.9, 0.95)},
    "requests 0.95": partial(requests, phi=0.95),
    "stalls": stalls,
    "bursts": bursts,
}


def truth(kind: str, rng: np.random.Generator, q: float) -> float:
    """The true quantile; that of stalls and bursts from eight million requests."""
    if kind in ("stalls", "bursts"):
        return float(np.quantile(KINDS[kind](rng, 40_000, 200), q))
    sigma = math.hypot(SIGMA, SPREAD) if kind.startswith("blocks") else SIGMA
    return math.exp(sigma * float(ndtri(q)))


def blocked(values: Floats, seconds: int) -> tuple[Floats, Ints]:
    """Values of a histogram, and counts by block of time."""
    rows = min(seconds, MAX_BLOCKS)
    places = np.arange(values.size) * seconds // values.size * rows // seconds
    cells = places * _EDGES.size + np.searchsorted(_EDGES, values)
    counts = np.bincount(cells, minlength=rows * _EDGES.size).reshape(rows, _EDGES.size)
    seen = counts.any(axis=0)
    return _EDGES[seen], counts[:, seen]


class Found(NamedTuple):
    """What became of one simulated run."""

    held: bool
    past: bool
    is_open: bool
    width: float


def row(kind: str, seconds: int, per_s: int, sims: int, seed: int) -> str:
    """A line of the table."""
    rng = np.random.default_rng([seed, seconds, per_s])
    true = [truth(kind, rng, q) for q in QUANTILES]
    found: list[list[Found]] = [[] for _ in QUANTILES]
    for _ in range(sims):
        run = blocked(KINDS[kind](rng, seconds, per_s), seconds)
        for i, q in enumerate(QUANTILES):
            found[i].append(_once(*run, q, true[i]))
    cells = "".join(_cells(each) for each in found)
    return f"{kind:14} {seconds:5} {per_s:5} {sims:5}{cells}"


def _cells(found: list[Found]) -> str:
    held, past, is_open, widths = (np.array(column, float) for column in zip(*found, strict=True))
    error = math.sqrt(held.mean() * (1 - held.mean()) / held.size)
    closed = widths[~np.isnan(widths)]
    width = closed.mean() if closed.size else math.nan
    return (
        f"  {100 * held.mean():6.1f} ± {100 * error:3.1f} {100 * past.mean():5.1f}"
        f" {100 * is_open.mean():4.0f} {width:6.2f}"
    )


def _once(values: Floats, counts: Ints, q: float, true: float) -> Found:
    low, high = quantile_interval(values, counts, q)
    bound = quantile_interval(values, counts, q, ONE_SIDED).high
    # A bucket's edge stands for all values in it.
    held = (low is None or low <= true * 1.003) and (high is None or true <= high)
    past = bound is not None and bound < true
    if low is None or high is None:
        return Found(held, past, True, math.nan)
    plain = quantile_interval(values, counts.sum(axis=0, keepdims=True), q)
    return Found(held, past, False, _width(Interval(low, high)) / _width(plain))


def _width(interval: Interval) -> float:
    low, high = interval
    return math.log(high / low) if low and high and high > low else math.nan


def release(sims: int, seed: int) -> str:
    """What the judge says of charge's p99, published as 890 ms, in runs of independent requests."""
    rule, sampler = parse_rule("p99 < 1000 ms"), LatencySampler(seed, "charge", LATENCY["charge"])
    said = []
    for _ in range(sims):
        values_s, counts = blocked(sampler.batch_s(RELEASE_S * CHARGES_PER_S), RELEASE_S)
        never_ended = np.zeros(values_s.size, np.int64)
        sample = Sample("charge", 1e6 * values_s, counts, {"ok": int(counts.sum())}, never_ended)
        bounded = sample.quantile("p99", ONE_SIDED)
        outcome, _ = decided(rule, sample.measure("p99"), (straddles(rule, bounded, RELEASE_S),))
        said.append(outcome.value)
    shares = "  ".join(f"{word} {100 * said.count(word) / sims:.1f} %" for word in sorted({*said}))
    return f"release, charge p99 < 1000 ms, {sims} runs: {shares}"


def table(kinds: list[str], sims: int, seed: int) -> Iterator[str]:
    """The printed table, a line at a time."""
    heads = "".join(f"   p{100 * q:g} held %  past open  width" for q in QUANTILES)
    if not kinds:
        return
    yield f"{'':14} {'s':>5} {'req/s':>5} {'runs':>5}{heads}"
    for kind in kinds:
        for seconds, per_s in RUNS:
            yield row(kind, seconds, per_s, sims, seed)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sims", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2025)
    parser.add_argument("--only", action="append", choices=(*KINDS, RELEASE))
    given = parser.parse_args()
    chosen = given.only or [*KINDS, RELEASE]
    for line in table([kind for kind in chosen if kind in KINDS], given.sims, given.seed):
        print(line, flush=True)
    if RELEASE in chosen:
        print(release(given.sims, given.seed))


if __name__ == "__main__":
    main()
