"""How often `loadgate compare RUN` is wrong: simulated runs, judged by its own judge.

Runs differ by a factor that the host gives to all rows alike and one that each row has by itself.
Prints one line per kind; the same seed gives the same figures.
"""

from __future__ import annotations

import argparse
from itertools import product

import numpy as np

from analysis.compare.against_baselines import BaselineRules, compare_with_baselines
from analysis.compare.baseline import Baseline, Figure
from analysis.regression.data import RegressionSettings
from analysis.values import Outcome
from recording.flow import STEPS

SUBJECTS = (*STEPS, "journey")
METRICS = {"p95": 250.0, "p99": 400.0}
RULES = BaselineRules(RegressionSettings(), 0.10)
KINDS = ("shared", "own")


def runs(count: int, spread: float, kind: str, rng: np.random.Generator) -> list[Baseline]:
    """Runs whose log percentiles have standard deviation `spread` between runs."""
    rows = (len(SUBJECTS), len(METRICS))
    size = (count, *(rows if kind == "own" else (1, 1)))
    factors = np.broadcast_to(np.exp(rng.normal(0.0, spread, size)), (count, *rows))
    # A row of exactly equal baselines would be refused as copies: leave a trace of its own.
    return [_run(i, row * np.exp(rng.normal(0.0, 1e-3, rows))) for i, row in enumerate(factors)]


def _run(number: int, factors: np.ndarray) -> Baseline:
    figures = [
        Figure(
            subject=subject,
            metric=metric,
            value=ms * float(factors[i, j]),
            unit="ms",
            n=20_000,
        )
        for i, subject in enumerate(SUBJECTS)
        for j, (metric, ms) in enumerate(METRICS.items())
    ]
    return Baseline(
        run_id=f"r{number}",
        profile="simulated",
        digest="simulated",
        host_class="simulated",
        host={},
        started_utc="",
        measured_s=150.0,
        load={},
        services={},
        figures=tuple(figures),
    )


def slower(run: Baseline, factor: float) -> Baseline:
    """The same run with every percentile of charge slower."""
    figures = (
        f.model_copy(update={"value": f.value * factor}) if f.subject == "charge" else f
        for f in run.figures
    )
    return run.model_copy(update={"figures": tuple(figures)})


def main() -> None:
    """Parse, simulate, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="runs judged per line")
    parser.add_argument("--seed", type=int, default=2026)
    arguments = parser.parse_args()
    print("between runs  spread %   k  charge is   FAIL %  PASS %  INCONCLUSIVE %")
    for kind, spread, k, factor in product(KINDS, (0.01, 0.03), (5, 10, 20), (1.0, 1.1, 1.2)):
        rng = np.random.default_rng([arguments.seed, k, round(1000 * spread), KINDS.index(kind)])
        counts = dict.fromkeys(Outcome, 0)
        for _ in range(arguments.runs):
            *stored, run = runs(k + 1, spread, kind, rng)
            verdict = compare_with_baselines(slower(run, factor), stored, RULES, "").verdict
            counts[verdict] += 1
        share = {outcome: 100 * n / arguments.runs for outcome, n in counts.items()}
        change = f"{100 * (factor - 1):+.0f} %" if factor > 1 else "equal"
        print(
            f"{kind:12}  {100 * spread:8.0f}  {k:2}  {change:9}  {share[Outcome.FAIL]:7.1f}"
            f" {share[Outcome.PASS]:7.1f}  {share[Outcome.INCONCLUSIVE]:14.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
