"""What a page says beside its verdict before anything else: four numbers, and is it evidence?"""

from collections.abc import Iterator

from analysis.capacity.judge import CapacityReport
from analysis.paired.judge import GateReport
from analysis.report.document import Figure, Glance, Mark
from analysis.tuning.judge import TuneReport
from analysis.words.units import as_change
from analysis.words.values import NO_DATA, Measurement, Outcome, Verdict, show
from recording.durations import format_duration
from recording.profile import JOURNEY


def glance_of(verdict: Verdict) -> Glance | None:
    """Of any verdict; None where so little was measured, or can be read, that there are none."""
    if not verdict.context or verdict.verdict is Outcome.NOT_MEASURED:
        return None
    return Glance(tuple(_figures(verdict)), _evidence(verdict))


def _figures(verdict: Verdict) -> Iterator[Figure]:
    if isinstance(verdict, GateReport):
        return _of_gate(verdict)
    if isinstance(verdict, CapacityReport | TuneReport):
        return _of_search(verdict)
    return _of_run(verdict)


def _evidence(verdict: Verdict) -> Mark:
    wrong = sum(not check.ok for check in verdict.checks)
    said = f"{wrong} of {len(verdict.checks)} checks of the run itself fail"
    if wrong or verdict.invalid_reasons:
        return Mark(f"no: {said}" if wrong else "no", Outcome.INVALID)
    return Mark(f"yes: {len(verdict.checks)} checks of the run itself hold", Outcome.PASS)


def _of_run(verdict: Verdict) -> Iterator[Figure]:
    context = verdict.context
    span = format_duration(round(context["measured_s"]))
    rate = f"{context['rate_per_s']:,.1f} req/s for {span}"
    yield Figure("requests measured", f"{context['requests_measured']:,}", rate)
    found = {m.metric: m for m in verdict.measurements if m.subject == JOURNEY}
    for metric, title in (("p99", "p99 of all requests"), ("error_rate", "failed")):
        measured = found.get(metric)
        beside = _worst_step(verdict) if metric == "error_rate" else ""
        shown = measured.shown if measured else NO_DATA
        yield Figure(title, shown, beside or _interval(measured))
    yield _rules(verdict)


def _worst_step(verdict: Verdict) -> str:
    """Of what fails the step that does so most; "" where none does."""
    rates = [m for m in verdict.measurements if m.metric == "error_rate" and m.value > 0]
    of_steps = [m for m in rates if m.subject in verdict.context["outcomes"]]
    worst = max((m for m in of_steps if m.subject != JOURNEY), key=lambda m: m.value, default=None)
    return f"of {worst.subject} {worst.shown}" if worst else ""


def _of_search(verdict: CapacityReport | TuneReport) -> Iterator[Figure]:
    """What was found, and how its confirmation went."""
    if isinstance(verdict, CapacityReport):
        for measured in verdict.measurements:
            yield Figure("largest load", measured.shown, _interval(measured))
    elif verdict.asked:
        for setting, value in zip(verdict.asked.settings, verdict.answer, strict=False):
            today = f"{setting.key}, today {setting.text(setting.present)}"
            title = "what is enough" if verdict.sure else "not confirmed"
            yield Figure(title, setting.text(value), today)
    yield Figure("searched for", format_duration(round(verdict.context["searched_s"])))
    if verdict.rows:
        yield _rules(verdict)


def _rules(verdict: Verdict) -> Figure:
    rows = [row for row in verdict.rows if row.applies]
    broken = sum(row.outcome is Outcome.FAIL for row in rows)
    open_ = [row.required for row in rows if row.outcome is Outcome.INCONCLUSIVE]
    parts = [f"{broken} broken"]
    parts += [f"{sum(open_)} not decided"] if any(open_) else []
    parts += [f"{open_.count(False)} not required and open"] if not all(open_) else []
    kept = len(rows) - broken - len(open_)
    return Figure("rules that hold", f"{kept} of {len(rows)}", ", ".join(parts))


def _interval(m: Measurement | None) -> str:
    if m is None or m.ci_low is None or m.ci_high is None:
        return ""
    return f"95 % interval {show(m.ci_low)} to {show(m.ci_high, m.unit)}"


def _of_gate(report: GateReport) -> Iterator[Figure]:
    context = report.context
    rounds = f"{context['rounds']} of {context['rounds_planned']}"
    yield Figure("rounds judged", rounds, f"in {format_duration(round(context['judged_s']))}")
    arms = ", ".join(f"{arm} {n:,}" for arm, n in context["counted"].items())
    yield Figure("requests counted", f"{context['requests_counted']:,}", arms)
    judged = [row for row in report.gate_rows if row.judged]
    if not judged:
        return
    most = max(judged, key=lambda row: row.ratio)
    yield Figure("largest change", as_change(most.ratio), f"{most.subject} {most.metric}")
    blind = max(judged, key=lambda row: row.smallest_detectable)
    seen = f"+{100 * blind.smallest_detectable:.1f} %"
    where = f"{blind.subject} {blind.metric}, the least sensitive; four times in five"
    yield Figure("any slow-down is found from", seen, where)
