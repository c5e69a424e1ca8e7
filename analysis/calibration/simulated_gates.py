"""Gates on simulated hosts for a calibration: the same judge, a known answer, no load."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Final

import numpy as np

from analysis.calibration.simulated_hosts import HOSTS, Injection, Shape, simulate
from analysis.limits.regression import RegressionSettings
from analysis.regression.judge import GateResult, judge_looks
from analysis.statistics.looks import LookPlan
from analysis.words.values import Outcome
from recording.flow import STEPS

# As in docs/statistics.md: 20,000 requests per endpoint and arm, looks at 24 and 40 rounds.
SHAPE: Final = Shape(len(STEPS), 20_000, LookPlan((24, 40)))


def host_models(first: int) -> Iterator[str]:
    """Names of the simulated hosts in turn, from the `first`-th on, for ever."""
    names = list(HOSTS)
    return (names[number % len(names)] for number in count(first))


def simulated_gate(
    host: str, injection: Injection | None, settings: RegressionSettings, seed: int, number: int
) -> GateResult:
    """Gate `number` of a series: looks as declared and stops at the first verdict."""
    draw = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    return judge_looks(simulate(HOSTS[host], SHAPE, draw, injection), settings, SHAPE.plan)


def blamed(result: GateResult) -> tuple[str, ...]:
    """The steps that a simulated gate calls slower; its endpoints stand for the flow's steps."""
    names = {f"e{number}": step for number, step in enumerate(STEPS)}
    failed = (row.subject for row in result.rows if row.verdict is Outcome.FAIL)
    return tuple(dict.fromkeys(names[endpoint] for endpoint in failed))
