"""How often `loadgate trend` finds a change where there is none, and where there is one.

    python -m benchmarks.studies.change_points [--series 400]

Series of runs without a change: independent ones, whatever their distribution, and some that
remember the run before. With one: a step in the middle, in standard deviations of a run.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

import numpy as np

from analysis.trends.change_points import change_points
from recording.arrays import Floats

LENGTHS = (12, 16, 24, 40, 60)
STEPS_SD = (1.0, 1.5, 2.0, 3.0, 5.0)
NEAR = 2
"""Runs by which a change that was found may be off."""
Draw = Callable[[np.random.Generator, int], Floats]


def _remembering(rng: np.random.Generator, n: int, share: float) -> Floats:
    noise = rng.normal(size=n + 50)
    out = np.empty_like(noise)
    out[0] = noise[0]
    for i in range(1, len(noise)):
        out[i] = share * out[i - 1] + noise[i]
    return out[50:]


QUIET: Mapping[str, Draw] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "lognormal": lambda rng, n: rng.lognormal(sigma=1.0, size=n),
    "Student's t, 2 degrees": lambda rng, n: rng.standard_t(2, size=n),
    "whole numbers, many ties": lambda rng, n: rng.poisson(1.0, size=n).astype(float),
    "AR(1) 0.3": lambda rng, n: _remembering(rng, n, 0.3),
    "AR(1) 0.6": lambda rng, n: _remembering(rng, n, 0.6),
}


def false_alarms(draw: Draw, n: int, series: int, rng: np.random.Generator) -> float:
    """Share of series in which a change is found."""
    return sum(bool(change_points(draw(rng, n))) for _ in range(series)) / series


def found(step_sd: float, n: int, series: int, rng: np.random.Generator) -> float:
    """Share of series whose one step, in the middle, is found where it is."""
    hits = 0
    for _ in range(series):
        values = rng.normal(size=n)
        values[n // 2 :] += step_sd
        hits += any(abs(at - n // 2) <= NEAR for at in change_points(values))
    return hits / series


def main() -> None:
    """Both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=400)
    parser.add_argument("--seed", type=int, default=20261128)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    print(f"{'no change, found in %':28}" + "".join(f"{n:>4} runs" for n in LENGTHS))
    for name, draw in QUIET.items():
        shares = [100 * false_alarms(draw, n, given.series, rng) for n in LENGTHS]
        print(f"{name:28}" + "".join(f"{share:9.2f}" for share in shares), flush=True)
    print(f"{'a step, found in %':28}")
    for step in STEPS_SD:
        shares = [100 * found(step, n, given.series // 2, rng) for n in LENGTHS]
        print(f"{step:g} standard deviations".ljust(28) + "".join(f"{s:9.1f}" for s in shares))


if __name__ == "__main__":
    main()
