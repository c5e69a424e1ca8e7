"""The pictures of a paired run: what changed by how much, in which part of it, round by round."""

from collections.abc import Iterator, Sequence
from math import exp, isfinite

import numpy as np

from analysis.evidence.run import Evidence
from analysis.paired.cost_rows import CostRow
from analysis.paired.judge import GateReport
from analysis.paired.memory import SLOPE
from analysis.paired.rounds import Rounds
from analysis.paired.shift import QuantileShift, quantile_shifts
from analysis.pictures.canvas import TIME
from analysis.regression.latency import LatencyRow
from analysis.report.chart import Chart, Curve, Effect, Forest, Picture, Stretch
from analysis.statistics.distributions import normal_quantile
from analysis.statistics.percentiles import quantile
from recording.arrays import Floats, Ints
from recording.profile import JOURNEY
from recording.slots import ARMS, Arm

_CHANGE = "change of head against base, %"
_GROUP = "Head against base"
_HOW = ": interval of 95 %, what a PASS tolerates as a band, what is found from as a tick"
_MOST = 10.0
"""Of a log ratio: what could only be seen beyond it could not be seen."""
_BY_ROUND = 0.95
"""The quantile that is shown of each slot: a slot has too few requests for a p99."""


def gate_pictures(evidence: Evidence, report: GateReport) -> tuple[Picture, ...]:
    """Of the rounds that were judged; without any, of none."""
    pictures: list[Picture] = [*_forests(report)]
    if count := report.context.get("rounds"):
        rounds = Rounds.recorded(evidence).first(count)
        found = {step: rounds.histograms(step) for step in (*rounds.steps, JOURNEY)}
        counted = {step: own for step, own in found.items() if own[1].sum(axis=(1, 2)).all()}
        pictures += [_shifts(step, *own) for step, own in counted.items()]
        pictures += [_in_order(rounds, step, *own) for step, own in counted.items()]
    return tuple(picture for picture in pictures if _has_something(picture))


def _has_something(picture: Picture) -> bool:
    if isinstance(picture, Forest):
        return bool(picture.effects)
    return not isinstance(picture, Chart) or any(curve.x.size for curve in picture.curves)


def _forests(report: GateReport) -> Iterator[Forest]:
    latencies = tuple(map(effect_of, report.gate_rows))
    yield Forest(f"Latency{_HOW}", _CHANGE, latencies, _GROUP)
    judged = [row for row in report.costs if row.judged]
    shares = tuple(_share(row) for row in judged if row.unit != SLOPE and row.base > 0)
    yield Forest(f"Costs{_HOW}", _CHANGE, shares, _GROUP)
    slopes = tuple(_slope(row) for row in judged if row.unit == SLOPE)
    yield Forest(f"Memory{_HOW}", f"slope of head less base, {SLOPE}", slopes, _GROUP, SLOPE)


def effect_of(row: LatencyRow) -> Effect:
    """Of a row of latency, whoever made it."""
    name = f"{row.subject} {row.metric}"
    if not row.judged:
        return Effect(name, np.nan, np.nan, np.nan, row.verdict)
    value, low, high = (100 * (ratio - 1) for ratio in (row.ratio, row.ci_low, row.ci_high))
    seen, tolerated = 100 * row.smallest_detectable, 100 * (exp(row.tolerated) - 1)
    return Effect(name, value, low, high, row.verdict, seen, tolerated)


def _share(row: CostRow) -> Effect:
    """As shares of what base costs, whatever unit the cost is in."""

    def percent(change: float) -> float:
        return 100 * (exp(min(change, _MOST)) - 1) if row.is_ratio else 100 * change / row.base

    value, low, high = (100 * it / row.base for it in (row.change, row.ci_low, row.ci_high))
    seen, tolerated = percent(row.smallest_detectable), percent(row.tolerated)
    name = f"{row.subject} {row.metric}"
    return Effect(name, value, low, high, row.verdict, seen if isfinite(seen) else None, tolerated)


def _slope(row: CostRow) -> Effect:
    """As it is: a slope of base may well be nothing, or below it."""
    return Effect(
        row.subject, row.change, row.ci_low, row.ci_high, row.verdict, None, row.tolerated
    )


def _shifts(step: str, values_us: Floats, counts: Ints) -> Chart:
    """How each part of a distribution moved; deciles, and the tail beyond them."""
    shifts = quantile_shifts(values_us, counts)
    x = np.array([100 * shift.q for shift in shifts])
    low, middle, high = (_moved(shifts, errors) for errors in (-1, 0, 1))
    curve = Curve("head / base", x, middle, low, high)
    return Chart(step, "percentile", "change, %", (curve,), group="Which part of it moved")


def _moved(shifts: Sequence[QuantileShift], side: int) -> Floats:
    """Change of each quantile, %, or an end of its 95 % interval."""
    errors = side * normal_quantile(0.975)
    return np.array([100 * (exp(s.log_ratio + errors * s.error_log) - 1) for s in shifts])


def _in_order(rounds: Rounds, step: str, values_us: Floats, counts: Ints) -> Chart:
    """A percentile of each slot, at the time when it was loaded."""
    start_s = rounds.evidence.load_start_s
    curves = []
    for place, arm in enumerate(ARMS):
        windows = rounds.windows_s(arm, counted=True)
        x = np.array([(begin + end) / 2 - start_s for begin, end in windows])
        y = [_quantile_ms(values_us, counts[place, number]) for number in range(rounds.count)]
        curves.append(Curve(arm, x, np.array(y), joined=False))
    return Chart(
        step, TIME, "p95 of a slot, ms", tuple(curves), stretches=_slots(rounds),
        over_time=True, group="Slots in the order in which they were loaded",
    )  # fmt: skip


def _quantile_ms(values_us: Floats, counts: Ints) -> float:
    return quantile(values_us, counts, _BY_ROUND) / 1000 if counts.any() else np.nan


def _slots(rounds: Rounds) -> tuple[Stretch, ...]:
    start_s = rounds.evidence.load_start_s

    def of(arm: Arm) -> Iterator[Stretch]:
        for begin, end in rounds.windows_s(arm):
            yield Stretch(begin - start_s, end - start_s, arm)

    return tuple(of("head"))
