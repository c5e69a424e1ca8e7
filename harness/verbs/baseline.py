"""Keep runs, small, as baselines to judge later ones by.

Kept are, per step and percentile, the value, its interval and the number of requests, with host
class, load, revision and date. One JSON file per run; commit the folder if you wish.

Examples:

- `loadgate baseline add runs/20260301-101500-release-1f2e`
- `loadgate baseline list`
"""

from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from analysis.compare.against_baselines import MIN_BASELINES
from analysis.compare.baseline import Baseline, baseline_of
from analysis.compare.baseline_store import read_baselines, store_baseline
from analysis.evidence.host import UNKNOWN
from analysis.limits.thresholds import Thresholds
from analysis.report.document import Document, Lines, Row, Table, numbers, texts
from harness import options
from harness.screen.terminal import answer
from harness.system.streams import presenting
from recording.errors import RunFailedError
from recording.given_files import check_folder
from recording.rundir import open_run_dir

actions = typer.Typer(help=__doc__, no_args_is_help=True)


@actions.command()
def add(
    runs: Annotated[list[Path], options.run_argument(metavar="RUN...", help="Run directories.")],
    baselines: options.Baselines = options.BASELINES,
    thresholds: options.Thresholds = None,
    as_json: options.Json = False,
) -> None:
    """Keep each RUN. Refused: an INVALID run, one that did not complete, one of an unknown host.

    Examples:

    - `loadgate baseline add runs/20260301-101500-release-1f2e`
    - `loadgate baseline add runs/*-release-* --baselines baselines/v2.3`
    """
    check_folder(baselines, "--baselines")
    limits = options.read_limits(thresholds)
    checked = [_checked(run, limits) for run in runs]  # all, before any is kept
    kept = [(str(store_baseline(baselines, each)), each) for each in checked]
    rows = [_row(each) | {"file": path} for path, each in kept]
    lines = (f"{path}: {_kind_of(each)}" for path, each in kept)
    with presenting():
        answer(Document((Lines(tuple(lines)),)), rows, as_json=as_json)


def _checked(run: Path, limits: Thresholds) -> Baseline:
    baseline = baseline_of(open_run_dir(run), limits, limits.gate.latency.metrics)
    if baseline.ended != "completed":
        raise RunFailedError(f"{run}: did not complete ({baseline.ended}), no baseline")
    if baseline.doubts:
        raise RunFailedError(f"{run}: {baseline.doubts[0]}, no baseline")
    if baseline.host_class == UNKNOWN:
        raise RunFailedError(
            f"{run}: manifest.json: host does not say where it ran (cpu or machine, cores, "
            "memory_bytes, system, kernel), no baseline"
        )
    return baseline


@actions.command("list")
def list_all(
    baselines: options.Baselines = options.BASELINES, as_json: options.Json = False
) -> None:
    """List baselines by host class and load. A run can be judged by five or more of its own kind.

    Examples:

    - `loadgate baseline list`
    - `loadgate baseline list --baselines baselines/v2.3 --json`
    """
    found = sorted(read_baselines(baselines), key=_kind)
    none = () if found else (f"no baselines in {baselines}/ yet: try `loadgate baseline add RUN`",)
    answer(Document((_table(found), Lines(none))), [_row(each) for each in found], as_json=as_json)


def _table(found: list[Baseline]) -> Table:
    rows: list[Row] = []
    for _, group in groupby(found, key=_kind):
        members = list(group)
        short = MIN_BASELINES - len(members)
        state = f"{short} more needed" if short > 0 else "ready"
        kind = f"{_kind_of(members[0])}: {state}"
        for it in map(_row, members):
            cells = (kind, it["run"], it["started"], it["revision"], f"{it['requests']:,}")
            rows.append(Row(cells))
    columns = (*texts("kind", "run", "started (UTC)", "revision"), *numbers("requests"))
    return Table(columns, tuple(rows), grouped=True)


def _kind(baseline: Baseline) -> tuple[str, str]:
    return baseline.host_class, baseline.digest


def _kind_of(baseline: Baseline) -> str:
    return f"{baseline.host_class}, load {baseline.digest} ({baseline.profile})"


def _row(baseline: Baseline) -> dict[str, Any]:
    journey = baseline.figure("journey", "p50")
    return {
        "run": baseline.run_id,
        "profile": baseline.profile,
        "host_class": baseline.host_class,
        "load_digest": baseline.digest,
        "started": baseline.started_utc[:19],
        "revision": baseline.revision[:10] + ("+" if baseline.dirty else ""),
        "requests": journey.n if journey else 0,
    }
