"""Whether a change of a cost that a gate says it could have seen is seen by another gate.

For each line pairs of simulated cost rows: one of equal arms names the change, in another, drawn
anew, head costs that much more. Seen is a FAIL of the row, one of 21 of the gate. Promised is 80 %.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from math import sqrt
from types import MappingProxyType
from typing import Final

import numpy as np

from analysis.limits.regression import CostSettings
from analysis.paired.cost_rows import Measured, compared
from analysis.paired.costs import TOLERATED, UNSEEN
from analysis.regression.rows import Stakes
from analysis.statistics.looks import LookPlan, balanced_order
from analysis.words.values import Outcome

PLAN: Final = LookPlan((24, 40))
SETTINGS: Final = CostSettings()
ROWS: Final = 21
Draw = Callable[[np.random.Generator, int, float], Measured]


def errors(requests: int, rate: float, outages: float = 0.0, share: float = 0.0) -> Draw:
    """Requests per slot; a steady rate, and outages that take a share of a slot's requests."""

    def draw(rng: np.random.Generator, rounds: int, more: float) -> Measured:
        hit = rng.random((2, rounds)) < outages
        chance = np.where(hit, share, rate) + np.array([[0.0], [more / 100]])
        bad = rng.binomial(requests, np.minimum(chance, 1.0))
        limits = SETTINGS.error_rate, TOLERATED * SETTINGS.error_rate
        one = 100 / requests / rounds
        grain = 0.0 if bad.sum() >= 10 else UNSEEN * one
        return Measured("browse", "error_rate", "%", 100 * bad / requests, *limits, grain, one)

    return draw


def cpu(spread: float) -> Draw:
    """Lognormal slots."""

    def draw(rng: np.random.Generator, rounds: int, more: float) -> Measured:
        us = np.exp(rng.normal(0.0, spread, (2, rounds)) + np.array([[0.0], [more]]))
        limits = np.log1p(SETTINGS.cpu), np.log1p(TOLERATED * SETTINGS.cpu)
        return Measured("cart-service", "cpu_per_request", "µs", us, *limits, is_ratio=True)

    return draw


def pool(bursts: float) -> Draw:
    """The most of eight samples of a slot, in bursts of three times the connections."""

    def draw(rng: np.random.Generator, rounds: int, more: float) -> Measured:
        mean = (60 + np.array([[0.0], [more]])) * (1 + 2 * (rng.random((2, rounds)) < bursts))
        most = rng.poisson(mean[..., np.newaxis], (2, rounds, 8)).max(axis=2).astype(np.float64)
        least = max(SETTINGS.pool_connections, SETTINGS.pool * float(most[0].mean()))
        return Measured("cart p/0", "pool_high_water", "connections", most, least, 2 * least)

    return draw


KINDS: Final = MappingProxyType(
    {
        "errors, none of 75 a slot": errors(75, 0.0),
        "errors, 0.05 % of 428": errors(428, 0.0005),
        "errors, 0.5 % of 428": errors(428, 0.005),
        "outages of 30 % in 1 slot of 10": errors(428, 0.0005, 0.1, 0.3),
        "hiccups of 2 % in every 2nd slot": errors(428, 0.0, 0.5, 0.02),
        "CPU, slots of 3 %": cpu(0.03),
        "CPU, slots of 20 %": cpu(0.20),
        "pool, bursts in 1 slot of 10": pool(0.1),
    }
)


def main() -> None:
    """Parse, simulate, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gates", type=int, default=200, help="pairs per line (default 200)")
    parser.add_argument("--seed", type=int, default=2027)
    parser.add_argument("--rounds", type=int, choices=PLAN.rounds, default=PLAN.rounds[-1])
    arguments = parser.parse_args()
    print(f"{'row':32} rounds {'gates':>5} seen %   error  could have seen")
    for name, draw in KINDS.items():
        said, seen = pairs(draw, arguments.rounds, arguments.gates, arguments.seed)
        rate = float(np.mean(seen))
        error = sqrt(rate * (1 - rate) / len(seen))
        print(
            f"{name:32} {arguments.rounds:6} {len(seen):5} {100 * rate:6.1f} {100 * error:7.1f}"
            f"  {np.mean(said):.3g} ± {np.std(said):.2g}",
            flush=True,
        )


def pairs(draw: Draw, rounds: int, gates: int, seed: int) -> tuple[list[float], list[bool]]:
    """What each gate names (log ratio or unit of the row), and whether another one sees it."""
    rng = np.random.default_rng(seed)
    stakes = Stakes.at(PLAN, rounds, SETTINGS, ROWS)
    order = np.array(balanced_order(PLAN, seed))[:rounds]
    stretches, coarse = PLAN.stretches(rounds), replace(stakes, alpha=1.0, tests=1)
    equal = compared([draw(rng, rounds, 0.0) for _ in range(gates)], order, stretches, 0, coarse)
    said = [replace(cost, stakes=stakes).smallest_detectable for cost in equal]
    slower = [draw(rng, rounds, change) for change in said]
    found = compared(slower, order, stretches, 0, stakes)
    rows = (replace(cost, p_holm=min(1.0, ROWS * cost.p_value)) for cost in found)
    return said, [row.verdict is Outcome.FAIL for row in rows]


if __name__ == "__main__":
    main()
