"""The report to attach to a release: Markdown, everything on one page, numbers with units."""

from collections.abc import Iterator

from analysis.report.markdown import code, md
from analysis.words.values import (
    NO_DATA,
    Check,
    Measurement,
    Outcome,
    RuleRow,
    Verdict,
    is_about_shipping,
    show,
)
from recording.durations import format_duration

_HEADLINE = {
    Outcome.PASS: "PASS: ship",
    Outcome.FAIL: "FAIL: do not ship",
    Outcome.INCONCLUSIVE: "INCONCLUSIVE: this run cannot tell",
    Outcome.INVALID: "INVALID: this run is not evidence",
}


def markdown(verdict: Verdict) -> str:
    """The whole report."""
    return "\n".join(_lines(verdict)) + "\n"


def _lines(verdict: Verdict) -> Iterator[str]:
    works = verdict.verdict is Outcome.PASS and not is_about_shipping(verdict.rows)
    yield f"# {'PASS: it works' if works else _HEADLINE[verdict.verdict]}"
    yield ""
    yield md(verdict.summary)
    yield ""
    yield from _facts(verdict)
    yield from bullets("Why it is not evidence", verdict.invalid_reasons)
    yield from bullets("Why it cannot tell", verdict.inconclusive_reasons)
    yield from _breaches(verdict)
    yield from bullets("Findings", verdict.findings)
    yield from _rules(verdict)
    yield from _measurements(verdict)
    yield from checks_table(verdict)


def _facts(verdict: Verdict) -> Iterator[str]:
    context = verdict.context
    if not context:
        return
    git = context["git"] or {}
    revision = str(git.get("revision", ""))[:12] + (" (changed)" if git.get("dirty") else "")
    seed = f", seed {context['seed']}" if context["seed"] is not None else ""
    overrides = ", ".join(map(code, context["overrides"])) or "none"
    yield f"- run {code(verdict.run_id)}, profile {code(verdict.profile)}, overrides: {overrides}"
    yield f"- started {md(context['started_utc'])}, revision {md(revision) or 'unknown'}{seed}"
    yield (
        f"- {context['requests_measured']} requests measured in "
        f"{format_duration(round(context['measured_s']))} ({context['rate_per_s']:.1f} req/s), "
        f"{context['requests_excluded']} in other phases excluded"
    )
    yield ""


def bullets(title: str, lines: tuple[str, ...]) -> Iterator[str]:
    """A section of one line each; nothing without lines."""
    if lines:
        yield f"## {title}"
        yield ""
        yield from (f"- {md(line)}" for line in lines)
        yield ""


def table_row(*cells: object) -> str:
    """A row of a table; whatever a cell holds stays in it."""
    return "| " + " | ".join(md(str(cell)) for cell in cells) + " |"


def _breaches(verdict: Verdict) -> Iterator[str]:
    if not verdict.breaches:
        return
    yield "## Breaches"
    yield ""
    yield "| subject | metric | actual | required | because |"
    yield "|---|---|--:|--:|---|"
    for b in verdict.breaches:
        yield table_row(b.subject, b.metric, b.shown, b.required, b.because)
    yield ""


def _rules(verdict: Verdict) -> Iterator[str]:
    if not verdict.rows:
        return
    yield "## Rules"
    yield ""
    yield "| rule of | subject | rule | actual | 95 % interval | n | |"
    yield "|---|---|---|--:|--:|--:|---|"
    for row in verdict.rows:
        m = row.measurement
        cells = (row.subject, m.subject, row.rule, m.shown, interval(m), m.n, outcome_text(row))
        yield table_row(*cells)
    yield ""


def outcome_text(row: RuleRow) -> str:
    """PASS, FAIL, or why a row is open."""
    if row.outcome is not Outcome.INCONCLUSIVE:
        return row.outcome.value
    word = "INCONCLUSIVE" if row.required else "not decided, not required"
    return f"{word} ({row.because})" if row.because else word


def interval(m: Measurement) -> str:
    """``298 to 331``; an open side is ``?``; "" where there is no interval."""
    if m.ci_low is None and m.ci_high is None:
        return ""
    low, high = ("?" if x is None else show(x) for x in (m.ci_low, m.ci_high))
    return f"{low} to {high}"


def _measurements(verdict: Verdict) -> Iterator[str]:
    steps = list(dict.fromkeys(m.subject for m in verdict.measurements if m.metric == "p50"))
    table = {(m.subject, m.metric): m for m in verdict.measurements}
    if not steps:
        return
    yield "## Latency and errors (measured phases, every outcome)"
    yield ""
    yield "| step | requests | mean | p50 | p95 | p99 | max | errors |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    for step in steps:
        cells = [table[step, name] for name in ("mean", "p50", "p95", "p99", "max", "error_rate")]
        yield table_row(step, cells[0].n, *(m.shown for m in cells))
    yield ""


def checks_table(verdict: Verdict) -> Iterator[str]:
    """The section of checks of the run itself."""
    if not verdict.checks:
        return
    yield "## Is the run evidence?"
    yield ""
    yield "| check | actual | allowed | |"
    yield "|---|--:|--:|---|"
    for check in verdict.checks:
        yield table_row(check.name, check.actual, check.allowed, _mark(check))
    yield ""


def _mark(check: Check) -> str:
    if not check.ok:
        return "INVALID"
    return "not known" if check.actual == NO_DATA else "ok"
