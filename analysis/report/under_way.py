"""What there is to say of a run that goes on: how it stands, never how it will end."""

from dataclasses import replace

from analysis.report.document import Document, Lines, Mark
from analysis.report.glance import glance_of
from analysis.report.single import checks, findings, latency_table, reasons, rules_table
from analysis.words.units import counted
from analysis.words.values import Outcome, RuleRow, Verdict

_SO_FAR = {
    Outcome.PASS: Mark("holds so far", "quiet"),
    Outcome.FAIL: Mark("broken so far", Outcome.FAIL),
    Outcome.INCONCLUSIVE: Mark("open", "quiet"),
}


def waiting_document(name: str) -> Document:
    """Before anything was recorded."""
    return Document((), headline=f"{name}: not yet under load")


def under_way_document(verdict: Verdict) -> Document:
    """Of a verdict on the recording so far (``analysis/single/under_way.py``)."""
    invalid, _ = reasons(verdict)
    is_invalid = verdict.verdict is Outcome.INVALID
    name = "INVALID so far: this run is not evidence" if is_invalid else "under way"
    return Document(
        headline=f"{verdict.profile}: {name}",
        outcome=Outcome.INVALID if is_invalid else None,
        summary=verdict.summary if is_invalid else _summary(verdict),
        blocks=(
            invalid,
            Lines(tuple(map(str, verdict.breaches)), "Broken so far", tone=Outcome.FAIL),
            rules_table(verdict, _standing),
            latency_table(verdict),
            findings(verdict),
            checks(verdict),
        ),
    )


def glanced_at(document: Document, verdict: Verdict) -> Document:
    """With the four numbers so far; only of the whole run is it said that it is evidence."""
    glance = glance_of(verdict)
    if glance is None or verdict.verdict is Outcome.INVALID:
        return replace(document, glance=glance)
    held = f"so far: {counted(len(verdict.checks), 'check')} of the run itself hold"
    said = held if verdict.checks else "too early to say"
    return replace(document, glance=replace(glance, evidence=Mark(said, "quiet")))


def _standing(row: RuleRow) -> Mark:
    return _SO_FAR[row.outcome]


def _summary(verdict: Verdict) -> str:
    rows = [row for row in verdict.rows if row.applies]
    held, broken, still_open = (
        sum(row.outcome is outcome for row in rows)
        for outcome in (Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE)
    )
    return (
        f"So far {counted(held, 'rule')} hold, {broken} are broken and {still_open} are open; "
        "the verdict comes at the end"
    )
