"""The verdict on one run: a page to attach to a release, a screen to act on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from analysis.report.broken import alone, causes
from analysis.report.connections import connections
from analysis.report.document import (
    Code,
    Document,
    Line,
    Lines,
    Mark,
    Row,
    Table,
    numbers,
    texts,
    verdicts,
)
from analysis.report.error_budget import error_budget
from analysis.report.next_steps import next_steps
from analysis.report.story import time_table
from analysis.words.folding import unfiled
from analysis.words.units import counted
from analysis.words.values import (
    NO_DATA,
    Breach,
    Measurement,
    Outcome,
    RuleRow,
    Verdict,
    is_about_shipping,
    show,
)
from recording.durations import format_duration
from recording.labels import as_text
from recording.metric_names import ORDERS_DB

_HEADLINE = {
    Outcome.PASS: "PASS: ship",
    Outcome.FAIL: "FAIL: do not ship",
    Outcome.INCONCLUSIVE: "INCONCLUSIVE: this run cannot tell",
    Outcome.INVALID: "INVALID: this run is not evidence",
}
_UNSURE = {False: "Why it cannot tell", True: "What it cannot tell beside that"}
AS_ABOVE = "the same"
"""What a breach is because of, under the first of its cause."""
_ORDER = (Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.FAIL)
_NAMED = 2
"""Rules of a subject about what was not there that are named; more of them are counted."""


def run_document(verdict: Verdict, stored: str = "report.md", *, brief: bool = False) -> Document:
    """The whole verdict, or in ``brief`` without the checks.

    ``stored`` is where a screen says that the page is kept.
    """
    works = verdict.verdict is Outcome.PASS and not is_about_shipping(verdict.rows)
    context, latency = verdict.context, latency_table(verdict)
    invalid, unsure = reasons(verdict)
    return Document(
        headline="PASS: it works" if works else _HEADLINE[verdict.verdict],
        outcome=verdict.verdict,
        summary=verdict.summary,
        about=_about(verdict, context) if context else "",
        facts=_facts(verdict, context) if context else (),
        blocks=(
            replace(latency, only="screen"),
            invalid,
            causes(verdict, "page"),
            next_steps(verdict, "page"),
            _breaches(verdict),
            unsure,
            findings(verdict),
            causes(verdict, "screen"),
            Lines(alone(verdict), label="breach", tone=Outcome.FAIL, only="screen"),
            next_steps(verdict, "screen"),
            rules_table(verdict),
            replace(latency, only="page"),
            _database(verdict),
            error_budget(verdict),
            *(() if brief else (*_told(context), *connections(context), checks(verdict))),
        ),
        closing=f"{_measured(context)}\nreport: {stored}" if context else "",
    )


def _facts(verdict: Verdict, context: dict[str, Any]) -> tuple[Lines, ...]:
    git = context["git"] or {}
    revision = str(git.get("revision", ""))[:12] + (" (changed)" if git.get("dirty") else "")
    seed = f", seed {context['seed']}" if context["seed"] is not None else ""
    run, profile = Code(verdict.run_id), Code(verdict.profile)
    overrides = _overrides(context)
    lines = (
        ("run ", run, ", profile ", profile, ", overrides: ", *(overrides or ["none"])),
        f"started {context['started_utc']}, revision {revision or 'unknown'}{seed}",
        f"{_measured(context)}, {context['requests_excluded']:,} in other phases excluded",
    )
    return (Lines((*lines, *labels(context)), only="page"),)


def _overrides(context: dict[str, Any]) -> list[str]:
    return [part for key in context["overrides"] for part in (", ", Code(key))][1:]


def _about(verdict: Verdict, context: dict[str, Any]) -> Line:
    """What was run, and what was changed for it."""
    changed = _overrides(context)
    with_ = (", changed for this run: ", *changed) if changed else ()
    return ("profile ", Code(verdict.profile), *with_)


def _told(context: dict[str, Any]) -> Iterator[Table]:
    """How the run's time is the story's, where it tells one."""
    if story := context.get("story"):
        phases = [(row["phase"], row["run_s"], row["story_s"]) for row in story]
        yield replace(time_table(phases), only="page")


def labels(context: dict[str, Any]) -> Iterator[str]:
    """What people know the run by, in a line; nothing where it has none."""
    if named := context.get("labels"):
        yield f"labels: {as_text(named)}"


def _measured(context: dict[str, Any]) -> str:
    span = format_duration(round(context["measured_s"]))
    rate = f"{context['rate_per_s']:.1f} req/s"
    return f"{counted(context['requests_measured'], 'request')} measured in {span} ({rate})"


def reasons(verdict: Verdict, *more: str) -> tuple[Lines, Lines]:
    """Why it is no evidence, and why it cannot tell."""
    invalid, unsure = verdict.invalid_reasons, (*verdict.inconclusive_reasons, *more)
    return (
        Lines(invalid, "Why it is not evidence", "not evidence", Outcome.INVALID),
        Lines(
            unsure, _UNSURE[verdict.verdict is Outcome.FAIL], "cannot tell", Outcome.INCONCLUSIVE
        ),
    )


def findings(verdict: Verdict) -> Lines:
    """What is worth knowing and decides nothing."""
    return Lines(verdict.findings, "Findings", "finding", "note")


def _breaches(verdict: Verdict) -> Table:
    columns = (*texts("subject", "metric"), *numbers("actual", "required"), *texts("because"))
    rows = (
        Row((b.subject, b.metric, b.shown, b.required, AS_ABOVE if at else because))
        for because, group in _reasons(verdict)
        for at, b in enumerate(group)
    )
    return Table(columns, tuple(rows), "Breaches", only="page")


def _reasons(verdict: Verdict) -> Iterator[tuple[str, Sequence[Breach]]]:
    """Causes, then what stands alone, each with what it breaks."""
    for cause in verdict.causes:
        yield cause.name, [verdict.breaches[place] for place in cause.breaches]
    for group in unfiled(verdict.breaches, verdict.causes):
        yield group[0].because, group


def rules_table(verdict: Verdict, mark: Callable[[RuleRow], Mark] | None = None) -> Table:
    """Each rule with what was measured and what became of it; ``mark`` says that in other words."""
    columns = (
        *texts("rule of"),
        *texts("subject", only="page"),
        *texts("rule", short="required"),
        *numbers("actual"),
        *texts("where", only="screen"),
        *numbers("95 % interval", "n", only="page"),
        *verdicts(),
    )
    rows = tuple(_rule_rows(verdict, mark or _outcome))
    return Table(columns, rows, "Rules", passing="rule", grouped=True)


def _rule_rows(verdict: Verdict, mark: Callable[[RuleRow], Mark]) -> Iterator[Row]:
    """A rule of a service looks at each of its steps; a screen has the worst of them. What the run
    was made without is a row.
    """
    for (_, rule, _), group in groupby(_broken_first(verdict.rows), _of_one):
        rows = list(group)
        if rule is None:
            yield _lacking(rows)
            continue
        worst = max(rows, key=lambda row: (_ORDER.index(row.outcome), row.measurement.value))
        for row in rows:
            m = row.measurement
            where = m.subject if m.subject != row.subject else m.note
            cells = (row.subject, m.subject, row.rule, m.shown, where, _interval(m), f"{m.n:,}")
            yield Row((*cells, mark(row)), only=None if row is worst else "page")


def _of_one(row: RuleRow) -> tuple[str, str | None, str]:
    """The subject and rule; where the run had nothing that the rule is about, what it lacked."""
    return (row.subject, row.rule, "") if row.applies else (row.subject, None, _lacked(row))


def _lacked(row: RuleRow) -> str:
    return row.measurement.note


def _lacking(rows: Sequence[RuleRow]) -> Row:
    """All rules of a subject that are about one thing that was not there."""
    first, lacked = rows[0], _lacked(rows[0])
    named = ", ".join(row.rule for row in rows)
    said = named if len(rows) <= _NAMED else counted(len(rows), "rule")
    open_ = Mark("not decided", "quiet", f"not decided, not required ({lacked})")
    return Row((first.subject, first.subject, said, NO_DATA, lacked, "", "0", open_))


def _broken_first(rows: Sequence[RuleRow]) -> list[RuleRow]:
    """Sections with a broken rule, then those with one that should be decided and is not, then the
    rest; the rules of a section alike.
    """
    worst: dict[object, int] = {}
    for row in rows:
        counts = row.required or row.outcome is not Outcome.INCONCLUSIVE
        place = _ORDER.index(row.outcome) if counts else 0
        for key in (row.subject, (row.subject, row.rule)):
            worst[key] = max(worst.get(key, 0), place)
    sections = list(dict.fromkeys(row.subject for row in rows))

    def place_of(row: RuleRow) -> tuple[int, int, int, bool]:
        rule = worst[row.subject, row.rule]
        return -worst[row.subject], sections.index(row.subject), -rule, _of_one(row)[1] is None

    return sorted(rows, key=place_of)


def _outcome(row: RuleRow) -> Mark:
    """PASS, FAIL, or that it is open; on a page with the reason."""
    if row.outcome is not Outcome.INCONCLUSIVE:
        return Mark(row.outcome.value, row.outcome)
    word = row.outcome.value if row.required else "not decided, not required"
    page = f"{word} ({row.because})" if row.because else word
    if not row.required:
        return Mark("not decided", "quiet", page)
    return Mark(word, row.outcome, page)


def _interval(m: Measurement) -> str:
    """``298 to 331``; an open side is ``?``; "" where there is no interval."""
    if m.ci_low is None and m.ci_high is None:
        return ""
    return " to ".join("?" if bound is None else show(bound) for bound in (m.ci_low, m.ci_high))


_OF_STEPS = ("mean", "p50", "p95", "p99", "max", "error_rate")


def latency_table(verdict: Verdict) -> Table:
    """Every step that was seen, and the journey."""
    columns = (
        *texts("step", short="step (measured)"),
        *numbers("requests"),
        *numbers("mean", unit="ms", only="page"),
        *numbers("p50", "p95", "p99", unit="ms"),
        *numbers("p99 95 % interval", only="screen"),
        *numbers("max", unit="ms", only="page"),
        *numbers("errors", unit="%"),
    )
    found = {(m.subject, m.metric): m for m in verdict.measurements}
    rows = []
    for step in dict.fromkeys(m.subject for m in verdict.measurements if m.metric == "p50"):
        if not all((step, name) in found for name in _OF_STEPS):
            continue  # only a rule names it
        mean, p50, p95, p99 = (found[step, name] for name in ("mean", "p50", "p95", "p99"))
        cells = (step, f"{mean.n:,}", mean, p50, p95, p99, _interval(p99))
        rows.append(Row((*cells, found[step, "max"], found[step, "error_rate"])))
    return Table(
        columns,
        tuple(rows),
        "Latency and errors (measured phases, every outcome)",
    )


def _database(verdict: Verdict) -> Table:
    """What was measured of the checkout's database, whether a rule is about it or not."""
    found = [m for m in verdict.measurements if m.subject == ORDERS_DB and m.n]
    rows = tuple(Row((m.metric, m.shown, f"{m.n:,}", m.note)) for m in found)
    columns = (*texts("figure"), *numbers("value", "n"), *texts("where"))
    return Table(columns, rows, f"Database: {ORDERS_DB}", only="page")


def checks(verdict: Verdict) -> Table:
    """Those of the run itself."""
    columns = (*texts("check"), *numbers("actual", "allowed"), *texts(""))
    rows = []
    for check in verdict.checks:
        known = "not known" if check.actual == NO_DATA else "ok"
        rows.append(
            Row((check.name, check.actual, check.allowed, known if check.ok else "INVALID"))
        )
    return Table(columns, tuple(rows), "Can this run be trusted?", only="page")
