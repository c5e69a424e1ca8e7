"""A comparison of runs made apart: rows, what is only shown, notes, and why it cannot tell."""

from analysis.compare.side_by_side import Comparison, Context, PairRow
from analysis.regression.latency import LatencyRow
from analysis.report.document import Document, Lines, Mark, Row, Table, numbers, texts, verdicts
from analysis.words.values import Outcome, show

NOTHING = "·"


def comparison_document(found: Comparison) -> Document:
    """All of it."""
    return Document(
        outcome=found.verdict,
        summary=found.summary,
        blocks=(
            _pairs(found.pairs),
            _rows(found.rows),
            _context(found),
            Lines(found.notes, "Notes", "note", "note"),
            Lines(found.reasons, "Why it cannot tell", "cannot tell", Outcome.INCONCLUSIVE),
        ),
    )


def _pairs(pairs: tuple[PairRow, ...]) -> Table:
    heads = ("A ms", "B ms", "B/A", "within-run 95 %", "beyond it")
    return Table((*texts("step", "metric"), *numbers(*heads)), tuple(map(_pair, pairs)))


def _pair(pair: PairRow) -> Row:
    cells = f"{pair.a.value:.4g}", f"{pair.b.value:.4g}", f"{pair.ratio:.3f}"
    beyond = "yes" if pair.beyond_within_run else ""
    within = _bounds(pair.ci_low, pair.ci_high)
    return Row((pair.subject, pair.metric, *cells, within, beyond))


def _rows(rows: tuple[LatencyRow, ...]) -> Table:
    heads = ("baselines ms", "ratio", "95 %", "seen from")
    columns = (*texts("step", "metric"), *numbers(*heads), *verdicts(), *texts("because"))
    return Table(columns, tuple(map(_row, rows)), passing="percentile")


def _row(it: LatencyRow) -> Row:
    cells = [NOTHING] * 4
    if it.judged:
        seen = f"{100 * it.smallest_detectable:+.0f} %"
        cells = [f"{it.base:.4g}", f"{it.ratio:.3f}", _bounds(it.ci_low, it.ci_high), seen]
    mark = Mark(it.verdict.value, it.verdict)
    return Row((it.subject, it.metric, *cells, mark, it.because))


def _context(found: Comparison) -> Table:
    one = len(found.against) == 1
    arms = numbers("A" if one else "baselines", "B" if one else "run")
    # An error rate that was zero throughout says nothing, eight times.
    said = (c for c in found.context if c.metric != "error_rate" or c.value or c.highest)
    return Table((*texts("shown, not judged", "metric"), *arms), tuple(map(_figure, said)))


def _figure(it: Context) -> Row:
    before = show(it.lowest, it.unit)
    if it.highest > it.lowest:
        before += f" to {show(it.highest, it.unit)}"
    return Row((it.subject, it.metric, before, show(it.value, it.unit)))


def _bounds(low: float | None, high: float | None) -> str:
    return " to ".join(NOTHING if bound is None else f"{bound:.3f}" for bound in (low, high))
