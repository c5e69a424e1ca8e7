"""A closed run says which of its files are not what they were."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from recording.closing import changed_files
from recording.ledgers import read_orders, settle_ledger
from recording.manifest import read_manifest
from recording.rundir import EVIDENCE, RunDir
from tests.analysis.books import Books
from tests.analysis.recordings import SMALL, Recording

WRITTEN = [
    name
    for name in EVIDENCE
    if name.startswith(("l", "r", "events")) and "-" not in name and "base" not in name
]
SPOIL: dict[str, tuple[Callable[[Path], object], str]] = {
    "a flipped bit": (
        lambda p: p.write_bytes(bytes([p.read_bytes()[0] ^ 1]) + p.read_bytes()[1:]),
        "was changed",
    ),
    "cut in half": (lambda p: os.truncate(p, p.stat().st_size // 2), "bytes, and had"),
    "emptied": (lambda p: p.write_bytes(b""), "has 0 bytes"),
    "gone": (lambda p: p.unlink(), "is gone"),
    "a folder": (lambda p: (p.unlink(), p.mkdir()), "not a regular file"),
    "a pipe": (lambda p: (p.unlink(), os.mkfifo(p)), "not a regular file"),
    "a device": (lambda p: (p.unlink(), p.symlink_to("/dev/zero")), "not a regular file"),
    "a link to itself": (lambda p: (p.unlink(), p.symlink_to(p)), "cannot be read"),
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """A closed run that no test changes."""
    small = SMALL | {"ledger": None, "books": Books()}
    return Recording(**small).write(tmp_path_factory.mktemp("kept") / "run")


@pytest.fixture
def run(kept: RunDir, tmp_path: Path) -> RunDir:
    """A copy of it to spoil."""
    return RunDir(shutil.copytree(kept.root, tmp_path / "run"))


def became(run: RunDir) -> dict[str, str]:
    """What became of each file that is not as it was."""
    return dict(changed_files(run, read_manifest(run.manifest)))


def test_an_untouched_run_is_as_it_was(kept: RunDir, run: RunDir) -> None:
    """Also in another place, and after it was read."""
    read_orders(run.orders)
    assert became(run) == {}
    assert became(kept) == {}


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("how", SPOIL)
def test_a_file_that_was_changed_is_named(run: RunDir, name: str, how: str) -> None:
    """Whatever became of it, and at once: a pipe that nobody writes to is not waited for."""
    spoil, said = SPOIL[how]
    spoil(run.root / name)
    assert list(became(run)) == [name]
    assert said in became(run)[name]


def test_a_file_that_came_later_is_named(run: RunDir) -> None:
    """Exemplars of another run, say; but not what SQLite leaves empty beside a ledger."""
    run.exemplars.write_text("{}\n")
    run.orders.with_name("orders.sqlite-wal").write_bytes(b"")
    assert became(run) == {"exemplars.jsonl": "was not there when the run was closed"}


def test_the_files_of_another_run_are_named(run: RunDir, tmp_path: Path) -> None:
    """Whole and sound, but not this run's."""
    other = Recording(**SMALL, rate=50.0).write(tmp_path / "other")
    shutil.copy(other.latency, run.latency)
    assert list(became(run)) == ["latency.hlog"]


def test_a_run_that_was_not_closed_has_no_digests_to_break(tmp_path: Path) -> None:
    """It is INVALID for not having ended."""
    run = Recording(**SMALL, ended="running").write(tmp_path / "run")
    run.latency.unlink()
    assert became(run) == {}


def test_an_ended_run_of_this_format_without_digests_is_not_believed(run: RunDir) -> None:
    """Nobody but the close writes how it ended."""
    manifest = read_manifest(run.manifest).model_copy(update={"files": None})
    assert dict(changed_files(run, manifest)) == {
        "manifest.json": "has no digests of the other files"
    }


def killed_shop(path: Path) -> None:
    """A ledger whose writer was killed: its last order is in the log beside it only."""
    source = path.with_name("live.sqlite")
    with sqlite3.connect(source) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE orders(order_id TEXT, created_t_s REAL)")
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("INSERT INTO orders VALUES ('ord-1', 3.5)")
        connection.commit()
        for tail in ("", "-wal"):
            shutil.copy(f"{source}{tail}", f"{path}{tail}")
    connection.close()
    for left in path.parent.glob("live*"):
        left.unlink()


def test_a_killed_writers_last_orders_are_read_and_nothing_is_written(tmp_path: Path) -> None:
    """They wait in the log beside the ledger, which stays as it is."""
    path = tmp_path / "orders.sqlite"
    killed_shop(path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert before["orders.sqlite-wal"]
    ledger = read_orders(path)
    assert ledger is not None
    assert ledger.orders["order_id"].to_list() == ["ord-1"]
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_the_runs_own_end_puts_them_into_the_ledger(tmp_path: Path) -> None:
    """One file, and the same orders."""
    path = tmp_path / "orders.sqlite"
    killed_shop(path)
    settle_ledger(path)
    assert [p.name for p in tmp_path.iterdir()] == ["orders.sqlite"]
    ledger = read_orders(path)
    assert ledger is not None
    assert ledger.orders["order_id"].to_list() == ["ord-1"]
