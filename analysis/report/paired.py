"""The answer of a gate: a page to attach, its short form for a CI job's page, and a screen."""

from collections.abc import Iterator, Sequence
from typing import Any

from analysis.paired.breaches import interval_of, percent
from analysis.paired.cost_rows import CostRow
from analysis.paired.judge import GateReport
from analysis.regression.latency import LatencyRow
from analysis.report.broken import alone
from analysis.report.document import (
    Document,
    Lines,
    Mark,
    Row,
    Table,
    numbers,
    texts,
    verdicts,
)
from analysis.report.next_steps import next_steps
from analysis.report.single import checks, findings, labels, reasons
from analysis.words.values import Measurement, Outcome, show
from recording.durations import format_duration
from recording.slots import BASE, HEAD
from recording.text import plain

_HEADLINE = {
    Outcome.PASS: "PASS: head is not worse by what matters",
    Outcome.FAIL: "FAIL: head is worse than base",
    Outcome.INCONCLUSIVE: "INCONCLUSIVE: this gate cannot tell",
    Outcome.INVALID: "INVALID: this gate is not evidence",
    Outcome.NOT_MEASURED: "not measured: nothing changed that this gate looks at",
}


_READ = Lines(
    (
        "base and head: of all requests of the judged rounds; journey: of all steps together.",
        "change: that of slots side by side, less what the host did to all steps alike; it is what "
        "is judged, and need not be head over base.",
        "FAIL from: so large a change, if it is proven, is a FAIL. PASS below: what a change must "
        "surely be below; who looks more than once must be surer than the 95 % interval is.",
        "found from: the smallest slow-down that such a gate finds four times in five.",
    ),
    tone="quiet",
    only="page",
)
_READ_COSTS = Lines(
    (
        "change: that of slots side by side; of memory_slope the slope of the difference, once "
        "both arms have settled.",
    ),
    tone="quiet",
    only="page",
)


def gate_document(
    report: GateReport,
    calibration: str | None = None,
    stored: str = "report.md",
    *,
    brief: bool = False,
) -> Document:
    """The whole answer, or in ``brief`` without the checks and with the facts at the end.

    ``calibration`` is what this host's last calibration said of the gate, ``stored`` where a
    screen says that the page is kept.
    """
    where = Lines((f"report: {stored}",), tone="quiet", only="screen")
    if report.verdict is Outcome.NOT_MEASURED:
        return _not_measured(report, where)
    facts = Lines(tuple(_facts(report, calibration)), tone="quiet")
    last = facts if brief else checks(report)
    return Document(
        headline=_HEADLINE[report.verdict],
        outcome=report.verdict,
        summary=report.summary,
        about=_about(report.context) if report.context else "",
        facts=() if brief else (facts, where),
        blocks=(
            *_why(report),
            _rows(report.gate_rows),
            _READ,
            _costs(report.costs),
            _READ_COSTS,
            last,
        ),
    )


def _not_measured(report: GateReport, where: Lines) -> Document:
    return Document(
        headline=_HEADLINE[report.verdict],
        outcome=report.verdict,
        summary=report.summary,
        facts=(Lines(tuple(_who(report)), tone="quiet"), where),
        blocks=(findings(report), next_steps(report)),
    )


def _about(context: dict[str, Any]) -> str:
    """What stands between the arms."""
    base, head = context["base"], context["head"]
    if not (base and head):
        return ""
    same = base["revision"] and not (base["dirty"] or head["dirty"])
    if same and base["revision"] == head["revision"] and base["what"] == head["what"]:
        told = [f"{arm} {_told(facts)}" for arm, facts in ((BASE, base), (HEAD, head))]
        equal = base["overrides"] == head["overrides"]
        what = "nothing" if equal else f"what was set: {'; '.join(told)}"
        return f"Both arms are revision {str(base['revision'])[:12]}; they differ in {what}."
    return f"base is {_arm(base)}; head is {_arm(head)}"


def _told(arm: dict[str, Any]) -> str:
    return f"with {', '.join(map(str, arm['overrides']))}" if arm["overrides"] else "as it is"


def _who(report: GateReport) -> Iterator[str]:
    """What was compared, in which run."""
    context = report.context
    for arm in (BASE, HEAD):
        yield f"{arm}: {_arm(context[arm])}"
    seed = f", seed {context['seed']}" if "seed" in context else ""
    yield f"run {report.run_id}, profile {report.profile}, started {context['started_utc']}{seed}"
    yield from labels(context)


def _facts(report: GateReport, calibration: str | None) -> Iterator[str]:
    """What was compared, on how much, how far this host's gate is to be trusted; in plain lines."""
    context = report.context
    if context:
        yield from _who(report)
        yield _rounds_judged(report)
        if context.get("arms_correlation") is not None:
            yield _draws(context)
        yield _requests(report)
        if context["control"]:
            yield f"control, measured and not judged: {', '.join(context['control'])}"
    unknown = "this host has not been calibrated: `loadgate calibrate` measures its gates' errors"
    yield f"calibration: {plain(calibration) if calibration else unknown}"


def _rounds_judged(report: GateReport) -> str:
    context = report.context
    recorded = context["rounds_recorded"]
    if context["look"] is None:
        return f"{recorded} rounds recorded, no look was reached"
    span = format_duration(round(context["judged_s"]))
    planned, decided = (
        context.get("rounds_planned", 0),
        report.verdict in (Outcome.PASS, Outcome.FAIL),
    )
    early = decided and context["rounds"] < planned
    why = f", of {planned} at most: it was decided by then" if early else ""
    return (
        f"{context['rounds']} of {recorded} recorded rounds judged ({span}, "
        f"look {context['look']}){why}"
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


def _arm(arm: dict[str, Any]) -> str:
    if not arm:
        return "unknown"
    revision = str(arm["revision"])[:12] + (" (changed)" if arm["dirty"] else "")
    with_ = f", with {', '.join(map(str, arm['overrides']))}" if arm["overrides"] else ""
    return f"{arm['what']}" + (f", revision {revision}" if revision else "") + with_


def _requests(report: GateReport) -> str:
    counted, left_out = report.context["counted"], report.context["excluded"]
    arms = ", ".join(f"{arm} {n:,}" for arm, n in counted.items()) or "none"
    reasons = ", ".join(f"{why} {n:,}" for why, n in left_out.items())
    return f"requests counted: {arms}; excluded: {reasons or 'none'}"


def _why(report: GateReport) -> tuple[Lines, ...]:
    more = _takes(report.context) if report.verdict is Outcome.INCONCLUSIVE else ()
    worse = alone(report)
    invalid, unsure = reasons(report, *more)
    return (
        invalid,
        Lines(worse, "Worse than base", "worse", Outcome.FAIL),
        unsure,
        next_steps(report, "page"),
        findings(report),
        next_steps(report, "screen"),
    )


def _takes(context: dict[str, Any]) -> Iterator[str]:
    """What a verdict would take, where that is known."""
    rounds, requests = context.get("more_rounds_needed"), context.get("more_requests_needed")
    if rounds is not None and requests is not None:
        yield (
            f"a verdict would take about {rounds:,} more rounds ({requests:,} requests), "
            "were the observed ratios the true ones"
        )


def _rows(rows: Sequence[LatencyRow]) -> Table:
    columns = (
        *texts("endpoint"),
        *texts("metric", short=""),
        *numbers("base", "head", unit="ms"),
        *numbers("change", "95 % interval"),
        *numbers("FAIL from", "PASS below", only="page"),
        *numbers("found from"),
        *verdicts(),
    )
    made = tuple(map(_row, rows))
    return Table(columns, made, "Latency, head against base", passing="percentile")


def _row(it: LatencyRow) -> Row:
    arms = ((BASE, it.base, it.n_base), (HEAD, it.head, it.n_head))
    values = (Measurement(f"{it.subject}@{arm}", it.metric, ms, it.unit, n) for arm, ms, n in arms)
    seen = f"{100 * it.smallest_detectable:+.1f} %" if it.judged else ""
    limits = (it.text(it.minimum), it.text(it.tolerated)) if it.judged else ("", "")
    change, outcome = (percent(it.ratio), interval_of(it), *limits, seen), it.verdict
    page = f"{outcome} ({it.because})" if outcome is Outcome.INCONCLUSIVE else ""
    return Row((it.subject, it.metric, *values, *change, Mark(outcome.value, outcome, page)))


def _costs(costs: Sequence[CostRow]) -> Table:
    columns = (
        *texts("subject", short="cost of"),
        *texts("metric", short="cost"),
        *numbers("base", "head", "change"),
        *verdicts(),
    )
    return Table(
        columns, tuple(map(_cost, costs)), "Costs, head against base", passing="cost", grouped=True
    )


def _cost(cost: CostRow) -> Row:
    values = (show(value, cost.unit) for value in (cost.base, cost.head, cost.change))
    mark = Mark(cost.verdict.value, cost.verdict)
    if cost.verdict is Outcome.INCONCLUSIVE:
        mark = Mark("not decided", cost.verdict, cost.because)
    return Row((cost.subject, cost.metric, *values, mark))
