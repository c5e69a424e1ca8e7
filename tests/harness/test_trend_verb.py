"""`loadgate trend` over runs and baselines."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from analysis.compare.baseline_store import store_baseline
from harness.cli import app
from recording.errors import ConfigError
from tests.analysis.compare.baselines import stepped
from tests.analysis.recordings import SMALL, Recording

LIMITS = '[journey]\nlatency = ["p99 < 10 s"]\n'


def call(*words: object) -> Result:
    return CliRunner().invoke(app, ["trend", *map(str, words)])


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Sixteen baselines; charge is a fifth slower from the ninth on."""
    for it in stepped(16, {"charge": 1.2}):
        store_baseline(tmp_path / "kept", it)
    return tmp_path / "kept"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three judged runs, one of them no evidence, and one that nobody judged."""
    folder = tmp_path_factory.mktemp("trend")
    (folder / "limits.toml").write_text(LIMITS)
    for name, recording in {
        "a": Recording(**SMALL),
        "b": Recording(**SMALL),
        "late": Recording(**(SMALL | {"lag_ms": 900.0})),
    }.items():
        recording.write(folder / "runs" / name)
        words = ["analyze", folder / "runs" / name, "--thresholds", folder / "limits.toml"]
        CliRunner().invoke(app, list(map(str, words)))
    Recording(**SMALL).write(folder / "runs" / "unjudged")
    return folder / "runs"


def test_a_change_is_named_with_its_run_and_kept_as_a_page(kept: Path) -> None:
    """Exit code 0: a trend judges nothing."""
    done = call("p99", "charge", "--baselines", kept)
    assert done.exit_code == 0, done.output
    assert "from 20260309-101500-release-1f2e3d4c on" in " ".join(done.stdout.split())
    page = (kept / "trend-p99.html").read_text()
    assert "20260309-101500-release-1f2e3d4c" in page


def test_as_json_every_point_has_its_interval(kept: Path) -> None:
    """And every change its levels."""
    (trend,) = json.loads(call("p99", "charge", "--baselines", kept, "--json").stdout)
    assert len(trend["points"]) == 16
    assert all(point["ci_low"] < point["value"] < point["ci_high"] for point in trend["points"])
    assert [change["run"] for change in trend["changes"]] == ["20260309-101500-release-1f2e3d4c"]


def test_baselines_that_are_older_than_asked_for_are_left_out(kept: Path) -> None:
    """As runs are; they were all made in March 2026."""
    assert call("p99", "--baselines", kept, "--since", "3650d").exit_code == 0
    done = call("p99", "--baselines", kept, "--since", "1h")
    assert isinstance(done.exception, ConfigError)


def test_runs_that_are_no_evidence_are_left_out_and_counted(runs: Path) -> None:
    """So are those that nobody judged."""
    done = call("p99", "journey", "--runs", runs, "--json")
    (trend,) = json.loads(done.stdout)
    assert len(trend["points"]) == 2
    said = " ".join(call("p99", "journey", "--runs", runs).stdout.split())
    assert "left out: 1 run INVALID, no evidence" in said
    assert "left out: 1 run not judged" in said
    assert "too few runs: from 12 on" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("p98",), "no run has 'p98'; there are "),
        (("p99", "chrage"), "no run has p99 of 'chrage'; there are "),
        (("p99", "--profile", "nope"), "no run that is judged and evidence"),
    ],
)
def test_what_there_is_not_is_refused(runs: Path, words: tuple[str, ...], said: str) -> None:
    """With what there is."""
    done = call(*words, "--runs", runs)
    assert isinstance(done.exception, ConfigError)
    assert said in str(done.exception)
