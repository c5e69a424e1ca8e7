"""Whether what a gate says it could have seen is seen by another gate with just that regression.

For each line many pairs of simulated gates of one kind. The first has equal arms and says what it
could have seen of e0's p95 and of e1's p99. In the second, drawn anew, all of e0 and the tail of e1
are slower by that much: seen is a FAIL of that very row at that very look. Promised is 80 %.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import product
from math import sqrt
from typing import Final

import numpy as np

from analysis.calibration.simulated import HOSTS, Injection, Shape, simulate
from analysis.limits.regression import RegressionSettings
from analysis.regression.judge import judge
from analysis.regression.latency import LatencyRow
from analysis.statistics.looks import LookPlan
from analysis.words.values import Outcome
from benchmarks.studies.noisy_hosts import NOISY_HOSTS

PLAN: Final = LookPlan((24, 40))
SETTINGS: Final = RegressionSettings()
ALL_HOSTS: Final = {**HOSTS, **NOISY_HOSTS}
ROWS: Final = (("e0", "p95"), ("e1", "p99"))
REQUESTS: Final = 20_000  # per endpoint and arm, over 40 rounds


@dataclass(frozen=True, slots=True)
class Line:
    """Pairs of one kind. Two endpoints have no control, seven have one."""

    host: str
    endpoints: int
    rounds: int

    def __str__(self) -> str:
        return f"{self.host} {self.endpoints} {self.rounds}"


@dataclass(frozen=True, slots=True)
class Pair:
    """Of each of ROWS: the regression that one gate named, and whether another saw it."""

    said: tuple[float, ...]
    seen: tuple[bool, ...]


def main() -> None:
    """Parse, simulate, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gates", type=int, default=300, help="pairs per line (default 300)")
    parser.add_argument("--seed", type=int, default=2027)
    parser.add_argument("--only", default="*", help="pattern of 'host endpoints rounds'")
    arguments = parser.parse_args()
    print(f"{'host':13} endp rounds row {'gates':>5} seen %   error  could have seen %")
    for line in (line for line in lines() if fnmatch(str(line), arguments.only)):
        found = [pair(line, arguments.seed, gate) for gate in range(arguments.gates)]
        for at, (_, metric) in enumerate(ROWS):
            said = [100 * one.said[at] for one in found]
            rate = float(np.mean([one.seen[at] for one in found]))
            error = sqrt(rate * (1 - rate) / len(found))
            print(
                f"{line.host:13} {line.endpoints:4} {line.rounds:6} {metric} {len(found):5}"
                f" {100 * rate:6.1f} {100 * error:7.1f} {np.mean(said):12.1f} ± {np.std(said):.1f}",
                flush=True,
            )


def lines() -> Iterator[Line]:
    """Every host, with and without a control, at both looks."""
    for host, endpoints, rounds in product(ALL_HOSTS, (2, 7), PLAN.rounds):
        yield Line(host, endpoints, rounds)


def pair(line: Line, seed: int, gate: int) -> Pair:
    """What one gate says it could have seen, and whether another one sees it."""
    key = zlib.crc32(str(line).encode())
    equal, slower = map(int, np.random.SeedSequence([seed, key, gate]).generate_state(2))
    said = [row.smallest_detectable for row in rows(line, equal)]
    changes = Injection(1 + said[0], "all", (0,)), Injection(1 + said[1], "tail", (1,))
    found = rows(line, slower, *changes)
    return Pair(tuple(said), tuple(row.verdict is Outcome.FAIL for row in found))


def rows(line: Line, seed: int, *changes: Injection) -> list[LatencyRow]:
    """Those of ROWS of one gate, as judged at the line's look."""
    data = simulate(ALL_HOSTS[line.host], Shape(line.endpoints, REQUESTS, PLAN), seed, *changes)
    judged = judge(data.upto(line.rounds), SETTINGS, PLAN)
    found = {(row.subject, row.metric): row for row in judged.rows}
    return [found[which] for which in ROWS]


if __name__ == "__main__":
    main()
