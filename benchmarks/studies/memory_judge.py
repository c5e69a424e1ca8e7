"""How often the memory judge cries wolf, and how small a leak it finds: simulated and seeded.

    python -m benchmarks.studies.memory_judge [--traces 1500] [--leaks 200] [--seed 2025]
                                              [--only leak] [--json PATH]

Each row is one kind of trace over durations of 10 minutes to 48 hours. `growing` is the share
of traces called a leak, with its exact 95 % interval (Clopper and Pearson); `above` and `below`
are the shares for which growth over (under) the shipped limit of 10 MB/h is proven, the rest is
undecided (INCONCLUSIVE). Lines of "unseen" traces are ``memory_unseen.py``'s, their leaks held
against a third of their own pace, which none may be said to keep. What it printed stands in
docs/statistics.md, "Memory".

A straight slope of 3 standard errors, true or measured, is proven to rise and not called a leak: a
filling of that size looks the same. Growth leads over what levels off by 0.18 of the squared
number of standard errors, so one of 12 is found; see docs/statistics.md.

A leak that is not called growing is undecided, not passed, where the limit of 10 MB/h lies within
the interval of its slope. Bent leaks draw a total of 30, 100 or 400 MB, which a straight leak is
found with at either noise.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.memory.judge import MemoryClass, judge_memory
from analysis.statistics.distributions import share_interval
from analysis.words.units import BYTES_PER_MB
from benchmarks.studies.memory_traces import (
    DURATIONS_S,
    GROWTHS,
    HOUR_S,
    SCENARIOS,
    Floats,
    bent_leak,
    times,
)
from benchmarks.studies.memory_unseen import LEAKS, NO_LEAKS, SLOWING, Shape, leak, no_leak

LIMIT_MB = 2048.0
LIMIT_MB_PER_H = 10.0
# Totals that a straight leak of an hour is found with, at the noise beside them.
BENT_TOTALS_MB = (30.0, 100.0, 400.0)
BENT_SIGMAS_MB = (0.5, 5.0)
BENT_DURATIONS_S = (HOUR_S, 8 * HOUR_S)
# A rule that a leak is "well above".
ALLOWED_SHARE = 1 / 3

Draw = Callable[[np.random.Generator], tuple[Floats, Floats, float]]
"""Times in s, memory in MB, and a limit in MB/h."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: so many traces of one kind; of mixed durations where none is said."""

    name: str
    draw: Draw
    traces: int
    duration_s: float | None = None

    @property
    def hours(self) -> str:
        """How long its traces are, h."""
        return "mixed" if self.duration_s is None else f"{self.duration_s / HOUR_S:.2f}"


def rates(line: Line, seed: int) -> dict[str, float]:
    """Shares of verdicts over the traces of a line."""
    rng = np.random.default_rng([seed, *line.name.encode(), int(line.duration_s or 0)])
    growing = above = below = 0
    for _ in range(line.traces):
        t, mb, limit_mb_per_h = line.draw(rng)
        verdict = judge_memory(t, mb * BYTES_PER_MB, limit_bytes=LIMIT_MB * BYTES_PER_MB)
        decided = verdict.decides(limit_mb_per_h)
        growing += verdict.class_ is MemoryClass.GROWING
        above += decided is True
        below += decided is False
    sure = share_interval(growing, line.traces)
    return {
        "growing": growing / line.traces,
        "growing_low": sure.low,
        "growing_high": sure.high,
        "above": above / line.traces,
        "below": below / line.traces,
    }


def scenario(trace: Callable[[np.random.Generator, Floats], Floats], duration_s: float) -> Draw:
    """A scenario over a duration, against the shipped limit."""
    t = times(duration_s)
    return lambda rng: (t, trace(rng, t), LIMIT_MB_PER_H)


def bent(growth: str, sigma_mb: float, dips: int) -> Callable[..., Floats]:
    """Leaks of one shape, of a total drawn from those above."""

    def trace(rng: np.random.Generator, t: Floats) -> Floats:
        return bent_leak(rng, t, growth, float(rng.choice(BENT_TOTALS_MB)), sigma_mb, dips)

    return trace


def unseen_leak(shape: Shape, dips: int) -> Draw:
    """A leak, against a third of its pace."""

    def draw(rng: np.random.Generator) -> tuple[Floats, Floats, float]:
        (t, mb), mb_per_h = leak(rng, shape, dips)
        return t, mb, ALLOWED_SHARE * mb_per_h

    return draw


def unseen_no_leak(name: str) -> Draw:
    """What does not grow, against the shipped limit."""
    return lambda rng: (*no_leak(rng, name), LIMIT_MB_PER_H)


def lines(traces: int, leaks: int) -> Iterator[Line]:
    """Every line of the table."""
    for name, trace in SCENARIOS.items():
        yield from (Line(name, scenario(trace, s), traces, s) for s in DURATIONS_S)
    for growth in GROWTHS:
        for sigma_mb in BENT_SIGMAS_MB:
            for dips in (0, 1, 2):
                name = f"leak like {growth}, {sigma_mb:g} MB, {dips} dips"
                trace = bent(growth, sigma_mb, dips)
                yield from (Line(name, scenario(trace, s), leaks, s) for s in BENT_DURATIONS_S)
    for name in NO_LEAKS:
        yield Line(f"unseen: {name}", unseen_no_leak(name), traces)
    for name, shape in (LEAKS | SLOWING).items():
        for dips in (0, 1, 2):
            yield Line(f"unseen leak: {name}, {dips} dips", unseen_leak(shape, dips), leaks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=1500)
    parser.add_argument("--leaks", type=int, default=200, help="traces of each bent leak")
    parser.add_argument("--seed", type=int, default=2025)
    parser.add_argument("--only", default="", help="lines whose name contains this")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = []
    print(f"{'trace':42}{'hours':>6}{'growing':>9}{'95 % interval':>18}{'above':>7}{'below':>7}")
    for line in lines(options.traces, options.leaks):
        if options.only not in line.name:
            continue
        found = rates(line, options.seed)
        rows.append({"trace": line.name, "duration_s": line.duration_s, **found})
        growing, low, high, above, below = (100 * share for share in found.values())
        print(
            f"{line.name:42}{line.hours:>6}{growing:9.2f}{low:9.2f} to{high:6.2f}"
            f"{above:7.1f}{below:7.1f}",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
