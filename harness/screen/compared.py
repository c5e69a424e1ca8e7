"""One screen for a comparison: rows, what is only shown, why it cannot tell, the verdict."""

from rich.table import Table

from analysis.compare.side_by_side import Comparison, PairRow
from analysis.regression.latency import LatencyRow
from analysis.words.values import show
from harness.screen.plain import (
    STYLE,
    Screen,
    print_lines,
    print_verdict_line,
    styled,
    table,
    widen,
)

WIDE = 140
"""Columns that the widest of these tables takes."""


def print_comparison(console: Screen, found: Comparison) -> None:
    """Print it."""
    widen(console, WIDE)
    if found.pairs:
        console.print(_pair_table(found.pairs))
    if found.rows:
        console.print(_row_table(found.rows))
    if found.context:
        console.print(_context_table(found))
    for title, lines, style in (
        ("note", found.notes, "cyan"),
        ("cannot tell", found.reasons, "yellow"),
    ):
        print_lines(console, title, lines, style)
    console.print()
    print_verdict_line(console, found.verdict, found.summary)


def _pair_table(rows: tuple[PairRow, ...]) -> Table:
    made = table("step", "metric", "A ms", "B ms", "B/A", "within-run 95 %", "beyond it")
    for row in rows:
        cells = [f"{row.a.value:.4g}", f"{row.b.value:.4g}", f"{row.ratio:.3f}"]
        beyond = "yes" if row.beyond_within_run else ""
        bounds = _bounds(row.ci_low, row.ci_high)
        made.add_row(row.subject, row.metric, *cells, bounds, beyond)
    return made


def _row_table(rows: tuple[LatencyRow, ...]) -> Table:
    made = table("step", "metric", "baselines ms", "ratio", "95 %", "seen from", "")
    made.add_column("because")
    for row in rows:
        cells = ["·", "·", "·", "·"]
        if row.judged:
            seen = f"{100 * row.smallest_detectable:+.0f} %"
            cells = [f"{row.base:.4g}", f"{row.ratio:.3f}", _bounds(row.ci_low, row.ci_high)]
            cells.append(seen)
        verdict = styled(row.verdict, STYLE[row.verdict])
        made.add_row(row.subject, row.metric, *cells, verdict, row.because)
    return made


def _context_table(found: Comparison) -> Table:
    one = len(found.against) == 1
    made = table("shown, not judged", "metric", "A" if one else "baselines", "B" if one else "run")
    for row in found.context:
        if row.metric == "error_rate" and row.value == row.highest == 0:
            continue  # eight lines that say nothing
        before = show(row.lowest, row.unit)
        if row.highest > row.lowest:
            before += f" to {show(row.highest, row.unit)}"
        made.add_row(row.subject, row.metric, before, show(row.value, row.unit))
    return made


def _bounds(low: float | None, high: float | None) -> str:
    shown = ("·" if bound is None else f"{bound:.3f}" for bound in (low, high))
    return " to ".join(shown)
