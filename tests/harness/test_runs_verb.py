"""`loadgate runs` over recordings good and bad."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.screen.plain import forget_odd_width
from tests.analysis.recordings import SMALL, Recording

NOBODY = 65534


@contextlib.contextmanager
def as_somebody_else(folder: Path) -> Iterator[None]:
    """Without root's right to read everything; the folder is theirs."""
    mine = os.geteuid()
    if mine == 0:
        os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(mine)


def listed(runs: Path) -> list[dict[str, Any]]:
    """What `loadgate runs --json` says."""
    done = CliRunner().invoke(app, ["runs", "--runs", str(runs), "--json"])
    assert done.exit_code == 0, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_a_recording_of_an_unknown_format_is_listed_as_invalid(tmp_path: Path) -> None:
    """With the formats that are known, also for people."""
    run = Recording(**SMALL).write(tmp_path / "late")
    table = orjson.loads(run.manifest.read_bytes()) | {"format": 99}
    run.manifest.write_bytes(orjson.dumps(table))
    (row,) = listed(tmp_path)
    assert (row["verdict"], row["ended"]) == ("INVALID", "unreadable")
    assert "format 99: this loadgate reads 1, 2 and 3" in row["why"]
    done = CliRunner().invoke(app, ["runs", "--runs", str(tmp_path)])
    assert "reads 1, 2 and 3" in done.output


def test_a_folder_that_may_not_be_read_hides_no_other_run() -> None:
    """It is listed as one that cannot be read; so is a manifest in a folder of our own."""
    with tempfile.TemporaryDirectory() as folder, as_somebody_else(Path(folder)):
        Recording(**SMALL).write(Path(folder) / "sound")
        for name in ("closed", "half"):
            Recording(**SMALL).write(Path(folder) / name)
        (Path(folder) / "closed").chmod(0)
        (Path(folder) / "half" / "manifest.json").chmod(0)
        rows = {Path(row["run"]).name: row for row in listed(Path(folder))}
        (Path(folder) / "closed").chmod(0o755)
    assert [rows[name]["ended"] for name in ("sound", "closed", "half")] == [
        "completed", "unreadable", "unreadable",
    ]  # fmt: skip
    assert all("Permission denied" in rows[name]["why"] for name in ("closed", "half"))


@pytest.mark.parametrize("said", ["0", "1", "-5", "junk", "²", "99999999999"])
def test_a_width_that_is_none_is_forgotten(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In no columns a list would look empty; a sensible width stays."""
    monkeypatch.setenv("COLUMNS", said)
    forget_odd_width()
    assert "COLUMNS" not in os.environ
    monkeypatch.setenv("COLUMNS", "120")
    forget_odd_width()
    assert os.environ["COLUMNS"] == "120"
