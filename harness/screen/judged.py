"""Judges a run, stores what is derived, prints the verdict table, ends with its exit code."""

import os
from collections.abc import Callable
from functools import partial
from math import isnan
from pathlib import Path

import typer
from rich.table import Table
from rich.text import Text

from analysis.calibration.record import last_calibration
from analysis.evidence.host import host_class
from analysis.judge import judge
from analysis.limits.thresholds import Thresholds
from analysis.paired.values import GateReport
from analysis.report.ci import junit
from analysis.report.paired import gate_markdown
from analysis.report.single import interval, markdown
from analysis.words.values import Breach, Measurement, Outcome, RuleRow, Verdict
from harness.options import CALIBRATIONS, OnInconclusive, exit_with
from harness.screen.gate_answer import print_gate, publish
from harness.screen.plain import (
    STYLE,
    Screen,
    figure,
    print_lines,
    print_verdict_line,
    styled,
    widen,
)
from harness.system.streams import presenting, warn
from recording.durations import format_duration
from recording.exitcodes import ExitCode
from recording.files import replace_file, why
from recording.flow import STEPS
from recording.manifest import read_manifest
from recording.rundir import RunDir


def finish(
    run: RunDir,
    thresholds: Thresholds,
    *,
    as_json: bool,
    inconclusive: OnInconclusive | None,
) -> None:
    """Judge, store, print. Raises typer.Exit with the verdict's exit code."""
    try:
        verdict = judge(run, thresholds)
        calibration = calibration_of(run, verdict)
        store(run, verdict, calibration)
    except KeyboardInterrupt:
        warn(f"stopped while judging; the recording stands: loadgate analyze {run.root}")
        raise typer.Exit(int(ExitCode.INCONCLUSIVE)) from None
    with presenting():
        _show(run, verdict, calibration, as_json=as_json)
    if isinstance(verdict, GateReport):
        with presenting():
            # Not on stdout under --json: what is printed there must stay one JSON document.
            publish(Screen(stderr=as_json, soft_wrap=True), verdict, os.environ, calibration)
    exit_with(verdict.exit_code, inconclusive)


def _show(run: RunDir, verdict: Verdict, calibration: str | None, *, as_json: bool) -> None:
    console = widen(Screen(), 150)
    if as_json:
        typer.echo(verdict.to_json().decode(), nl=False)
    elif isinstance(verdict, GateReport):
        print_gate(console, run, verdict, calibration)
    else:
        print_verdict(console, run, verdict)


def calibration_of(run: RunDir, verdict: Verdict) -> str | None:
    """What the last calibration of a paired run's host said of its gate; None without one."""
    if not isinstance(verdict, GateReport) or not verdict.context:
        return None
    try:
        host = read_manifest(run.manifest).host
        known = last_calibration(CALIBRATIONS, host_class(host).name)
    except Exception as error:  # noqa: BLE001 - a remark beside the verdict, which stands
        warn(f"this host's calibration cannot be read: {error}")
        return None
    return known.text() if known else None


def report_of(verdict: Verdict, calibration: str | None = None) -> str:
    """The Markdown report of any verdict."""
    if isinstance(verdict, GateReport):
        return gate_markdown(verdict, calibration)
    return markdown(verdict)


def store(run: RunDir, verdict: Verdict, calibration: str | None = None) -> None:
    """Write verdict.json and report.md, and junit.xml of a gate; what cannot be is a warning."""
    _keep(run.verdict, verdict.to_json)
    _keep(run.report, lambda: report_of(verdict, calibration).encode(errors="replace"))
    if isinstance(verdict, GateReport):
        _keep(run.junit, partial(junit, verdict))


def _keep(path: Path, make: Callable[[], bytes]) -> None:
    try:
        replace_file(path, make())
    except OSError as error:
        warn(f"{path} could not be stored: {why(error)}")
    except Exception as error:  # noqa: BLE001 - a report that cannot be made ends no gate
        warn(f"{path} could not be made: {type(error).__name__}: {error}")


def print_verdict(console: Screen, run: RunDir, verdict: Verdict) -> None:
    """One screen: ship or don't, and why."""
    if any(m.metric == "p50" for m in verdict.measurements):
        console.print(_latency_table(verdict))
    if verdict.rows:
        console.print(_rules_table(verdict))
    for title, lines, style in (
        ("not evidence", verdict.invalid_reasons, "magenta"),
        ("cannot tell", verdict.inconclusive_reasons, "yellow"),
        ("finding", verdict.findings, "cyan"),
    ):
        print_lines(console, title, lines, style)
    for breach in verdict.breaches:
        print_lines(console, "breach", [_breach(breach)], "red")
    console.print()
    print_verdict_line(console, verdict.verdict, verdict.summary)
    if context := verdict.context:
        console.print(
            f"{context['requests_measured']} requests measured in "
            f"{format_duration(round(context['measured_s']))} ({context['rate_per_s']:.1f} req/s); "
            f"report: {run.report}",
            style="dim",
            soft_wrap=True,
        )


def _breach(breach: Breach) -> str:
    because = f": {breach.because}" if breach.because else ""
    actual = breach.shown
    return f"{breach.subject}: {breach.metric} is {actual}, required {breach.required}{because}"


def _latency_table(verdict: Verdict) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("step (measured)", no_wrap=True)
    for column in ("requests", "p50 ms", "p95 ms", "p99 ms", "p99 95 % interval", "errors %"):
        table.add_column(column, justify="right")
    found = {(m.subject, m.metric): m for m in verdict.measurements}
    for step in (*STEPS, "journey"):
        if p50 := found.get((step, "p50")):
            cells = [_plain(found[step, name]) for name in ("p50", "p95", "p99")]
            p99, errors = found[step, "p99"], found[step, "error_rate"]
            table.add_row(step, str(p50.n), *cells, interval(p99), _plain(errors))
    return table


def _plain(m: Measurement) -> str:
    text = figure(m.value)
    return f"at least {text}" if m.at_least and not isnan(m.value) else text


def _rules_table(verdict: Verdict) -> Table:
    """One line per rule: its worst subject; rules of a service look at each of its steps."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("rule of", no_wrap=True)
    table.add_column("required", no_wrap=True)
    table.add_column("actual", justify="right", no_wrap=True)
    table.add_column("where", no_wrap=True)
    table.add_column("")
    worst: dict[tuple[str, str], RuleRow] = {}
    for row in verdict.rows:
        key = (row.subject, row.rule)
        if key not in worst or _badness(row) > _badness(worst[key]):
            worst[key] = row
    for row in worst.values():
        m = row.measurement
        where = m.subject if m.subject != row.subject else m.note
        table.add_row(row.subject, row.rule, m.shown, where, _outcome(row))
    return table


def _badness(row: RuleRow) -> tuple[int, float]:
    order = (Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.FAIL)
    return order.index(row.outcome), row.measurement.value


def _outcome(row: RuleRow) -> Text:
    if row.outcome is Outcome.INCONCLUSIVE and not row.required:
        return styled("not decided, not required", "dim")
    return styled(row.outcome, STYLE[row.outcome])
