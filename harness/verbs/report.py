"""``loadgate report``: rebuild verdict.json and report.md of a run, and print the report."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markdown import Markdown

from analysis.judge import judge
from analysis.limits.thresholds import load_thresholds
from analysis.words.values import Verdict
from harness.options import Json, Thresholds
from harness.screen.judged import calibration_of, report_of, store
from harness.screen.plain import Screen
from harness.system.paths import find_thresholds
from harness.system.streams import presenting
from recording.rundir import open_run_dir

HELP = """
Rebuild `verdict.json` and `report.md` of RUN and print the report.

Examples:

- `loadgate report runs/20260301-101500-release-1f2e`
- `loadgate report RUN > report.md`
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("report", help=HELP)(report)


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run directory.")],
    thresholds: Thresholds = None,
    as_json: Json = False,
) -> None:
    """Rebuild and print; the exit code says whether that worked, not what the verdict is."""
    found = open_run_dir(run)
    verdict = judge(found, load_thresholds(find_thresholds(thresholds)))
    calibration = calibration_of(found, verdict)
    store(found, verdict, calibration)
    with presenting():
        _show(verdict, report_of(verdict, calibration), as_json=as_json)


def _show(verdict: Verdict, text: str, *, as_json: bool) -> None:
    console = Screen()
    if as_json:
        typer.echo(verdict.to_json().decode(), nl=False)
    elif console.is_terminal:
        console.print(Markdown(text))
    else:
        typer.echo(text, nl=False)
