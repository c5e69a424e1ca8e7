"""A calibration: how often this host's gate was wrong, by kind of gate."""

from analysis.calibration.record import Calibration, CalibrationRow
from analysis.report.document import Document, Lines, Row, Table, numbers, texts

_BOUNDS = "bounds: one-sided 95 %, Clopper-Pearson, INVALID gates left out"
_LEFT_OUT = "gates of another command, profile, [regression] or kind of draws are left out"


def calibration_document(found: Calibration | None, path: object) -> Document:
    """All that counts of what ``path`` holds."""
    if found is None:
        nothing = f"no gates kept in {path} yet: try `loadgate calibrate --aa 5`"
        return Document((Lines((nothing,)),))
    counts = ("FAIL", "PASS", "INCONCLUSIVE", "INVALID", "found", "blamed others")
    columns = (*texts("gates", "head is"), *numbers("n", *counts, "s median", "s max"))
    aside = ((found.left_out, _LEFT_OUT), (found.unreadable, "lines cannot be read"))
    said = [f"{count} {what} ({path})" for count, what in aside if count]
    return Document(
        (
            Table(columns, tuple(map(_row, found.rows))),
            Lines((_BOUNDS,), tone="quiet"),
            Lines((*said, found.text())),
        )
    )


def _row(it: CalibrationRow) -> Row:
    failed = f"{it.failed} (<= {100 * it.at_most(it.failed):.1f} %)"
    hits = f"{it.found} (>= {100 * it.at_least(it.found):.1f} %)" if it.injection else ""
    counts = map(str, (it.passed, it.inconclusive, it.invalid))
    seconds = f"{it.median_s:.1f}", f"{it.max_s:.1f}"
    head = it.kind, it.injection or "equal", str(it.gates)
    return Row((*head, failed, *counts, hits, str(it.misblamed), *seconds))
