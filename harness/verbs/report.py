"""Rebuild `verdict.json`, `report.md` and what CI reads of RUN, and print the report.

Examples:

- `loadgate report`  (the newest run)
- `loadgate report runs/20260301-101500-release-1f2e`
- `loadgate report RUN > report.md`
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.markdown import Markdown

from analysis.report.markdown import markdown
from harness import options
from harness.screen.judged import derive, document_of
from harness.screen.plain import Screen, print_json
from harness.system.streams import presenting
from recording.errors import NotARunError
from recording.rundir import RunDir, list_runs, open_run_dir


def report(
    run: Annotated[
        Path | None, typer.Argument(metavar="RUN", help="Run directory [the newest].")
    ] = None,
    thresholds: options.Thresholds = None,
    runs: options.Runs = options.RUNS,
    as_json: options.Json = False,
) -> None:
    """Rebuild and print; the exit code says whether that worked, not what the verdict is."""
    found = open_run_dir(run) if run else _newest(runs)
    verdict, calibration = derive(found, options.read_limits(thresholds))
    with presenting():
        text, console = markdown(document_of(found, verdict, calibration)), Screen()
        if as_json:
            print_json(verdict.to_json())
        elif console.is_terminal:
            console.print(Markdown(text))
        else:
            typer.echo(text, nl=False)


def _newest(runs: Path) -> RunDir:
    """Raises NotARunError where there is none."""
    found = list_runs(runs)
    if not found:
        raise NotARunError(f"no runs in {runs}/ yet: try `loadgate run smoke`")
    return found[0]
