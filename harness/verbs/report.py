"""Rebuild `verdict.json`, `report.md` and `report.html` of RUN and print the report.

Examples:

- `loadgate report runs/20260301-101500-release-1f2e`
- `loadgate report RUN --open`  (in the browser, with charts)
- `loadgate report RUN > report.md`
"""

import webbrowser
from typing import Annotated

import typer
from rich.markdown import Markdown

from analysis.report.markdown import markdown
from harness import options
from harness.screen.judged import derive, document_of
from harness.screen.plain import Screen, print_json
from harness.system.streams import presenting, warn
from recording.rundir import RunDir, open_run_dir


def report(
    run: options.Run,
    thresholds: options.Thresholds = None,
    as_json: options.Json = False,
    in_browser: Annotated[
        bool, typer.Option("--open", help="Open report.html in the browser instead.")
    ] = False,
) -> None:
    """Rebuild and print; the exit code says whether that worked, not what the verdict is."""
    found = open_run_dir(run)
    verdict, calibration = derive(found, options.read_limits(thresholds))
    if in_browser:
        _open(found)
        return
    with presenting():
        text, console = markdown(document_of(found, verdict, calibration)), Screen()
        if as_json:
            print_json(verdict.to_json())
        elif console.is_terminal:
            console.print(Markdown(text))
        else:
            typer.echo(text, nl=False)


def _open(run: RunDir) -> None:
    if not webbrowser.open(run.page.resolve().as_uri()):
        warn(f"no browser could be started; the report is {run.page}")
