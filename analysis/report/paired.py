"""The report of a gate: Markdown to attach, and the short form for a CI job's summary page."""

from collections.abc import Iterator, Sequence
from typing import Any

from analysis.paired.cost_rows import CostRow
from analysis.paired.values import GateReport
from analysis.paired.words import (
    NOT_CALIBRATED,
    breach_text,
    cost_outcome,
    detectable,
    interval_of,
    percent,
    row_outcome,
    takes,
)
from analysis.regression.latency import LatencyRow
from analysis.report.markdown import md
from analysis.report.single import bullets, checks_table, table_row
from analysis.words.values import Outcome, show
from recording.durations import format_duration
from recording.text import plain

_HEADLINE = {
    Outcome.PASS: "PASS: head is not worse by what matters",
    Outcome.FAIL: "FAIL: head is worse than base",
    Outcome.INCONCLUSIVE: "INCONCLUSIVE: this gate cannot tell",
    Outcome.INVALID: "INVALID: this gate is not evidence",
}


def gate_markdown(report: GateReport, calibration: str | None = None) -> str:
    """The whole report. ``calibration`` is what this host's last calibration said of the gate."""
    lines = [*_opening(report), *(f"- {md(fact)}" for fact in facts(report, calibration)), ""]
    lines += [*_why(report), *_rows(report.gate_rows), *_costs(report.costs)]
    return "\n".join([*lines, *checks_table(report)]) + "\n"


def gate_summary(report: GateReport, calibration: str | None = None) -> str:
    """The short form: verdict, reasons and rows, without the checks."""
    lines = [*_opening(report), *_why(report), *_rows(report.gate_rows), *_costs(report.costs)]
    return "\n".join([*lines, *(f"- {md(fact)}" for fact in facts(report, calibration))]) + "\n"


def _opening(report: GateReport) -> Iterator[str]:
    yield f"# {_HEADLINE[report.verdict]}"
    yield ""
    yield md(report.summary)
    yield ""


def facts(report: GateReport, calibration: str | None) -> Iterator[str]:
    """What was compared, on how much, how far this host's gate is to be trusted; in plain lines."""
    context = report.context
    if context:
        for arm in ("base", "head"):
            yield f"{arm}: {_arm(context[arm])}"
        yield (
            f"run {report.run_id}, profile {report.profile}, started "
            f"{context['started_utc']}, seed {context['seed']}"
        )
        yield _rounds_judged(context)
        if context.get("arms_correlation") is not None:
            yield _draws(context)
        yield _requests(report)
        if context["control"]:
            yield f"control, measured and not judged: {', '.join(context['control'])}"
    yield f"calibration: {plain(calibration) if calibration else NOT_CALIBRATED}"


def _rounds_judged(context: dict[str, Any]) -> str:
    recorded = context["rounds_recorded"]
    if context["look"] is None:
        return f"{recorded} rounds recorded, no look was reached"
    span = format_duration(round(context["judged_s"]))
    return (
        f"{context['rounds']} of {recorded} recorded rounds judged ({span}, look {context['look']})"
    )


def _draws(context: dict[str, Any]) -> str:
    """Whether the arms' services drew for themselves, and what the slots say of it."""
    common = ", ".join(context["same_draws"])
    recorded = context["base"].get("seeds") and context["head"].get("seeds")
    draws = f"the same in both arms of {common}" if common else "independent"
    figure = f"{context['arms_correlation']:.2f}"
    return (
        f"draws: {draws if recorded else 'not recorded'}; slow requests of base and head "
        f"correlate {figure} over the rounds"
    )


def _arm(arm: dict[str, object]) -> str:
    if not arm:
        return "unknown"
    revision = str(arm["revision"])[:12] + (" (changed)" if arm["dirty"] else "")
    overrides = arm["overrides"]
    assert isinstance(overrides, list | tuple)
    with_ = ", with " + ", ".join(map(str, overrides)) if overrides else ""
    return str(arm["what"]) + (f", revision {revision}" if revision else "") + with_


def _requests(report: GateReport) -> str:
    counted, left_out = report.context["counted"], report.context["excluded"]
    arms = ", ".join(f"{arm} {n}" for arm, n in counted.items()) or "none"
    reasons = ", ".join(f"{why} {n}" for why, n in left_out.items())
    return f"requests counted: {arms}; excluded: {reasons or 'none'}"


def _why(report: GateReport) -> Iterator[str]:
    yield from bullets("Why it is not evidence", report.invalid_reasons)
    more = takes(report.context) if report.verdict is Outcome.INCONCLUSIVE else ""
    unsure = (*report.inconclusive_reasons, *([more] if more else []))
    yield from bullets("Why it cannot tell", unsure)
    breaches = tuple(f"{b.subject}: {breach_text(b)}" for b in report.breaches)
    yield from bullets("Worse than base", breaches)
    yield from bullets("Findings", report.findings)


def _rows(rows: Sequence[LatencyRow]) -> Iterator[str]:
    if not rows:
        return
    yield "## Latency, head against base"
    yield ""
    yield "| endpoint | metric | base | head | change | 95 % interval | could have seen | |"
    yield "|---|---|--:|--:|--:|--:|--:|---|"
    for row in rows:
        base, head = (show(ms, row.unit) for ms in (row.base, row.head))
        change = (percent(row.ratio), interval_of(row), detectable(row), row_outcome(row))
        yield table_row(row.subject, row.metric, base, head, *change)
    yield ""


def _costs(rows: Sequence[CostRow]) -> Iterator[str]:
    if not rows:
        return
    yield "## Costs, head against base"
    yield ""
    yield "| subject | metric | base | head | change | |"
    yield "|---|---|--:|--:|--:|---|"
    for row in rows:
        base, head, change = (show(v, row.unit) for v in (row.base, row.head, row.change))
        yield table_row(row.subject, row.metric, base, head, change, cost_outcome(row))
    yield ""
