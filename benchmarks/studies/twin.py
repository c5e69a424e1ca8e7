"""The twin against the truth, Erlang-C and poolsim: 20 random pools, 3 of them also real ones.

    python -m benchmarks.studies.twin [--seed 2025] [--no-real | --only-real]

The twin is told what 60 s of recording say: when connections were asked for, and hold times in the
buckets of the mocks. Truth is a simulation of at least a million arrivals, which knows the laws
that all was drawn from (`twin_cases.py`).

poolsim 0.4.0 (PyPI) is a client of a program that PyPI does not have. So it stands here by its
model, as its documentation and source have it (`poolsim evaluate`, its defaults): lognormal holds
through p50, p95 and p99, Poisson arrivals, 10,000 of them from an empty pool, no timeouts.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from statistics import median

import numpy as np

from analysis.statistics.distributions import normal_quantile
from analysis.twin.holds import Holds
from analysis.twin.simulate import Prediction, predict
from analysis.twin.theory import erlang_c
from analysis.twin.workload import Callers, Workload
from benchmarks.studies.twin_cases import Case, Truth, cases, truth
from mock_services.kit.pool import HOLD_BOUNDS_S, Pool, PoolExhaustedError
from recording.arrays import Floats

RECORDED_S = 60.0
LEAST_MS = 5.0
MEDIAN, OPTIMISM, OCCUPANCY, OF_OTHERS = 0.15, 0.20, 0.03, 0.5
REAL = 3
REAL_AT_MOST_PER_S, REAL_LOAD = 500.0, 0.6
BOUNDS_S = np.array([*HOLD_BOUNDS_S, inf])
POOLSIM_ITERATIONS = 10_000
HEADER = (
    "holds       con load   /s  tout n    bursts   truth  ±%    twin    95 %         err    E-C"
    "   psim   occ"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A case: what is true of it, and what each says its p99 is, ms."""

    case: Case
    truth: Truth
    twin: Prediction
    erlang_c_ms: float
    poolsim_ms: float

    def error(self, said_ms: float) -> float:
        """Of a p99, as a share of the truth; below zero it is too optimistic."""
        return (said_ms - self.truth.p99_ms) / max(self.truth.p99_ms, LEAST_MS)

    @property
    def occupancy_error(self) -> float:
        """Of the twin's, as a share of the truth."""
        return self.twin.occupancy_mean / self.truth.occupancy - 1.0


def recorded(case: Case, asked_s: Floats, counts: Floats, mean_s: float) -> Workload:
    """What a recording tells the twin."""
    callers = Callers(case.attempts, backoff_s=case.backoff_s)
    holds = Holds.from_buckets(BOUNDS_S, counts, mean_s)
    return Workload(asked_s, RECORDED_S, holds, case.timeout_s, callers)


def row_of(case: Case, seed: int) -> Row:
    """Everything about one case."""
    rng = np.random.default_rng(seed)
    asked_s = case.asked_s(rng, RECORDED_S)
    holds_s = case.holds_s(rng, asked_s.size)
    counts = np.bincount(np.searchsorted(BOUNDS_S, holds_s), minlength=BOUNDS_S.size)
    workload = recorded(case, asked_s, counts.astype(float), float(holds_s.mean()))
    return Row(
        case,
        truth(case, seed + 1),
        predict(workload, case.servers, seed=seed),
        erlang_c(workload, case.servers).wait_p99_ms,
        poolsim_p99_ms(holds_s, workload.rate_per_s, case.servers, rng),
    )


def poolsim_p99_ms(
    holds_s: Floats, rate_per_s: float, servers: int, rng: np.random.Generator
) -> float:
    """What `poolsim evaluate` computes from the percentiles of a recording."""
    p50, p95, p99 = np.quantile(holds_s, (0.5, 0.95, 0.99))
    sigma = np.mean([np.log(p / p50) / normal_quantile(q) for p, q in ((p95, 0.95), (p99, 0.99))])
    taken_s = rng.lognormal(np.log(p50), sigma, POOLSIM_ITERATIONS)
    free_s, waits_s = np.zeros(servers), np.empty(POOLSIM_ITERATIONS)
    for k, now_s in enumerate(np.cumsum(rng.exponential(1 / rate_per_s, POOLSIM_ITERATIONS))):
        first = free_s.argmin()
        waits_s[k] = max(0.0, free_s[first] - now_s)
        free_s[first] = now_s + waits_s[k] + taken_s[k]
    return 1000 * float(np.quantile(waits_s, 0.99))


async def real(case: Case, seed: int) -> tuple[Workload, float]:
    """The mocks' own pool for the time of a recording: what it recorded, and the p99 of its waits.

    ms. Holds are real time, which a loaded machine makes longer: the histogram is the pool's.
    """
    rng = np.random.default_rng(seed)
    asked_s = case.asked_s(rng, RECORDED_S)
    holds_s = case.holds_s(rng, asked_s.size)
    pool = Pool("real", "0", case.servers)
    waits_s: list[float] = []
    came_s: list[float] = []
    start_s = time.perf_counter()

    async def caller(hold_s: float) -> None:
        came_s.append(time.perf_counter() - start_s)
        for _ in range(case.attempts):
            try:
                lease = await pool.acquire(case.timeout_s)
            except PoolExhaustedError:
                waits_s.append(case.timeout_s)
                await asyncio.sleep(case.backoff_s)
                continue
            waits_s.append(lease.waited_s)
            await asyncio.sleep(hold_s)
            lease.release()
            return

    async with asyncio.TaskGroup() as group:
        for at_s, hold_s in zip(asked_s.tolist(), holds_s.tolist(), strict=True):
            await asyncio.sleep(max(0.0, at_s - (time.perf_counter() - start_s)))
            group.create_task(caller(hold_s))
    counts = np.array(pool.hold_s.counts, float)
    workload = recorded(case, np.array(came_s), counts, pool.hold_s.total / counts.sum())
    return workload, 1000 * float(np.quantile(waits_s, 0.99))


def real_cases(every: Sequence[Case]) -> list[Case]:
    """Those whose callers wait and whose times one Python process keeps best: the longest holds."""
    fit = [c for c in every if c.rate_per_s <= REAL_AT_MOST_PER_S and c.load >= REAL_LOAD]
    return sorted(fit, key=lambda case: -case.hold_s)[:REAL]


def real_verdicts(every: Sequence[Case], seed: int) -> Iterator[tuple[str, bool]]:
    """The twin of what each real pool recorded, against the waits in it."""
    for case in real_cases(every):
        workload, p99_ms = asyncio.run(real(case, seed))
        twin = predict(workload, case.servers)
        error = (twin.wait_p99_ms - p99_ms) / max(p99_ms, LEAST_MS)
        text = f"real pool of {case.servers}, {case.shape} at {case.load:.2f}: p99 {p99_ms:.0f} ms"
        yield f"{text}, twin {twin.wait_p99_ms:.0f} ms ({error:+.0%})", error >= -OPTIMISM


def print_row(row: Row) -> None:
    """A line of the table."""
    case, twin = row.case, row.twin
    burst = f"{case.swing:.0%}/{case.phase_s:.1f}s" if case.swing else "-"
    told = " told" if twin.extrapolated else ""
    print(
        f"{case.shape:11} {case.servers:3} {case.load:.2f} {case.rate_per_s:5.0f} "
        f"{1000 * case.timeout_s:5.0f} {case.attempts} {burst:>9} {row.truth.p99_ms:7.1f} "
        f"{100 * row.truth.error:3.0f} {twin.wait_p99_ms:7.1f} {twin.wait_p99_low_ms:6.0f}-"
        f"{twin.wait_p99_high_ms:<6.0f} {100 * row.error(twin.wait_p99_ms):+5.0f} "
        f"{100 * row.error(row.erlang_c_ms):+6.0f} {100 * row.error(row.poolsim_ms):+6.0f} "
        f"{100 * row.occupancy_error:+5.1f}{told}",
        flush=True,
    )


def verdicts(rows: Sequence[Row]) -> Iterator[tuple[str, bool]]:
    """What was promised, and whether it holds."""
    errors = [row.error(row.twin.wait_p99_ms) for row in rows]
    middle = median(map(abs, errors))
    erlang = median(abs(row.error(row.erlang_c_ms)) for row in rows)
    poolsim = median(abs(row.error(row.poolsim_ms)) for row in rows)
    known = [row for row in rows if not any("occupancy" in why for why in row.twin.extrapolated)]
    occupancy = max(abs(row.occupancy_error) for row in known)
    yield f"median error of p99 {middle:.1%} (at most {MEDIAN:.0%})", middle <= MEDIAN
    yield f"Erlang-C's is {erlang:.1%} (at least twice as much)", middle <= OF_OTHERS * erlang
    yield f"poolsim's is {poolsim:.1%} (at least twice as much)", middle <= OF_OTHERS * poolsim
    text = f"most optimistic {min(errors):+.0%} (no more than {OPTIMISM:.0%})"
    yield text, min(errors) >= -OPTIMISM
    text = f"{len(known)} of {len(rows)} recordings tell the load; occupancy within {occupancy:.1%}"
    yield f"{text} there ({OCCUPANCY:.0%})", occupancy <= OCCUPANCY


def main() -> int:
    """Print the table; 0 when all that was promised holds, 3 when not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=2025)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--no-real", action="store_true", help="leave out the real pools (3 min)")
    which.add_argument("--only-real", action="store_true", help="only these")
    told = parser.parse_args()
    every = cases(told.seed)
    said = [] if told.no_real else list(real_verdicts(every, told.seed))
    if not told.only_real:
        said = [*verdicts(list(table(every, told.seed))), *said]
    for text, holds in said:
        print(f"{text}: {'holds' if holds else 'MISSED'}")
    return 0 if all(holds for _, holds in said) else 3


def table(every: Sequence[Case], seed: int) -> Iterator[Row]:
    """Each case as a printed line."""
    print(HEADER)
    for k, case in enumerate(every):
        row = row_of(case, seed + 100 * k)
        print_row(row)
        yield row


if __name__ == "__main__":
    sys.exit(main())
