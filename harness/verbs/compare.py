"""Compare recordings that were made apart.

With one RUN: judge it against the stored baselines of the same host class and load (at least 5,
see `loadgate baseline add`): PASS, FAIL or INCONCLUSIVE by `[regression]` of thresholds.toml.

With two: show RUN_B beside RUN_A. Two runs made apart are never a verdict (exit 5), because a
difference can be the host's; `loadgate gate` loads both in turn on one host.

Examples:

- `loadgate compare runs/20260301-101500-release-1f2e`
- `loadgate compare RUN --baselines baselines/v2.3 --json`
- `loadgate compare RUN_A RUN_B`
"""

import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

from analysis.compare.against_baselines import compare_with_baselines
from analysis.compare.baseline import baseline_of
from analysis.compare.baseline_store import read_baselines
from analysis.compare.side_by_side import Comparison, compare_pair
from analysis.html.page import html
from analysis.limits.regression import GateSettings
from analysis.limits.thresholds import Thresholds
from analysis.pictures.compared import compared_pictures
from analysis.report.cases import Judged, of_comparison
from analysis.report.compared import comparison_document
from analysis.report.junit import junit
from analysis.report.markdown import markdown
from harness import options
from harness.screen.judged import keep, publish
from harness.screen.plain import Screen
from harness.screen.terminal import answer
from harness.system.streams import presenting
from recording.errors import ConfigError
from recording.rundir import RunDir, open_run_dir


def compare(
    run: Annotated[Path, options.run_argument(metavar="RUN|RUN_A", help="Run directory.")],
    other: Annotated[
        Path | None, options.run_argument(metavar="RUN_B", help="A second one, shown beside it.")
    ] = None,
    baselines: options.Baselines = options.BASELINES,
    thresholds: options.Thresholds = None,
    inconclusive: options.Inconclusive = None,
    as_json: options.Json = False,
) -> None:
    """Compare, print, end with the verdict's exit code."""
    limits = options.read_limits(thresholds)
    found = _pair(run, other, limits) if other else _stored(run, baselines, limits)
    judged, document = of_comparison(found), comparison_document(found)
    told, page = markdown(document), open_run_dir(other or run).comparison
    keep(page, lambda: html(replace(document, charts=compared_pictures(found))))
    if other is None:
        _store(RunDir(run), found, judged, told)
    with presenting():
        answer(replace(document, closing=f"report: {page}"), found.to_json(), as_json=as_json)
        publish(Screen(stderr=as_json, soft_wrap=True), judged, told, os.environ)
    options.exit_with(found.verdict.exit_code, inconclusive)


def _store(run: RunDir, found: Comparison, judged: Judged, page: str) -> None:
    keep(run.compared, found.to_json)
    keep(run.compared_report, page.encode)
    keep(run.compared_junit, partial(junit, judged))


def _pair(a: Path, b: Path, limits: Thresholds) -> Comparison:
    first, second = (baseline_of(open_run_dir(run), limits, ()) for run in (a, b))
    if first == second:  # so too under two names
        raise ConfigError(f"{a} and {b} are the same run: there is nothing to compare")
    return compare_pair(first, second)


def _stored(run: Path, folder: Path, limits: Thresholds) -> Comparison:
    rules = baseline_rules(limits)
    kept = baseline_of(open_run_dir(run), limits, rules.latency.metrics)
    return compare_with_baselines(kept, read_baselines(folder), rules, f"{folder}/")


def baseline_rules(limits: Thresholds) -> GateSettings:
    """[regression], which stored baselines are never judged without. Raises ConfigError."""
    if limits.regression is None:
        raise ConfigError(f"{limits.source}: [regression] is missing")
    return limits.regression
