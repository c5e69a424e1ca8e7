"""The answer of a search for the largest load: levels, confirmation, and pictures of both."""

from collections.abc import Iterator
from math import isfinite, isnan, nan

import numpy as np

from analysis.capacity.answer import Answer
from analysis.capacity.asked import BORDER, CONFIRMATION, DOUBLING
from analysis.capacity.compare import CapacityGate, Compared
from analysis.capacity.judge import CapacityReport
from analysis.capacity.rows import BROKE, HELD, IDLE, SPOILT, LevelRow
from analysis.report.chart import Chart, Curve, Limit, Stretch
from analysis.report.document import Document, Lines, Mark, Row, Table, numbers, texts
from analysis.report.next_steps import next_steps
from analysis.report.single import checks, findings, labels, reasons
from analysis.statistics.crossing import crossing
from analysis.words.units import counted
from analysis.words.values import Outcome
from recording.arrays import Floats
from recording.durations import format_duration

_HEADLINE = {
    Outcome.PASS: "PASS: the required load fits",
    Outcome.FAIL: "FAIL: the required load does not fit",
    Outcome.INCONCLUSIVE: "INCONCLUSIVE: this search cannot tell",
    Outcome.INVALID: "INVALID: this search is not evidence",
}
_TONE = {
    HELD: Outcome.PASS,
    BROKE: Outcome.FAIL,
    SPOILT: Outcome.INVALID,
    IDLE: None,
}
_TRIED = (DOUBLING, BORDER)
_POINTS = 120
"""Of a fitted curve."""


def capacity_document(
    report: CapacityReport, stored: str = "report.md", *, brief: bool = False
) -> Document:
    """All of it, or in ``brief`` without the checks.

    ``stored`` is where a screen says that the page is kept.
    """
    breaches = tuple(map(str, report.breaches))
    return Document(
        headline=_HEADLINE[report.verdict],
        outcome=report.verdict,
        summary=report.summary,
        facts=(Lines(tuple(_facts(report)), only="page"),) if report.context else (),
        blocks=(
            _levels(report),
            *reasons(report),
            Lines(breaches, "Breaches", "breach", Outcome.FAIL),
            next_steps(report, "page"),
            findings(report),
            next_steps(report, "screen"),
            *(() if brief else (checks(report),)),
        ),
        closing=f"{_spent(report)}; report: {stored}" if report.levels else "",
        charts=tuple(_charts(report)),
    )


_GATE = {
    Outcome.PASS: "PASS: head carries as much as base",
    Outcome.FAIL: "FAIL: head carries less than base",
    Outcome.INCONCLUSIVE: "INCONCLUSIVE: these searches cannot tell",
    Outcome.INVALID: "INVALID: these searches are not evidence",
}


def capacity_gate_document(gate: CapacityGate, stored: str) -> Document:
    """Of two searches; ``stored`` is where the page of head's is kept."""
    columns = (*texts("arm"), *numbers("largest load", "95 % interval"), *texts("then", "run"))
    arms = {"base": gate.base, "head": gate.head}
    rows = tuple(_arm(name, report) for name, report in arms.items())
    return Document(
        headline=_GATE[gate.verdict],
        outcome=gate.verdict,
        summary=gate.summary,
        blocks=(Table(columns, rows), next_steps(gate)),
        closing=f"report of head's search: {stored}",
    )


def _arm(name: str, report: CapacityReport) -> Row:
    found = report.found
    if found is None:
        return Row((name, "·", "·", report.summary, report.run_id))
    told = Compared.of(found)
    interval = (
        f"{told.low:.3g} to {told.high:.3g}" if isfinite(told.high) else f"{told.low:.3g} to ?"
    )
    return Row((name, f"{told.load:.3g}", interval, str(found.gave or ""), report.run_id))


def _facts(report: CapacityReport) -> Iterator[str]:
    asked, context = report.asked, report.context
    yield f"run {report.run_id}, profile {report.profile}, started {context['started_utc']}"
    yield f"{_spent(report)}, seed {context['seed']}"
    yield from labels(context)
    if asked:
        yield f"required: {asked.required:.4g} {asked.unit} ({asked.required_by})"


def _spent(report: CapacityReport) -> str:
    tried = sum(level.stage in _TRIED for level in report.levels)
    counted_s = sum(level.counted_s for level in report.levels)
    runs = sum(level.stage == CONFIRMATION for level in report.levels)
    span = format_duration(round(counted_s))
    return f"{counted(tried, 'slot')} and {counted(runs, 'confirmation')}, {span} counted"


def _levels(report: CapacityReport) -> Table:
    unit = report.asked.unit if report.asked else ""
    columns = (
        *numbers("level"),
        *texts("for"),
        *numbers(unit, "req/s", "slowest p99 ms", "fullest pool %"),
        *texts("", "because"),
    )
    return Table(columns, tuple(map(_row, report.levels)), "Levels")


def _row(level: LevelRow) -> Row:
    p99 = "·" if isnan(level.p99_ms) else f"{level.p99_ms:.0f}"
    used = "·" if isnan(level.utilization) else f"{level.utilization:.0f}"
    why = next(iter(level.spoilt or level.broken), "")
    cells = (str(level.number + 1), level.stage, f"{level.load:.3g}", f"{level.requests_per_s:.0f}")
    mark = Mark(level.outcome, _TONE[level.outcome])
    shown = None if level.stage == CONFIRMATION or level.outcome == SPOILT else "page"
    return Row((*cells, p99, used, mark, why), only=shown if level.load else "page")  # type: ignore[arg-type]


def _charts(report: CapacityReport) -> Iterator[Chart]:
    """Chance of holding, slowest p99 and fullest pool, over the load."""
    tried = [level for level in report.levels if level.stage in _TRIED and level.outcome != SPOILT]
    if len(tried) < 2 or report.asked is None:
        return
    x_title = f"load, {report.asked.unit}"
    marks = _marks(report.found)
    loads = np.array([level.load for level in tried])
    yield Chart(
        "Does every rule hold in a slot?", x_title, "chance of holding",
        tuple(_chance(tried, loads)),
        limits=(Limit(0.5, "one half"),), marks=marks, stretches=_interval(report.found),
    )  # fmt: skip
    p99 = np.array([level.p99_ms for level in tried])
    yield Chart(
        "Slowest step", x_title, "p99, ms", (_points("p99 of the slowest step", loads, p99),),
        marks=marks,
    )  # fmt: skip
    used = np.array([level.utilization for level in tried])
    yield Chart(
        "Fullest pool", x_title, "peak utilization, %", (_points("fullest pool", loads, used),),
        marks=marks,
    )  # fmt: skip


def _chance(tried: list[LevelRow], loads: Floats) -> Iterator[Curve]:
    held = [level.outcome == HELD for level in tried]
    yield _points("levels", loads, np.array(held, float))
    if len(set(held)) == 2:
        fit = crossing(list(np.log(loads)), held)
        x = np.linspace(float(np.log(loads.min())), float(np.log(loads.max())), _POINTS)
        yield Curve("fitted", np.exp(x), np.array([fit.chance(at) for at in x]))


def _points(name: str, loads: Floats, values: Floats) -> Curve:
    order = np.argsort(loads)
    return Curve(
        name, loads[order], np.where(np.isfinite(values), values, nan)[order], joined=False
    )


def _marks(found: Answer | None) -> tuple[Limit, ...]:
    return (Limit(found.load, "found"),) if found else ()


def _interval(found: Answer | None) -> tuple[Stretch, ...]:
    if found is None or not isfinite(found.high):
        return ()
    return (Stretch(found.low, found.high, "95 % interval"),)
