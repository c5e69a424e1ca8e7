"""The paired regression gate: is head slower than base, on which endpoint, by how much?

Pure: the histograms of a paired run in, a verdict out; the same data and settings give the same
result to the last bit. What the test is, what it was chosen over, its measured false-alarm rate
and its power are in ``docs/statistics.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import ceil, isfinite, nan

import numpy as np

from analysis.limits.regression import RegressionSettings, tail_of
from analysis.regression.data import GateData
from analysis.regression.estimates import estimated, prepare
from analysis.regression.latency import LatencyRow, counted
from analysis.regression.rows import Stakes, corrected, overall
from analysis.statistics.looks import LookPlan
from analysis.words.values import Outcome


@dataclass(frozen=True, slots=True)
class GateResult:
    """The gate's answer at one look.

    `alpha_spent` is this look's share of alpha. When INCONCLUSIVE, `more_rounds_needed` and
    `more_requests_needed` (all endpoints, both arms) estimate what a verdict with 80 %
    probability would take if the true ratios are the observed ones.
    """

    verdict: Outcome
    rows: tuple[LatencyRow, ...]
    rounds: int
    alpha_spent: float
    more_rounds_needed: int | None = None
    more_requests_needed: int | None = None


NOT_JUDGED = GateResult(Outcome.INCONCLUSIVE, (), 0, nan)


def judge(data: GateData, settings: RegressionSettings, plan: LookPlan) -> GateResult:
    """Judge a paired run at one of its declared looks.

    A row FAILs when it is significant after Holm at this look's share of `alpha`, the interval of
    its raw ratio lies above 1, and both its ratios (raw, and with the host taken out) reach the
    minimum effect and the floor. It PASSes when its upper confidence bound, taken from the less
    favourable ratio, is below what is tolerated. Everything else, and every row that could not be
    measured, is INCONCLUSIVE.

    Raises ValueError when no look was declared at this number of rounds, or when the order of
    the arms is not balanced as the plan demands: then no p-value would mean anything.
    """
    whats = list(product(data.judged, settings.metrics))
    stakes = Stakes.at(plan, data.rounds, settings, len(whats))
    if unbalanced := plan.imbalance(data.head_first):
        raise ValueError(
            f"{unbalanced}; unless that is half of them, drift of the host looks like a regression"
        )
    counts = [counted(data, *what, settings, stakes) for what in whats]
    rows = corrected(_tested(data, counts, settings.seed, plan))
    verdict = overall(rows)
    more = _more_rounds(data, rows) if verdict is Outcome.INCONCLUSIVE else None
    requests = int(data.base.sum() + data.head.sum())
    return GateResult(
        verdict,
        rows,
        data.rounds,
        stakes.alpha,
        more_rounds_needed=more,
        more_requests_needed=more and ceil(requests / data.rounds * more),
    )


def judge_looks(data: GateData, settings: RegressionSettings, plan: LookPlan) -> GateResult:
    """Look as declared, and stop at the first verdict."""
    for rounds in plan.rounds:
        result = judge(data.upto(rounds), settings, plan)
        if result.verdict is not Outcome.INCONCLUSIVE:
            break
    return result


def _tested(data: GateData, rows: list[LatencyRow], seed: int, plan: LookPlan) -> list[LatencyRow]:
    """With estimates and p-values, where they lack nothing."""
    whole = [row for row in rows if row.judged]
    if not whole:
        return rows
    endpoints = np.array([data.endpoints.index(row.subject) for row in whole])
    paired = prepare(data, endpoints, np.array([tail_of(row.metric) for row in whole]))
    p_values = paired.p_values(plan.stretches(data.rounds), seed)
    tested = zip(estimated(paired, whole), p_values, strict=True)
    found = iter([replace(row, p_value=float(p)) for row, p in tested])
    return [next(found) if row.judged else row for row in rows]


def _more_rounds(data: GateData, rows: Sequence[LatencyRow]) -> int | None:
    """Rounds to add for the hungriest row, at least two; None where rounds would not help."""
    growths = [row.growth for row in rows if row.verdict is Outcome.INCONCLUSIVE]
    known = [growth for growth in growths if growth is not None and isfinite(growth)]
    if len(known) < len(growths):
        return None
    return max(2, ceil(data.rounds * (max(known) - 1)))
