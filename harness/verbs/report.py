"""Rebuild what is derived of RUN (verdict.json, reports, what CI reads), and print the report.

A terminal shows what `loadgate analyze` shows; a pipe or a file gets the whole page, as Markdown.

Examples:

- `loadgate report`  (the newest run)
- `loadgate report runs/20260301-101500-release-1f2e`
- `loadgate report RUN --open`  (in the browser, with charts)
- `loadgate report RUN > report.md`
"""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from analysis.report.markdown import markdown
from harness import options
from harness.screen.judged import derive, document_of
from harness.screen.plain import Screen, print_json
from harness.screen.saying import saying
from harness.screen.terminal import show
from harness.system.streams import presenting, warn
from recording.errors import NotARunError
from recording.rundir import RunDir, list_runs, open_run_dir


def report(
    run: Annotated[Path | None, options.run_argument(help="Run directory [the newest].")] = None,
    thresholds: options.Thresholds = None,
    runs: options.Runs = options.RUNS,
    everything: options.All = False,
    as_json: options.Json = False,
    in_browser: Annotated[
        bool, typer.Option("--open", help="Open report.html in the browser instead.")
    ] = False,
) -> None:
    """Rebuild and print; the exit code says whether that worked, not what the verdict is."""
    found = open_run_dir(run) if run else _newest(runs)
    limits = options.read_limits(thresholds)
    with saying("judging …"):
        verdict, calibration = derive(found, limits)
    if in_browser:
        _open(found)
        return
    with presenting():
        document, console = document_of(found, verdict, calibration), Screen()
        if as_json:
            print_json(verdict.to_json())
        elif console.is_terminal:
            show(console, document, everything=everything)
        else:
            typer.echo(markdown(document), nl=False)


def _newest(runs: Path) -> RunDir:
    """Raises NotARunError where there is none."""
    found = list_runs(runs)
    if not found:
        raise NotARunError(f"no runs in {runs}/ yet: try `loadgate run smoke`")
    return found[0]


def _open(run: RunDir) -> None:
    if not webbrowser.open(run.page.resolve().as_uri()):
        warn(f"no browser could be started; the report is {run.page}")
