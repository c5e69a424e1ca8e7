"""How often the regression gate is wrong: simulated gates, judged by the gate's own judge.

Prints one table for each claim of docs/statistics.md; the same seed gives the same figures.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import asdict, astuple, dataclass, replace
from fnmatch import fnmatch
from functools import partial, reduce
from itertools import product
from operator import add
from pathlib import Path
from typing import Final

import numpy as np
from scipy.optimize import curve_fit
from scipy.special import ndtr, ndtri
from scipy.stats import beta

from analysis.calibration.simulated import (
    HOSTS,
    MEDIAN_MS,
    SIGMA,
    Injection,
    Shape,
    Where,
    simulate,
)
from analysis.limits.regression import RegressionSettings
from analysis.regression.data import GateData
from analysis.regression.judge import GateResult, judge_looks
from analysis.statistics.looks import LookPlan
from analysis.words.values import Outcome
from benchmarks.studies.noisy_hosts import NOISY_HOSTS, on_grid

PLAN: Final = LookPlan((24, 40))
SETTINGS: Final = RegressionSettings()
ALL_HOSTS: Final = {**HOSTS, **NOISY_HOSTS}
SIZES: Final = (1, 7, 20)
WHERE: Final[tuple[Where, ...]] = ("all", "tail")
BLOCK: Final = 25  # gates a process takes at a time
# The error rate the gate promises; what SETTINGS.alpha spends is part of it.
PROMISED: Final = 0.01
POWER: Final = 0.80


@dataclass(frozen=True, slots=True)
class Cell:
    """One line of a table: many gates of one kind.

    With `grid_ms` latencies around `median_ms` are seen on that grid.
    """

    table: str
    host: str
    shape: Shape
    gates: int
    injection: Injection | None = None
    median_ms: float = MEDIAN_MS
    grid_ms: float = 0.0

    @property
    def change(self) -> str:
        """What is different in head, in words."""
        grid = f", {self.grid_ms:g} ms grid" if self.grid_ms else ""
        return f"{self._change}{grid}"

    @property
    def _change(self) -> str:
        if self.injection is None:
            return "nothing"
        if self.grid_ms:
            return f"{100 * (self.injection.factor - 1):+.0f} %"
        percent = f"{100 * (self.injection.factor - 1):+.0f} %"
        which = len(self.injection.endpoints)
        return f"{percent} {self.injection.where} of {which} (from e{self.injection.endpoints[0]})"


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts over gates; `rows` and `covered` count the rows whose true ratio is known."""

    gates: int = 0
    fail: int = 0
    passed: int = 0
    blamed: int = 0  # gates that FAIL an endpoint which did not get slower
    rounds: int = 0
    rows: int = 0
    covered: int = 0
    slower: int = 0  # gates that say of such an endpoint that it is slower, FAIL or not

    def __add__(self, other: Tally) -> Tally:
        return Tally(*map(add, astuple(self), astuple(other)))


def main() -> None:
    """Parse, simulate, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a twentieth of the gates")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default 1)")
    parser.add_argument("--seed", type=int, default=2025)
    parser.add_argument("--only", default="*", help="pattern of 'table host endpoints': 'null * 7'")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    figures = []
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for cell in all_cells():
            if fnmatch(f"{cell.table} {cell.host} {cell.shape.endpoints}", arguments.only):
                gates = max(BLOCK, cell.gates // 20) if arguments.quick else cell.gates
                chosen = replace(cell, gates=gates)
                figures.append(figure(chosen, run(pool, chosen, arguments.seed)))
                print_line(figures)
    needed = requests_needed(figures)
    for line in needed:
        print(json.dumps(line))
    if arguments.json:
        text = {"seed": arguments.seed, "settings": asdict(SETTINGS), "plan": PLAN.rounds}
        content = {**text, "cells": figures, "requests_needed": needed}
        arguments.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def all_cells() -> Iterator[Cell]:
    """Every line of every table."""
    for host, size in product(HOSTS, SIZES):
        yield Cell("null", host, Shape(size, 20_000 if size < 20 else 5_000, PLAN), 1000)
    for requests, host in product((1_000, 2_000), ("iid", "steps")):
        yield Cell("thin", host, Shape(7, requests, PLAN), 1000)
    yield from _power_cells()
    yield from _shared_cells()
    yield from _limit_cells()
    yield from _faster_cells()
    yield from _grid_cells()


def _power_cells() -> Iterator[Cell]:
    """True regressions of one endpoint: of all its requests, and of its tail alone."""
    for host in HOSTS:
        sizes = SIZES if host in ("iid", "slot-noise") else (7,)
        for size, factor, where in product(sizes, (1.1, 1.2), WHERE):
            yield Cell("power", host, Shape(size, 20_000, PLAN), 200, Injection(factor, where))


def _shared_cells() -> Iterator[Cell]:
    """What taking the host out could do wrong: hide a common change, or blame a bystander."""
    everything, others = tuple(range(7)), tuple(range(1, 7))
    shape = Shape(7, 20_000, PLAN)
    for host in ("slot-noise", "ar1-0.8"):
        for factor in (1.1, 1.2):
            change = Injection(factor, endpoints=everything)
            yield Cell("shared", host, shape, 200, change)
        for factor in (0.97, 0.8):
            yield Cell("shared", host, shape, 400, Injection(factor, endpoints=others))


def _limit_cells() -> Iterator[Cell]:
    """Power of the p99 row alone, one look, around the information limit."""
    plan = LookPlan(PLAN.rounds[-1:])
    change = Injection(1.1, "tail")
    for size, host, times in product((1, 7), ("iid", "slot-noise"), (0.5, 0.7, 0.9, 1.2, 1.6)):
        per_slot = round(times * information_limit(size, change.factor) / plan.rounds[-1])
        yield Cell("limit", host, Shape(size, per_slot * plan.rounds[-1], plan), 300, change)


def _faster_cells() -> Iterator[Cell]:
    """Six of seven get faster by what a noisy host might do: the seventh is not slower."""
    for host, factor in product(("slot-noise", *NOISY_HOSTS), (0.95, 0.92)):
        change = Injection(factor, endpoints=tuple(range(1, 7)))
        yield Cell("faster", host, Shape(7, 20_000, PLAN), 300, change)


def _grid_cells() -> Iterator[Cell]:
    """Latencies that fall on few values: p99 around 600, 300 and 200 ms, 50 ms apart."""
    for median_ms, factor in product((150.0, 75.0, 50.0), (1.0, 1.1, 1.2)):
        change = Injection(factor) if factor > 1 else None
        shape = Shape(1, 20_000, PLAN)
        yield Cell("grid", "iid", shape, 200, change, median_ms, grid_ms=50.0)


def run(pool: Executor, cell: Cell, seed: int) -> Tally:
    """All gates of a cell, in blocks."""
    blocks = range(0, cell.gates, BLOCK)
    return reduce(add, pool.map(partial(run_block, cell, seed), blocks), Tally())


def run_block(cell: Cell, seed: int, first: int) -> Tally:
    """Gates `first` to `first` + BLOCK of a cell; each has a seed of its own."""
    key = zlib.crc32(f"{cell.table} {cell.host} {cell.shape} {cell.injection}".encode())
    total = Tally()
    for gate in range(first, min(first + BLOCK, cell.gates)):
        draw = int(np.random.SeedSequence([seed, key, gate]).generate_state(1)[0])
        total += tally(cell, judge_looks(_simulated(cell, draw), SETTINGS, cell.shape.plan))
    return total


def _simulated(cell: Cell, draw: int) -> GateData:
    data = simulate(ALL_HOSTS[cell.host], cell.shape, draw, cell.injection)
    return on_grid(data, cell.median_ms, cell.grid_ms) if cell.grid_ms else data


def tally(cell: Cell, result: GateResult) -> Tally:
    """What one gate adds to the counts."""
    changed: set[str] = set()
    factor, where = 1.0, "all"
    if cell.injection:
        changed = {f"e{i}" for i in cell.injection.endpoints}
        factor, where = cell.injection.factor, cell.injection.where
    rows = covered = blamed = slower = 0
    for row in result.rows:
        hit = row.subject in changed
        wronged = not (hit and factor > 1)
        blamed |= wronged and row.verdict is Outcome.FAIL
        slower |= wronged and row.proven
        # A change of the slowest 3 % moves p99 by its factor, and p95 by an unknown part of it.
        known = not (hit and where == "tail" and row.metric != "p99")
        if known and row.judged:
            rows += 1
            covered += row.ci_low <= (factor if hit else 1.0) <= row.ci_high
    return Tally(
        gates=1,
        fail=result.verdict is Outcome.FAIL,
        passed=result.verdict is Outcome.PASS,
        blamed=blamed,
        rounds=result.rounds,
        rows=rows,
        covered=covered,
        slower=slower,
    )


def figure(cell: Cell, counts: Tally) -> dict[str, object]:
    """One line: the cell and its rates, FAIL with its 95 % Clopper-Pearson upper bound."""
    n = counts.gates
    upper = 1.0 if counts.fail == n else float(beta.ppf(0.95, counts.fail + 1, n - counts.fail))
    return {
        "table": cell.table,
        "host": cell.host,
        "endpoints": cell.shape.endpoints,
        "requests": cell.shape.requests,
        "change": cell.change,
        "gates": n,
        "fail": counts.fail / n,
        "fail_at_most": upper,
        "blamed": counts.blamed / n,
        "pass": counts.passed / n,
        "inconclusive": 1 - (counts.fail + counts.passed) / n,
        "coverage": counts.covered / counts.rows if counts.rows else None,
        "mean_rounds": counts.rounds / n,
        "called_slower": counts.slower / n,
    }


COLUMNS: Final = (
    f"{'host':13} {'endp':>4} {'requests':>8} {'head is':24} {'gates':>5} {'FAIL %':>7}"
    f" {'(<=)':>6} {'blamed':>6} {'PASS':>6} {'INCONC':>6} {'cover':>6} {'rounds':>6}"
    f" {'slower':>6}"
)


def print_line(figures: list[dict[str, object]]) -> None:
    """The newest figure, below its table's heading."""
    line = figures[-1]
    if len(figures) == 1 or figures[-2]["table"] != line["table"]:
        print(f"\n{line['table']}\n{COLUMNS}")
    rates = ("fail", "fail_at_most", "blamed", "pass", "inconclusive", "coverage", "called_slower")
    shown = {name: 100 * float(str(line[name] or 0.0)) for name in rates}
    print(
        f"{line['host']:13} {line['endpoints']:4} {line['requests']:8} {line['change']:24}"
        f" {line['gates']:5} {shown['fail']:7.2f} {shown['fail_at_most']:6.2f}"
        f" {shown['blamed']:6.2f} {shown['pass']:6.1f} {shown['inconclusive']:6.1f}"
        f" {shown['coverage']:6.2f} {line['mean_rounds']:6.1f} {shown['called_slower']:6.2f}",
        flush=True,
    )


def information_limit(endpoints: int, ratio: float) -> float:
    """Requests per arm at which a z-test of two p99 estimates reaches POWER, host silent.

    The log of the sample p99 of n lognormals has variance p (1 - p) sigma^2 / (n phi(z)^2)
    (Bahadur 1966); the test has the promised error, shared by all rows of the gate.
    """
    tail, z = 0.01, ndtri(0.99)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    variance = 2 * tail * (1 - tail) * (SIGMA / density) ** 2
    tests = endpoints * len(SETTINGS.metrics)
    critical = -ndtri(PROMISED / tests) + ndtri(POWER)
    return float(variance * (critical / np.log(ratio)) ** 2)


def requests_needed(figures: list[dict[str, object]]) -> list[dict[str, object]]:
    """Requests per arm for POWER on each host of the limit table, and that over the limit."""
    lines: dict[tuple[object, object], list[tuple[float, float]]] = {}
    for line in figures:
        if line["table"] == "limit":
            point = float(str(line["requests"])), float(str(line["fail"]))
            lines.setdefault((line["host"], line["endpoints"]), []).append(point)
    return [
        {
            "host": host,
            "endpoints": endpoints,
            "limit": round(limit := information_limit(int(str(endpoints)), 1.1)),
            "needed": round(needed := _at_power(points, limit)),
            "ratio": round(needed / limit, 3),
        }
        for (host, endpoints), points in lines.items()
    ]


def _at_power(points: list[tuple[float, float]], limit: float) -> float:
    """Where a probit curve in the root of n, the shape of a z-test's power, passes POWER."""
    n, power = np.array(points).T

    def curve(x: np.ndarray, slope: float, start: float) -> np.ndarray:
        return ndtr(slope * np.sqrt(x / limit) - start)

    (slope, start), _ = curve_fit(curve, n, power, p0=(4.0, 3.2))
    return float(limit * ((ndtri(POWER) + start) / slope) ** 2)


if __name__ == "__main__":
    main()
