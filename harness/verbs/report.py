"""Rebuild what is derived of RUN (verdict.json, reports, what CI reads), and print the report.

A terminal shows what `loadgate analyze` shows; a pipe or a file gets the whole page, as Markdown.

Examples:

- `loadgate report`  (the newest run)
- `loadgate report runs/20260301-101500-release-1f2e`
- `loadgate report RUN --open`  (in the browser, with charts)
- `loadgate report RUN > report.md`
- `loadgate report RUN --post-mortem > post-mortem.md`
"""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from analysis.html.page import html
from analysis.limits.thresholds import Thresholds
from analysis.report.document import Document
from analysis.report.markdown import markdown
from harness import options
from harness.run.post_mortem import post_mortem_of
from harness.screen.judged import derive, document_of, keep
from harness.screen.plain import Screen, print_json
from harness.screen.saying import saying
from harness.screen.terminal import show
from harness.system.streams import presenting, warn
from recording.errors import ConfigError, NotARunError
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
    as_post_mortem: Annotated[
        bool,
        typer.Option(
            "--post-mortem",
            help="As a post-mortem: issues with their timelines, root causes and what would have "
            "prevented them, computed; error budget.",
        ),
    ] = False,
) -> None:
    """Rebuild and print; the exit code says whether that worked, not what the verdict is."""
    found = open_run_dir(run) if run else _newest(runs)
    limits = options.read_limits(thresholds)
    if as_post_mortem:
        _post_mortem(found, limits, as_json=as_json, in_browser=in_browser, everything=everything)
        return
    with saying("judging …"):
        verdict, calibration = derive(found, limits)
    if in_browser:
        _open(found.page)
        return
    with presenting():
        if as_json:
            print_json(verdict.to_json())
        else:
            _print(document_of(found, verdict, calibration), everything=everything)


def _post_mortem(
    run: RunDir, limits: Thresholds, *, as_json: bool, in_browser: bool, everything: bool
) -> None:
    """Keep it beside the run, and print it. Raises ConfigError for what has none."""
    if as_json:
        raise ConfigError("--post-mortem and --json: its numbers are verdict.json's, so leave one")
    with saying("judging, and playing what would have prevented it …"):
        document, illustrated = post_mortem_of(run, limits)
        keep(run.post_mortem, lambda: markdown(document).encode(errors="replace"))
        keep(run.post_mortem_page, lambda: html(illustrated))
    if in_browser:
        _open(run.post_mortem_page)
        return
    with presenting():
        _print(document, everything=everything)


def _print(document: Document, *, everything: bool) -> None:
    console = Screen()
    if console.is_terminal:
        show(console, document, everything=everything)
    else:
        typer.echo(markdown(document), nl=False)


def _newest(runs: Path) -> RunDir:
    """Raises NotARunError where there is none."""
    found = list_runs(runs)
    if not found:
        raise NotARunError(f"no runs in {runs}/ yet: try `loadgate run smoke`")
    return found[0]


def _open(page: Path) -> None:
    if not webbrowser.open(page.resolve().as_uri()):
        warn(f"no browser could be started; the report is {page}")
