"""How often the memory judge cries wolf, and how small a leak it finds: simulated and seeded.

    python -m benchmarks.memory_judge [--traces 1500] [--bent 200] [--seed 2025] [--only leak]
                                      [--json PATH]

Each row is one kind of trace over durations of 10 minutes to 48 hours. `growing` is the share
of traces called a leak, with its exact 95 % interval (Clopper and Pearson); `above` and `below`
are the shares for which growth over (under) the shipped limit of 10 MB/h is proven, the rest is
undecided (INCONCLUSIVE). What it printed stands in docs/statistics.md, "Memory".

What "95 % detection of a slope at 3 times its own standard error" can mean:

- A slope *measured* at 3 standard errors (the row "measured"), which is where standard errors
  belong: 95 % and more are found. The rest is lost to correlation and levelling seen by chance.
- A *true* slope of 3 true standard errors. Not with 1 % false alarms on flat noise: by Neyman and
  Pearson the most powerful test finds P(Z > 2.33 - 3) = 75 % of them, and needs 4 standard errors
  for 95 %.

A leak that is not called growing is undecided, not passed, where the limit of 10 MB/h lies within
the interval of its slope. Bent leaks draw a total of 30, 100 or 400 MB, which a straight leak is
found with at either noise.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from analysis.memory.judge import MemoryClass, judge_memory
from analysis.statistics.distributions import share_interval
from analysis.units import BYTES_PER_MB
from benchmarks.memory_traces import (
    DURATIONS_S,
    GROWTHS,
    HOUR_S,
    SCENARIOS,
    Floats,
    bent_leak,
    times,
)

LIMIT_MB = 2048.0
LIMIT_MB_PER_H = 10.0


# Totals that a straight leak of an hour is found with, at the noise beside them.
BENT_TOTALS_MB = (30.0, 100.0, 400.0)
BENT_SIGMAS_MB = (0.5, 5.0)
BENT_DURATIONS_S = (HOUR_S, 8 * HOUR_S)
Draw = Callable[[np.random.Generator, Floats], Floats]


def rates(name: str, draw: Draw, duration_s: float, traces: int, seed: int) -> dict[str, float]:
    """Shares of verdicts over so many traces of one scenario and duration."""
    rng = np.random.default_rng([seed, len(name), *name.encode(), int(duration_s)])
    t = times(duration_s)
    growing = above = below = 0
    for _ in range(traces):
        verdict = judge_memory(t, draw(rng, t) * BYTES_PER_MB, limit_bytes=LIMIT_MB * BYTES_PER_MB)
        decided = verdict.decides(LIMIT_MB_PER_H)
        growing += verdict.class_ is MemoryClass.GROWING
        above += decided is True
        below += decided is False
    sure = share_interval(growing, traces)
    return {
        "growing": growing / traces,
        "growing_low": sure.low,
        "growing_high": sure.high,
        "above": above / traces,
        "below": below / traces,
    }


def bent(growth: str, sigma_mb: float, dips: int) -> Draw:
    """Leaks of one shape, of a total drawn from those above."""

    def draw(rng: np.random.Generator, t: Floats) -> Floats:
        return bent_leak(rng, t, growth, float(rng.choice(BENT_TOTALS_MB)), sigma_mb, dips)

    return draw


def lines() -> list[tuple[str, Draw, float]]:
    """Every line of the table: name, traces, duration in s."""
    told = [(name, draw, s) for name, draw in SCENARIOS.items() for s in DURATIONS_S]
    for growth in GROWTHS:
        for sigma_mb in BENT_SIGMAS_MB:
            for dips in (0, 1, 2):
                name = f"leak like {growth}, {sigma_mb:g} MB, {dips} dips"
                told += [(name, bent(growth, sigma_mb, dips), s) for s in BENT_DURATIONS_S]
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=1500)
    parser.add_argument("--bent", type=int, default=200, help="traces of each bent leak")
    parser.add_argument("--seed", type=int, default=2025)
    parser.add_argument("--only", default="", help="scenarios whose name contains this")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = []
    print(f"{'trace':42}{'hours':>6}{'growing':>9}{'95 % interval':>18}{'above':>7}{'below':>7}")
    for name, draw, duration_s in lines():
        if options.only not in name:
            continue
        traces = options.bent if name.startswith("leak like") else options.traces
        found = rates(name, draw, duration_s, traces, options.seed)
        rows.append({"trace": name, "duration_s": duration_s, **found})
        growing, low, high, above, below = (100 * share for share in found.values())
        print(
            f"{name:42}{duration_s / HOUR_S:6.2f}{growing:9.2f}{low:9.2f} to{high:6.2f}"
            f"{above:7.1f}{below:7.1f}",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
