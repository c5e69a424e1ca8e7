"""``loadgate baseline``: keep runs, small, to judge later ones by."""

from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from analysis.compare.against_baselines import MIN_BASELINES
from analysis.compare.baseline import Baseline, baseline_of
from analysis.compare.baseline_store import read_baselines, store_baseline
from analysis.evidence.host import UNKNOWN
from analysis.limits.thresholds import Thresholds as Limits
from analysis.limits.thresholds import load_thresholds
from harness.options import Json, Thresholds
from harness.regression_options import BASELINES, Baselines
from harness.screen.compared import WIDE
from harness.screen.plain import Screen, print_json, styled, table, widen
from harness.system.paths import find_thresholds
from harness.system.streams import presenting
from recording.errors import RunFailedError
from recording.rundir import open_run_dir

HELP = """
Keep runs, small, as baselines to judge later ones by.

Kept are, per step and percentile, the value, its interval and the number of requests, with host
class, load, revision and date. One JSON file per run; commit the folder if you wish.

Examples:

- `loadgate baseline add runs/20260301-101500-release-1f2e`
- `loadgate baseline list`
"""
ADD_HELP = """
Keep each RUN. Refused: an INVALID run, one that did not complete, one of an unknown host.

Examples:

- `loadgate baseline add runs/20260301-101500-release-1f2e`
- `loadgate baseline add runs/*-release-* --baselines baselines/v2.3`
"""
LIST_HELP = """
List baselines by host class and load. A run can be judged by five or more of its own kind.

Examples:

- `loadgate baseline list`
- `loadgate baseline list --baselines baselines/v2.3 --json`
"""


def register(app: typer.Typer) -> None:
    """Add the verb and its two actions."""
    group = typer.Typer(help=HELP, no_args_is_help=True)
    group.command("add", help=ADD_HELP)(add)
    group.command("list", help=LIST_HELP)(list_all)
    app.add_typer(group, name="baseline")


def add(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run directories.")],
    baselines: Baselines = BASELINES,
    thresholds: Thresholds = None,
    as_json: Json = False,
) -> None:
    """Check all, then keep all: one that is refused keeps none."""
    limits = load_thresholds(find_thresholds(thresholds))
    kept = [_checked(run, limits) for run in runs]
    paths = [store_baseline(baselines, baseline) for baseline in kept]
    with presenting():
        _show_kept(kept, paths, as_json=as_json)


def _show_kept(kept: list[Baseline], paths: list[Path], *, as_json: bool) -> None:
    if as_json:
        print_json([_row(b) | {"file": str(p)} for b, p in zip(kept, paths, strict=True)])
        return
    for baseline, path in zip(kept, paths, strict=True):
        Screen().print(
            f"{path}: {baseline.host_class}, load {baseline.digest} ({baseline.profile})"
        )


def _checked(run: Path, limits: Limits) -> Baseline:
    baseline = baseline_of(open_run_dir(run), limits, limits.gate.latency.metrics)
    if baseline.ended != "completed":
        raise RunFailedError(f"{run}: did not complete ({baseline.ended}), no baseline")
    if baseline.host_class == UNKNOWN:
        raise RunFailedError(
            f"{run}: manifest.json: host does not say where it ran (cpu or machine, cores, "
            "memory_bytes, system, kernel), no baseline"
        )
    return baseline


def list_all(baselines: Baselines = BASELINES, as_json: Json = False) -> None:
    """List."""
    found = sorted(read_baselines(baselines), key=_kind)
    if as_json:
        print_json([_row(baseline) for baseline in found])
        return
    if not found:
        Screen(soft_wrap=True).print(
            f"no baselines in {baselines}/ yet: try `loadgate baseline add RUN`"
        )
        return
    console = Screen()
    widen(console, WIDE)
    made = table("run", "started (UTC)", "revision", "requests", left=3)
    for (host, digest), group in groupby(found, key=_kind):
        members = list(group)
        short = MIN_BASELINES - len(members)
        state = f"{short} more needed" if short > 0 else "ready"
        made.add_row(styled(f"{host}, load {digest} ({members[0].profile})", "bold"), state)
        for baseline in members:
            row = _row(baseline)
            made.add_row(f"  {row['run']}", row["started"], row["revision"], str(row["requests"]))
    console.print(made)


def _kind(baseline: Baseline) -> tuple[str, str]:
    return baseline.host_class, baseline.digest


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
