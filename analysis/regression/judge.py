"""The paired regression gate: is head slower than base, on which endpoint, by how much?

Pure: the histograms of a paired run in, a verdict out; the same data and settings give the same
result to the last bit. What the test is, what it was chosen over, its measured false-alarm rate
and its power are in ``docs/statistics.md``.
"""

from __future__ import annotations

from itertools import product
from math import ceil, isfinite

import numpy as np

from analysis.regression.data import GateData, GateResult, GateRow, GateVerdict, RegressionSettings
from analysis.regression.estimates import Errors, estimate, prepare
from analysis.regression.rows import Measured, Stakes, Subject, subject_of
from analysis.statistics.crossover import holm
from analysis.statistics.looks import LookPlan

Judged = tuple[GateRow, float | None]


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
    metrics = tuple(zip(settings.metrics, settings.tails(), strict=True))
    stakes = Stakes(
        settings,
        alpha=plan.share(settings.alpha, data.rounds),
        pass_error=plan.share(1 - settings.confidence, data.rounds),
        tests=len(data.judged) * len(metrics),
    )
    _check_balance(data, plan)
    subjects = [subject_of(data, name, *metric) for name, metric in product(data.judged, metrics)]
    measured = _measure(data, stakes, plan, subjects)
    rows = [
        (measured[i].row(), measured[i].growth) if i in measured else (s.unmeasured(), s.growth)
        for i, s in enumerate(subjects)
    ]
    return _result(data, stakes, rows)


def _measure(
    data: GateData, stakes: Stakes, plan: LookPlan, subjects: list[Subject]
) -> dict[int, Measured]:
    """The rows that can be measured. The others still count in Holm's correction, with p = 1."""
    whole = [i for i, subject in enumerate(subjects) if not subject.lacks]
    if not whole:
        return {}
    paired = prepare(
        data,
        np.array([data.endpoints.index(subjects[i].endpoint) for i in whole]),
        np.array([subjects[i].tail for i in whole]),
    )
    p = np.ones(len(subjects))
    p[whole] = paired.p_values(plan.stretches(data.rounds), stakes.settings.seed)
    p_holm = holm(p)
    found = estimate(paired, _errors(stakes))
    return {
        i: Measured(
            subjects[i],
            stakes,
            raw=found.raw.of(row),
            adjusted=found.adjusted.of(row),
            vouched=bool(data.control),
            degrees=float(found.degrees[row]),
            host_removed=bool(found.use_control[row]),
            p_value=float(p[i]),
            p_holm=float(p_holm[i]),
        )
        for row, i in enumerate(whole)
    }


def _errors(stakes: Stakes) -> Errors:
    return Errors(
        interval=(1 - stakes.settings.confidence) / 2,
        passing=stakes.pass_error,
        failing=stakes.alpha / stakes.tests,
    )


def _check_balance(data: GateData, plan: LookPlan) -> None:
    start = 0
    for stretch in plan.stretches(data.rounds):
        first = int(np.sum(data.head_first[start : start + stretch]))
        if 2 * first != stretch:
            raise ValueError(
                f"rounds {start + 1} to {start + stretch}: head ran first in {first} of {stretch};"
                " unless that is half of them, drift of the host looks like a regression"
            )
        start += stretch


def _result(data: GateData, stakes: Stakes, judged: list[Judged]) -> GateResult:
    rows = tuple(row for row, _ in judged)
    verdicts = {row.verdict for row in rows}
    if GateVerdict.FAIL in verdicts:
        return GateResult(GateVerdict.FAIL, rows, data.rounds, stakes.alpha)
    if verdicts == {GateVerdict.PASS}:
        return GateResult(GateVerdict.PASS, rows, data.rounds, stakes.alpha)
    open_rows = [growth for row, growth in judged if row.verdict is GateVerdict.INCONCLUSIVE]
    more_rounds = _more_rounds(data, open_rows)
    requests = int(data.base.sum() + data.head.sum())
    return GateResult(
        GateVerdict.INCONCLUSIVE,
        rows,
        data.rounds,
        stakes.alpha,
        more_rounds_needed=more_rounds,
        more_requests_needed=more_rounds and ceil(requests / data.rounds * more_rounds),
    )


def _more_rounds(data: GateData, growths: list[float | None]) -> int | None:
    """Rounds to add for the hungriest row, at least two; None where rounds would not help."""
    known = [growth for growth in growths if growth is not None and isfinite(growth)]
    if len(known) < len(growths):
        return None
    return max(2, ceil(data.rounds * (max(known) - 1)))
