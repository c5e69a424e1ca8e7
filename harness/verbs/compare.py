"""``loadgate compare``: runs made apart, side by side or against stored baselines."""

from pathlib import Path
from typing import Annotated

import typer

from analysis.compare.against_baselines import compare_with_baselines
from analysis.compare.baseline import baseline_of
from analysis.compare.baseline_store import read_baselines
from analysis.compare.side_by_side import Comparison, compare_pair
from analysis.limits.thresholds import load_thresholds
from harness.options import Inconclusive, Json, Thresholds, exit_with
from harness.regression_options import BASELINES, Baselines, baseline_rules
from harness.screen.compared import print_comparison
from harness.screen.plain import Screen
from harness.system.paths import find_thresholds
from harness.system.streams import presenting
from recording.rundir import open_run_dir

HELP = """
Compare recordings that were made apart.

With one RUN: judge it against the stored baselines of the same host class and load (at least 5,
see `loadgate baseline add`): PASS, FAIL or INCONCLUSIVE by `[regression]` of thresholds.toml.

With two: show RUN_B beside RUN_A. Two runs made apart are never a verdict (exit 5), because a
difference can be the host's; `loadgate gate` loads both in turn on one host.

Examples:

- `loadgate compare runs/20260301-101500-release-1f2e`
- `loadgate compare RUN --baselines baselines/v2.3 --json`
- `loadgate compare RUN_A RUN_B`
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("compare", help=HELP)(compare)


def compare(
    run: Annotated[Path, typer.Argument(metavar="RUN|RUN_A", help="Run directory.")],
    other: Annotated[
        Path | None, typer.Argument(metavar="RUN_B", help="A second one, shown beside it.")
    ] = None,
    baselines: Baselines = BASELINES,
    thresholds: Thresholds = None,
    inconclusive: Inconclusive = None,
    as_json: Json = False,
) -> None:
    """Compare, print, end with the verdict's exit code."""
    found = _pair(run, other, thresholds) if other else _stored(run, baselines, thresholds)
    with presenting():
        if as_json:
            typer.echo(found.to_json().decode(), nl=False)
        else:
            print_comparison(Screen(), found)
    exit_with(found.exit_code, inconclusive)


def _pair(a: Path, b: Path, thresholds: Path | None) -> Comparison:
    limits = load_thresholds(find_thresholds(thresholds))
    first, second = (baseline_of(open_run_dir(run), limits, ()) for run in (a, b))
    return compare_pair(first, second)


def _stored(run: Path, folder: Path, thresholds: Path | None) -> Comparison:
    limits = load_thresholds(find_thresholds(thresholds))
    rules = baseline_rules(limits)
    kept = baseline_of(open_run_dir(run), limits, rules.latency.metrics)
    return compare_with_baselines(kept, read_baselines(folder), rules, f"{folder}/")
