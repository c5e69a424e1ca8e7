"""List recorded runs, newest first.

Examples:

- `loadgate runs`
- `loadgate runs --json`
"""

from typing import Any

import orjson

from analysis.report.document import Document, Lines, Mark, Row, Table, texts
from analysis.words.values import Outcome
from harness import options
from harness.screen.terminal import answer
from recording.errors import ConfigError
from recording.files import read_regular
from recording.labels import as_text
from recording.manifest import read_manifest
from recording.rundir import RunDir, list_runs
from recording.text import plainly

MAX_BYTES = 64 * 2**20
"""Far above any verdict."""


def runs(runs: options.Runs = options.RUNS, as_json: options.Json = False) -> None:
    """List."""
    rows = [_row(run) for run in list_runs(runs)]
    none = () if rows else (f"no runs in {runs}/ yet: try `loadgate run smoke`",)
    why = tuple(each["why"] for each in rows if each["why"])
    answer(Document((_table(rows), Lines(why, tone="quiet"), Lines(none))), rows, as_json=as_json)


def _table(rows: list[dict[str, Any]]) -> Table:
    made, labelled = [], any(each["labels"] for each in rows)
    for each in rows:
        verdict = each["verdict"]
        mark = Mark(verdict, verdict if isinstance(verdict, Outcome) else "quiet")
        cells = [each[key] for key in ("run", "profile", "started", "ended")]
        made.append(Row((*cells, *([as_text(each["labels"])] if labelled else []), mark)))
    more = ("labels",) if labelled else ()
    heads = ("run", "profile", "started (UTC)", "ended", *more, "verdict")
    return Table((*texts(*heads),), tuple(made))


def _row(run: RunDir) -> dict[str, Any]:
    row: dict[str, Any] = {"run": str(run.root), "profile": "?", "started": "?", "labels": {}}
    row |= {"ended": "unreadable", "why": ""}
    try:
        manifest = read_manifest(run.manifest)
    except ConfigError as error:
        return row | {"verdict": Outcome.INVALID, "why": str(error)}
    row |= {"profile": manifest.profile.name, "started": manifest.started_utc[:19]}
    row["labels"] = plainly(dict(manifest.labels))
    return row | {"ended": manifest.ended, "verdict": _verdict(run)}


def _verdict(run: RunDir) -> Outcome | str:
    try:
        return Outcome(orjson.loads(read_regular(run.verdict, MAX_BYTES))["verdict"])
    except FileNotFoundError:
        return "not judged"
    except (ValueError, LookupError, TypeError, OSError):
        return "unreadable"
