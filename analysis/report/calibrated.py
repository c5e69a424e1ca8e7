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
    counts = ("FAIL", "at most", "PASS", "INCONCLUSIVE", "INVALID")
    judged = (*texts("gates", "head is"), *numbers("n", *counts))
    hits = ("found", "at least", "blamed others", "s median", "s max")
    seen = (*texts("gates", "head is"), *numbers(*hits))
    aside = ((found.left_out, _LEFT_OUT), (found.unreadable, "lines cannot be read"))
    said = [f"{count} {what} ({path})" for count, what in aside if count]
    return Document(
        (
            Table(judged, tuple(map(_judged, found.rows))),
            Table(seen, tuple(map(_seen, found.rows))),
            Lines((_BOUNDS,), tone="quiet"),
            Lines((*said, found.text())),
        )
    )


def _judged(it: CalibrationRow) -> Row:
    counts = it.failed, it.passed, it.inconclusive, it.invalid
    failed, *others = map(str, counts)
    at_most = f"{100 * it.at_most(it.failed):.1f} %"
    return Row((it.kind, it.injection or "equal", str(it.gates), failed, at_most, *others))


def _seen(it: CalibrationRow) -> Row:
    hits = (str(it.found), f"{100 * it.at_least(it.found):.1f} %") if it.injection else ("", "")
    seconds = f"{it.median_s:.1f}", f"{it.max_s:.1f}"
    return Row((it.kind, it.injection or "equal", *hits, str(it.misblamed), *seconds))
