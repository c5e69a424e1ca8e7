"""`loadgate runs` over recordings good and bad."""

import json
from pathlib import Path
from typing import Any

import orjson
from typer.testing import CliRunner

from harness.cli import app
from tests.analysis.recordings import Recording


def listed(runs: Path) -> list[dict[str, Any]]:
    """What `loadgate runs --json` says."""
    done = CliRunner().invoke(app, ["runs", "--runs", str(runs), "--json"])
    assert done.exit_code == 0, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_a_recording_of_an_unknown_format_is_listed_as_invalid(tmp_path: Path) -> None:
    """With the formats that are known, also for people."""
    run = Recording().write(tmp_path / "late")
    table = orjson.loads(run.manifest.read_bytes()) | {"format": 99}
    run.manifest.write_bytes(orjson.dumps(table))
    (row,) = listed(tmp_path)
    assert (row["verdict"], row["ended"]) == ("INVALID", "unreadable")
    assert "format 99: this loadgate reads 1 and 2" in row["why"]
    done = CliRunner().invoke(app, ["runs", "--runs", str(tmp_path)])
    assert "reads 1 and 2" in done.output
