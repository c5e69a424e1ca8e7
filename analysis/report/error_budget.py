"""What a run takes of a month's error budget, service by service.

The budget is what a target leaves: 99.95 % of 30 days are 21.6 minutes. A run uses its downtime of
it; a month that goes on like the run uses it as many times as the burn rate says (B. Beyer et al.,
The Site Reliability Workbook, chapter 5).
"""

import re
from collections.abc import Iterator

from analysis.metrics.availability import NAME
from analysis.report.document import Mark, Row, Table, numbers, texts, verdicts
from analysis.words.values import NO_DATA, Outcome, RuleRow, Verdict, show

MONTH_MIN = 30 * 24 * 60.0
_TARGET = re.compile(rf"{NAME} >=? ([\d.]+) %")


def error_budget(verdict: Verdict) -> Table:
    """A row for each target; empty where thresholds.toml has none."""
    columns = (
        *texts("error budget of"),
        *numbers("requests", only="page"),
        *numbers("available", "target"),
        *numbers("down", "of a month's", "left of it", "burn rate"),
        *verdicts(),
    )
    return Table(columns, tuple(_rows(verdict)), "Error budget", only="page")


def _rows(verdict: Verdict) -> Iterator[Row]:
    measured_min = float(verdict.context.get("measured_s", 0.0)) / 60
    for row in verdict.rows:
        target = _TARGET.fullmatch(row.rule)
        if target and row.applies:
            yield Row((*_cells(row, float(target[1]), measured_min), _outcome(row)))


def _cells(row: RuleRow, target: float, measured_min: float) -> Iterator[str]:
    m = row.measurement
    yield row.subject
    yield f"{m.n:,}"
    if not m.n or target >= 100:
        yield from (NO_DATA, f"{target:g} %", *(NO_DATA,) * 4)
        return
    failing, allowed = 1 - m.value / 100, 1 - target / 100
    budget_min, down_min = allowed * MONTH_MIN, failing * measured_min
    yield f"{m.value:.6g} %"
    yield f"{target:g} %"
    yield show(down_min, "min")
    yield f"{budget_min:.3g} min"
    yield f"{100 * (1 - down_min / budget_min):.3g} %"
    yield f"{failing / allowed:.2f}"


def _outcome(row: RuleRow) -> Mark:
    if row.outcome is Outcome.INCONCLUSIVE:
        return Mark("not decided", "quiet", f"not decided ({row.because})")
    return Mark(row.outcome.value, row.outcome)
