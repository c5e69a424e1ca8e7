"""`loadgate runs` over recordings good and bad."""

import contextlib
import json
import os
import pty
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.screen.plain import forget_odd_width
from recording.closing import close_run
from recording.errors import ConfigError
from recording.manifest import read_manifest
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
    assert "format 99: this loadgate reads 1, 2, 3 and 4" in row["why"]
    done = CliRunner().invoke(app, ["runs", "--runs", str(tmp_path)])
    assert "reads 1, 2, 3 and 4" in done.output


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


def made(runs: Path, name: str, profile: str, days: float, ended: str = "completed") -> None:
    """A run of so many days ago."""
    run = Recording(**SMALL).write(runs / name)
    manifest = read_manifest(run.manifest)
    started = datetime.now(UTC) - timedelta(days=days)
    told = {
        "profile": manifest.profile.model_copy(update={"name": profile}),
        "started_utc": started.isoformat(timespec="seconds"),
        "ended": ended,
    }
    close_run(run, manifest.model_copy(update=told))


@pytest.fixture
def five(tmp_path: Path) -> Path:
    """Runs of forty days to now; the newest is under way."""
    for number, (profile, days) in enumerate([("a", 40), ("b", 35), ("a", 20), ("a", 1)]):
        made(tmp_path, f"{number}", profile, days)
    made(tmp_path, "4", "a", 0, ended="running")
    (tmp_path / "0" / "verdict.json").write_text('{"verdict": "FAIL"}')
    return tmp_path


def names(runs: Path, *words: str) -> list[str]:
    """Those that are listed."""
    done = CliRunner().invoke(app, ["runs", "--runs", str(runs), "--json", *words])
    assert done.exit_code == 0, done.output
    return [Path(row["run"]).name for row in json.loads(done.stdout)]


def test_filters_choose_and_the_newest_is_last(five: Path) -> None:
    """Each by itself, and together."""
    assert names(five) == ["0", "1", "2", "3", "4"]
    assert names(five, "--profile", "b") == ["1"]
    assert names(five, "--since", "30d") == ["2", "3", "4"]
    assert names(five, "--verdict", "FAIL") == ["0"]
    assert names(five, "--profile", "a", "--limit", "2") == ["3", "4"]


def test_pruning_leaves_the_newest_and_what_is_young(five: Path) -> None:
    """Both must say so where both are given; a filter leaves all that it does not choose."""
    CliRunner().invoke(
        app, ["runs", "--runs", str(five), *["--prune", "--older", "30d", "--keep", "4", "--yes"]]
    )
    assert names(five) == ["1", "2", "3", "4"]
    CliRunner().invoke(
        app, ["runs", "--runs", str(five), *["--prune", "--keep", "1", "--profile", "a", "--yes"]]
    )
    assert names(five) == ["1", "4"]


def test_what_is_or_may_be_under_way_is_never_deleted(five: Path) -> None:
    """Nor what cannot be read, until nothing was written to it for an hour."""
    (five / "0" / "manifest.json").write_text("{")
    old = five / "1"
    (old / "manifest.json").write_text("{")
    for path in (*old.rglob("*"), old):
        os.utime(path, (1e9, 1e9))
    done = CliRunner().invoke(app, ["runs", "--runs", str(five), "--prune", "--keep", "0", "--yes"])
    assert done.exit_code == 0, done.output
    assert "deleted 3 runs, " in done.output
    assert names(five) == ["0", "4"]


@pytest.mark.parametrize(
    "words", ["--prune", "--prune --keep 1", "--keep 1", "--prune --keep 1 --limit 2 --yes"]
)
def test_nothing_is_deleted_by_mistake(five: Path, words: str) -> None:
    """Without a bound, without anybody to ask, or without the word."""
    done = CliRunner().invoke(app, ["runs", "--runs", str(five), *words.split()])
    assert isinstance(done.exception, ConfigError)
    assert len(names(five)) == 5


def test_a_person_is_asked_and_told_what_it_frees(five: Path) -> None:
    """No is no."""
    words = [sys.executable, "-m", "harness", "runs", "--runs", str(five), "--prune", "--keep", "1"]
    master, slave = pty.openpty()
    process = subprocess.Popen(words, stdin=slave, stdout=subprocess.PIPE, text=True)
    os.write(master, b"n\n")
    told, _ = process.communicate(timeout=60)
    assert "delete 4 runs, " in told
    assert "nothing deleted" in told
    assert len(names(five)) == 5
