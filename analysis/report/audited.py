"""An audit of a published table: what contradicts itself, what is worth a question, headroom."""

from itertools import groupby

from analysis.audit.catalogue import Audit
from analysis.audit.finding import Finding, number
from analysis.audit.headroom import Headroom
from analysis.report.document import Document, Row, Table, numbers, texts
from analysis.words.units import counted
from analysis.words.values import NO_DATA


def audit_document(found: Audit) -> Document:
    """A table for each kind of contradiction, then questions, then the limits."""
    kinds = groupby(found.contradictions, key=lambda it: it.kind)
    return Document(
        outcome=found.outcome,
        headline=f"Audit of {found.source}",
        summary=_summary(found),
        blocks=(
            *(_findings(str(kind), tuple(each)) for kind, each in kinds),
            _findings("worth a question", found.questions),
            _headroom(found),
        ),
        closing=_first_limit(found),
    )


def _summary(found: Audit) -> str:
    wrong, asked = len(found.contradictions), len(found.questions)
    said = counted(wrong, "contradiction") if wrong else "No contradiction"
    more = f" and {counted(asked, 'question')}" if asked else ""
    return f"{said}{more} in {counted(found.checked, 'relation')} checked"


def _findings(title: str, each: tuple[Finding, ...]) -> Table:
    rows = tuple(Row((_said(it), it.where)) for it in each)
    return Table(tuple(texts(title, "where")), rows, title)


def _said(it: Finding) -> str:
    return f"{it.says}; unless {it.unless}" if it.unless else it.says


def _headroom(found: Audit) -> Table:
    """Each limit's share that is used, today and at every load to come."""
    loads = numbers("today", *(name for name, _ in found.loads), "reached at")
    columns = (*texts("limit", "of"), *numbers("max"), *loads)
    return Table(columns, tuple(_limit(it, found) for it in found.headroom), "Headroom")


def _limit(it: Headroom, found: Audit) -> Row:
    shares = [it.at(load) for load in (1.0, *(factor for _, factor in found.loads))]
    used = (NO_DATA if share is None else f"{100 * share:.0f} %" for share in shares)
    reached = NO_DATA if it.factor is None else f"{it.factor:.2f} ×"
    return Row((it.name, it.what, number(it.limit), *used, reached))


def _first_limit(found: Audit) -> str:
    first = found.headroom[0] if found.headroom else None
    takes = first.factor if first else None
    if first is None or takes is None:
        return ""
    past = [name for name, factor in found.loads if factor > takes]
    when = f", so not {past[0]}" if past else ""
    said = f"First limit: {first.name} ({first.what})"
    return f"{said} takes {takes:.2f} times today's load{when}."
