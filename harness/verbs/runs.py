"""``loadgate runs``: what was run, and how it went."""

from typing import Any

import orjson
import typer

from analysis.words.values import Outcome
from harness.options import RUNS, Json, Runs
from harness.screen.plain import STYLE, Screen, print_json, styled, table
from recording.errors import ConfigError
from recording.files import read_regular
from recording.manifest import read_manifest
from recording.rundir import RunDir, list_runs

HELP = """
List recorded runs, newest first.

Examples:

- `loadgate runs`
- `loadgate runs --json`
"""


MAX_BYTES = 64 * 2**20
"""Far above any verdict."""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("runs", help=HELP)(runs)


def runs(runs: Runs = RUNS, as_json: Json = False) -> None:
    """List."""
    rows = [_row(run) for run in list_runs(runs)]
    if as_json:
        print_json(rows)
        return
    if not rows:
        Screen().print(f"no runs in {runs}/ yet: try `loadgate run smoke`", soft_wrap=True)
        return
    made = table("run", "profile", "started (UTC)", "ended", "verdict", left=5)
    for row in rows:
        style = STYLE.get(row["verdict"], "dim")
        cells = [row[name] for name in ("run", "profile", "started", "ended")]
        made.add_row(*cells, styled(row["verdict"], style))
    console = Screen()
    console.print(made)
    for row in rows:
        if row["why"]:
            console.print(row["why"], style="dim", soft_wrap=True)


def _row(run: RunDir) -> dict[str, Any]:
    row = {"run": str(run.root), "profile": "?", "started": "?", "ended": "unreadable", "why": ""}
    try:
        manifest = read_manifest(run.manifest)
    except ConfigError as error:
        return row | {"verdict": Outcome.INVALID.value, "why": str(error)}
    row |= {"profile": manifest.profile.name, "started": manifest.started_utc[:19]}
    return row | {"ended": manifest.ended, "verdict": _verdict(run)}


def _verdict(run: RunDir) -> str:
    try:
        return Outcome(orjson.loads(read_regular(run.verdict, MAX_BYTES))["verdict"]).value
    except FileNotFoundError:
        return "not judged"
    except (ValueError, LookupError, TypeError, OSError):
        return "unreadable"
