"""How often `loadgate compare RUN` is wrong: simulated runs, judged by its own judge.

Runs differ by what the host does to all rows alike ("shared") or to each row by itself ("own"),
and by what they drew: a percentile of so many requests has an error, which each run states in its
interval. "draws" differ by that alone; of "twins" the stored runs drew the same, and the one to
judge did not. Prints one line per kind; the same seed gives the same figures.
"""

from __future__ import annotations

import argparse
from itertools import product

import numpy as np

from analysis.compare.against_baselines import compare_with_baselines
from analysis.compare.baseline import Baseline, Figure
from analysis.limits.regression import GateSettings
from analysis.words.values import Outcome
from recording.flow import STEPS

SUBJECTS = (*STEPS, "journey")
METRICS = {"p95": 250.0, "p99": 400.0}
RULES = GateSettings()
KINDS = ("shared", "own", "draws", "twins")
SPREADS = (0.01, 0.03)
OF_DRAWS = 0.003
"""Standard error of a log percentile within a run where the host is what differs."""
NEARLY = 1 / 20
"""Of their error, by which runs that drew the same still differ (1/65 to 1/4 were seen)."""
Z95 = 1.959964


def runs(count: int, spread: float, kind: str, rng: np.random.Generator) -> list[Baseline]:
    """Runs whose log percentiles have standard deviation `spread` between runs.

    Of "twins" all but the last drew the same.
    """
    rows = (len(SUBJECTS), len(METRICS))
    by_host = kind in ("shared", "own")
    host = rng.normal(0.0, spread, (count, *(rows if kind == "own" else (1, 1))))
    error = OF_DRAWS if by_host else spread
    drawn = rng.normal(0.0, error, (count, *rows))
    if kind == "twins":
        drawn[:-1] = drawn[0] + NEARLY * drawn[:-1]
    logs = drawn + host if by_host else drawn
    found = [_run(i, row, error) for i, row in enumerate(np.exp(logs))]
    twins = (run.model_copy(update={"seeds": {"load": 0}}) for run in found[:-1])
    return [*twins, found[-1]] if kind == "twins" else found


def _run(number: int, factors: np.ndarray, error: float) -> Baseline:
    reach = float(np.exp(Z95 * error))
    figures = [
        Figure(
            subject=subject,
            metric=metric,
            value=ms * float(factors[i, j]),
            ci_low=ms * float(factors[i, j]) / reach,
            ci_high=ms * float(factors[i, j]) * reach,
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
        seeds={"load": number},
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
    for kind, spread, k, factor in product(KINDS, SPREADS, (5, 10, 20), (1.0, 1.1, 1.2)):
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
