"""``loadgate run``: record a run and judge it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from analysis.thresholds import load_thresholds
from harness.conduct import conduct
from harness.live import LiveView
from harness.paths import find_profile, find_thresholds
from harness.verbs.options import RUNS, Inconclusive, Json, Runs, Thresholds
from harness.verbs.show import finish
from recording.durations import format_duration
from recording.profile_file import load_profile

HELP = """
Run PROFILE (a name in profiles/ or a TOML file), record it, and judge it.

Ctrl-C stops in good order and judges what was recorded; a second one stops at once.

Examples:

- `loadgate run smoke`
- `loadgate run release --set services.cart.eviction=lazy --set services.cart.session_bytes=65536`
- `loadgate run smoke --set load.phases.sustained.users=200 --json`
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("run", help=HELP)(run)


def run(
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help="Name or TOML file.")],
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a profile key; repeatable."),
    ] = None,
    thresholds: Thresholds = None,
    runs: Runs = RUNS,
    inconclusive: Inconclusive = None,
    as_json: Json = False,
) -> None:
    """Record and judge."""
    limits = load_thresholds(find_thresholds(thresholds))
    path = find_profile(profile)
    plan = load_profile(path, overrides or [])
    console = Console(stderr=as_json)
    console.print(
        f"[bold]{plan.name}[/]: {plan.load.peak_users} users, "
        f"{format_duration(plan.load.duration_s)} "
        f"({format_duration(plan.measured_s)} measured)"
        + (f" — {plan.description}" if plan.description else ""),
        highlight=False,
    )
    with LiveView(console, f"loadgate {plan.name}") as view:
        recorded = conduct(plan, str(path), overrides or [], Path(runs), view)
    finish(recorded, limits, as_json=as_json, inconclusive=inconclusive)
