"""Gates on simulated hosts for a calibration: the same judge, a known answer, no load."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from analysis.calibration.simulated_hosts import HOSTS, Injection, Shape, simulate
from analysis.regression.data import GateData, GateResult, GateVerdict, RegressionSettings
from analysis.regression.judge import judge
from analysis.statistics.looks import LookPlan
from recording.flow import STEPS

# As in docs/statistics.md: 20,000 requests per endpoint and arm, looks at 24 and 40 rounds.
SHAPE: Final = Shape(len(STEPS), 20_000, LookPlan((24, 40)))


def host_models(first: int) -> Iterator[str]:
    """Names of the simulated hosts in turn, from the `first`-th on, for ever."""
    names = list(HOSTS)
    while True:
        yield names[first % len(names)]
        first += 1


def simulated_gate(
    host: str, injection: Injection | None, settings: RegressionSettings, seed: int, number: int
) -> GateResult:
    """Gate `number` of a series: looks as declared and stops at the first verdict."""
    draw = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    data = simulate(HOSTS[host], SHAPE, draw, injection)
    for rounds in SHAPE.plan.rounds:
        result = judge(_upto(data, rounds), settings, SHAPE.plan)
        if result.verdict is not GateVerdict.INCONCLUSIVE:
            break
    return result


def blamed(result: GateResult) -> tuple[str, ...]:
    """The steps that a simulated gate calls slower; its endpoints stand for the flow's steps."""
    names = {f"e{number}": step for number, step in enumerate(STEPS)}
    failed = (row.endpoint for row in result.rows if row.verdict is GateVerdict.FAIL)
    return tuple(dict.fromkeys(names[endpoint] for endpoint in failed))


def _upto(data: GateData, rounds: int) -> GateData:
    seen = slice(rounds)
    return replace(
        data, base=data.base[seen], head=data.head[seen], head_first=data.head_first[seen]
    )
