"""Prints a gate's answer, and hands it to the CI system it runs in."""

from collections.abc import Mapping
from pathlib import Path

from rich.table import Table
from rich.text import Text

from analysis.paired.values import GateReport
from analysis.paired.words import (
    breach_text,
    detectable,
    interval_of,
    percent,
    takes,
)
from analysis.report.ci import annotations
from analysis.report.paired import facts, gate_summary
from analysis.words.values import Outcome, show
from harness.screen.plain import (
    STYLE,
    Screen,
    figure,
    print_lines,
    print_verdict_line,
    styled,
    table,
)
from recording.errors import StorageError
from recording.rundir import RunDir


def print_gate(
    console: Screen, run: RunDir, report: GateReport, calibration: str | None = None
) -> None:
    """One screen: is head worse than base, where, and how sure is that."""
    if report.gate_rows:
        console.print(_latency(report))
    if report.costs:
        console.print(_costs(report))
    more = takes(report.context) if report.verdict is Outcome.INCONCLUSIVE else ""
    for title, lines, style in (
        ("not evidence", report.invalid_reasons, "magenta"),
        ("cannot tell", (*report.inconclusive_reasons, *([more] if more else [])), "yellow"),
        ("worse", tuple(f"{b.subject}: {breach_text(b)}" for b in report.breaches), "red"),
        ("finding", report.findings, "cyan"),
    ):
        print_lines(console, title, lines, style)
    console.print()
    for line in facts(report, calibration):
        console.print(line, style="dim", soft_wrap=True)
    console.print(f"report: {run.report}", style="dim", soft_wrap=True)
    print_verdict_line(console, report.verdict, report.summary)


def _latency(report: GateReport) -> Table:
    numbers = ("base ms", "head ms", "change", "95 % interval", "could have seen")
    made = table("endpoint", "", *numbers)
    made.add_column("")
    for row in report.gate_rows:
        base, head = (figure(ms) for ms in (row.base, row.head))
        cells = (base, head, percent(row.ratio), interval_of(row), detectable(row))
        made.add_row(row.subject, row.metric, *cells, _verdict(row.verdict, row.verdict.value))
    return made


def _costs(report: GateReport) -> Table:
    """What did not PASS; the report has every cost, and why."""
    made = table("cost of", "", "base", "head", "change")
    made.add_column("", no_wrap=True)
    for row in report.costs:
        if row.verdict is not Outcome.PASS:
            cells = (show(value, row.unit) for value in (row.base, row.head, row.change))
            word = "not decided" if row.verdict is Outcome.INCONCLUSIVE else row.verdict.value
            made.add_row(row.subject, row.metric, *cells, _verdict(row.verdict, word))
    passed = sum(row.verdict is Outcome.PASS for row in report.costs)
    made.add_row(f"{passed} others", "", "", "", "", _verdict(Outcome.PASS, "PASS"))
    return made


def _verdict(verdict: Outcome, words: str) -> Text:
    return styled(words, STYLE[verdict])


def publish(
    console: Screen,
    report: GateReport,
    environment: Mapping[str, str],
    calibration: str | None = None,
) -> None:
    """In a GitHub job: annotations, and the report on the job's summary page.

    Raises StorageError when the summary file that the job was given cannot be written.
    """
    if environment.get("GITHUB_ACTIONS") == "true":
        for line in annotations(report):
            console.print(Text(line), soft_wrap=True)  # the one text that is to act
    if path := environment.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(gate_summary(report, calibration))
        except OSError as error:
            raise StorageError(f"{path}: summary not written: {error.strerror}") from error
