"""``loadgate analyze``: judge a recorded run again, offline."""

from pathlib import Path
from typing import Annotated

import typer

from analysis.limits.thresholds import load_thresholds
from harness.options import Inconclusive, Json, Thresholds
from harness.screen.judged import finish
from harness.system.paths import find_thresholds
from recording.rundir import open_run_dir

HELP = """
Judge the recording in RUN again: no load, any machine, the same verdict from the same bytes.

Examples:

- `loadgate analyze runs/20260301-101500-release-1f2e`
- `loadgate analyze RUN --thresholds stricter.toml --json`
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("analyze", help=HELP)(analyze)


def analyze(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run directory.")],
    thresholds: Thresholds = None,
    inconclusive: Inconclusive = None,
    as_json: Json = False,
) -> None:
    """Judge."""
    limits = load_thresholds(find_thresholds(thresholds))
    finish(open_run_dir(run), limits, as_json=as_json, inconclusive=inconclusive)
