"""Folders of a process are gone after it, and never before."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from harness.system.scratch import scratch, sweep
from tests.harness.conftest import ROOT

HOLDS = """
import sys
from harness.system.scratch import scratch
with scratch("base") as folder:
    (folder / "file").write_text("in use")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def holder() -> "tuple[subprocess.Popen[str], Path]":
    """Another process with a folder of its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_the_folder_lasts_as_long_as_its_use(tmp_path: Path) -> None:
    """Nothing is left of it afterwards, its lock neither."""
    with scratch("head") as folder:
        assert folder.name.startswith("loadgate-head-")
        sweep()
        assert folder.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_leaves_is_swept(tmp_path: Path) -> None:
    """After a `kill -9`, and while another's folder is in use."""
    (killed, left), (alive, used) = holder(), holder()
    killed.kill()
    killed.communicate()
    assert left.is_dir()
    sweep()
    assert not left.exists()
    assert (used / "file").read_text() == "in use"
    alive.communicate("")
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_a_folders_place_is_not_followed(tmp_path: Path) -> None:
    """Whoever may write beside our folders cannot have ours remove theirs, or a third's."""
    (precious := tmp_path / "precious").mkdir()
    (tmp_path / "loadgate-base-x").symlink_to(precious)
    (tmp_path / "loadgate-base-x.lock").touch()
    (tmp_path / "loadgate-base-y.lock").symlink_to(precious / "new")
    sweep()
    assert precious.is_dir()
    assert not (precious / "new").exists()
