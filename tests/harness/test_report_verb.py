"""`loadgate report` of the newest run, and `loadgate --version`."""

from importlib.metadata import version
from pathlib import Path

from typer.testing import CliRunner

from harness.cli import app
from tests.analysis.recordings import SMALL, Recording


def test_report_without_a_run_is_of_the_newest(tmp_path: Path) -> None:
    """By name, which begins with when it was made."""
    for name in ("20260101-000000-a-1", "20260102-000000-b-2"):
        Recording(**SMALL).write(tmp_path / name)
    done = CliRunner().invoke(app, ["report", "--runs", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert not (tmp_path / "20260101-000000-a-1" / "report.md").exists()
    assert done.stdout == (tmp_path / "20260102-000000-b-2" / "report.md").read_text()


def test_report_before_any_run_says_so(tmp_path: Path) -> None:
    """And what to do."""
    done = CliRunner().invoke(app, ["report", "--runs", str(tmp_path)])
    assert "try `loadgate run smoke`" in str(done.exception)


def test_version() -> None:
    """That of the package."""
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.stdout) == (0, f"loadgate {version('loadgate')}\n")
