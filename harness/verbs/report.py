"""Rebuild `verdict.json` and `report.md` of RUN and print the report.

Examples:

- `loadgate report runs/20260301-101500-release-1f2e`
- `loadgate report RUN > report.md`
"""

import typer
from rich.markdown import Markdown

from analysis.report.markdown import markdown
from harness import options
from harness.screen.judged import derive, document_of
from harness.screen.plain import Screen, print_json
from harness.system.streams import presenting
from recording.rundir import open_run_dir


def report(
    run: options.Run, thresholds: options.Thresholds = None, as_json: options.Json = False
) -> None:
    """Rebuild and print; the exit code says whether that worked, not what the verdict is."""
    found = open_run_dir(run)
    verdict, calibration = derive(found, options.read_limits(thresholds))
    with presenting():
        text, console = markdown(document_of(found, verdict, calibration)), Screen()
        if as_json:
            print_json(verdict.to_json())
        elif console.is_terminal:
            console.print(Markdown(text))
        else:
            typer.echo(text, nl=False)
