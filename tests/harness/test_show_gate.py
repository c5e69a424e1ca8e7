"""The verbs on a paired run: exit code, files, and what a GitHub job gets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from analysis.paired import look as gate_look
from analysis.words.values import Outcome
from harness.cli import app
from recording.rundir import RunDir
from tests.analysis.gate.paired_recordings import ONE_LOOK, PairedRecording, cost_row


@pytest.fixture(autouse=True)
def _outside_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests may themselves run in a GitHub job."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


LIMITS = """
[journey]
latency = ["p99 < 1 s"]
[regression]
metrics = ["p95"]
min_effect = "5 %"
tolerated = "10 %"
floor = "5 ms"
"""


@pytest.fixture
def limits(tmp_path: Path) -> list[str]:
    """The option for thresholds with one metric, to be quick."""
    path = tmp_path / "limits.toml"
    path.write_text(LIMITS)
    return ["--thresholds", str(path)]


@pytest.fixture(scope="module")
def slower(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """Charge is 20 % slower in head; one look, to be quick."""
    folder = tmp_path_factory.mktemp("slower") / "run"
    return PairedRecording(slower={"charge": 1.2}, looks=ONE_LOOK).write(folder)


def test_analyze_prints_the_rows_and_ends_with_the_verdict(
    slower: RunDir, limits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3, the failing endpoint, all derived files, annotations that are never wrapped."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    done = CliRunner().invoke(app, ["analyze", *limits, str(slower.root)])
    assert done.exit_code == 3, done.output
    assert "FAIL  charge: p95 change is" in done.output
    assert "found from" in done.output
    assert "has not been calibrated" in done.output
    assert slower.verdict.exists()
    assert slower.report.read_text().startswith("# FAIL")
    assert "charge p95" in slower.junit.read_text()
    commands = [line for line in done.stdout.splitlines() if line.startswith("::")]
    assert commands
    assert all("95 %25 interval" in line for line in commands)


def test_a_github_job_gets_annotations_and_a_summary(
    slower: RunDir, limits: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The summary is appended to what other steps wrote; --json keeps stdout one document."""
    page = tmp_path / "summary.md"
    page.write_text("before\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    done = CliRunner().invoke(app, ["analyze", *limits, "--json", str(slower.root)])
    assert json.loads(done.stdout)["verdict"] == "FAIL"
    assert any(line.startswith("::error title=charge") for line in done.stderr.splitlines())
    assert page.read_text().startswith("before\n# FAIL")


def test_inconclusive_can_be_mapped(tmp_path: Path) -> None:
    """CI decides what "cannot tell" means for it."""
    run = PairedRecording(rounds=6, ended="interrupted").write(tmp_path / "run")
    codes = [
        CliRunner().invoke(app, ["analyze", *extra, str(run.root)]).exit_code
        for extra in ([], ["--inconclusive", "pass"], ["--inconclusive", "fail"])
    ]
    assert codes == [5, 0, 3]


def test_report_rebuilds_and_prints(tmp_path: Path) -> None:
    """`loadgate report` of a paired run is the gate's report, whatever the verdict."""
    run = PairedRecording(rounds=16).write(tmp_path / "run")
    done = CliRunner().invoke(app, ["report", str(run.root)])
    assert done.exit_code == 0, done.output
    assert done.stdout == run.report.read_text()
    assert "## Latency, head against base" in done.stdout


def test_costs_that_pass_are_only_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One screen: a failing cost has its line, twenty that pass have one together."""
    costs = (cost_row(Outcome.FAIL), *[cost_row(Outcome.PASS)] * 20)
    monkeypatch.setattr(gate_look, "cost_rows", lambda *_: costs)
    run = PairedRecording(rounds=16).write(tmp_path / "run")
    done = CliRunner().invoke(app, ["analyze", str(run.root)])
    assert done.exit_code == 3, done.output
    assert done.stdout.count("cpu_per_request  300 us") == 1
    assert "\n20 costs hold\n" in done.stdout
    assert run.report.read_text().count("| cpu_per_request |") == 21
