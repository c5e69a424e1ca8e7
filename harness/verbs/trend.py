"""How METRIC went from run to run, and where it changed its level.

Of every subject that has it, or of those named. Runs are points of one line where profile, load and
host class are the newest's; INVALID ones are no evidence and left out. Baselines that are kept in a
folder can be asked instead. Judges nothing: exit code 0.

A change is found by PELT on ranks, in about 1 % of series without one, from 12 runs on
(docs/statistics.md).

Examples:

- `loadgate trend p99`
- `loadgate trend p99 charge journey --profile release`
- `loadgate trend slope cart-service --since 30d`
- `loadgate trend p95 --baselines baselines/main --json`
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from analysis.compare.baseline_store import read_baselines
from analysis.html.page import html
from analysis.pictures.trends import trend_pictures
from analysis.report.trends import trends_document
from analysis.trends.history import History, Kept, history, kept_of_baseline, metrics_of
from analysis.trends.trend import Trend, trend_of
from harness import options
from harness.screen.judged import keep
from harness.screen.saying import saying
from harness.screen.terminal import answer
from harness.system.past_runs import past_runs
from harness.system.streams import presenting
from recording.errors import ConfigError


def trend(
    metric: Annotated[str, typer.Argument(metavar="METRIC", help="As verdict.json has it: p99.")],
    subjects: Annotated[
        list[str] | None,
        typer.Argument(metavar="SUBJECT...", help="Steps, services, journey [all that have it]."),
    ] = None,
    profile: Annotated[
        str | None, typer.Option("--profile", metavar="NAME", help="Only its runs [the newest's].")
    ] = None,
    since: Annotated[
        float | None,
        typer.Option("--since", metavar="TIME", parser=options.duration_s, help="The last 30d."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=200, metavar="N", help="The newest N.")
    ] = 100,
    runs: options.Runs = options.RUNS,
    baselines: Annotated[
        Path | None, typer.Option("--baselines", metavar="DIR", help="Baselines in place of runs.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Read, find, print, and keep the page with its pictures."""
    where = baselines or runs
    kept, notes = _stored(baselines, since) if baselines else past_runs(runs, profile, since)
    past = history([run for run in kept if profile in (None, run.profile)][-limit:])
    with saying("looking for changes …"):
        found = _trends(past, metric, subjects or [], f"{where}/", notes)
    document, page = trends_document(past, found, notes), where / f"trend-{metric}.html"
    document = replace(document, charts=trend_pictures(found))
    keep(page, lambda: html(document))
    with presenting():
        value = [trend.to_json() for trend in found]
        answer(replace(document, closing=f"report: {page}"), value, as_json=as_json)


def _stored(folder: Path, since_s: float | None) -> tuple[list[Kept], tuple[str, ...]]:
    kept = map(kept_of_baseline, read_baselines(folder))
    return [it for it in kept if since_s is None or it.age_s <= since_s], ()


def _trends(
    past: History, metric: str, subjects: list[str], where: str, notes: tuple[str, ...]
) -> list[Trend]:
    """Raises ConfigError that says what there is."""
    if not past.runs:
        raise ConfigError("; ".join((f"{where}: no run that is judged and evidence", *notes)))
    has = metrics_of(past.runs)
    if metric not in has:
        raise ConfigError(f"{where}: no run has {metric!r}; there are {', '.join(sorted(has))}")
    for subject in subjects:
        if subject not in has[metric]:
            known = ", ".join(has[metric])
            raise ConfigError(f"{where}: no run has {metric} of {subject!r}; there are {known}")
    return [trend_of(past, (subject, metric)) for subject in subjects or has[metric]]
