"""Faults by schedule in real runs: FAIL or PASS as the rules say, and the cause is found."""

import json
import subprocess
import sys
from typing import Any

import pytest

from analysis.judge import judge
from analysis.limits.thresholds import load_thresholds
from recording.closing import close_run
from recording.manifest import read_manifest
from recording.rundir import RunDir
from tests.harness.conftest import FIXTURES, ROOT, Run, StartRun, gone, repeated_when_starved
from tests.processes import words_of

LIMITS = FIXTURES / "tiny_thresholds.toml"
PROFILE = FIXTURES / "faults.toml"
FAULTS = {
    "payment": '{at="2s", for="1500ms", service="payment", kind="reset_peer"}',
    "checkout": '{at="4s", for="1500ms", service="checkout", kind="latency", latency="400ms"}',
    "cart": '{at="4s", for="1500ms", service="cart", kind="malformed_body", toxicity=0.5}',
}


def start(start_run: StartRun, *faults: str) -> Run:
    written = ", ".join(faults)
    return start_run("--set", f"faults=[{written}]", profile=PROFILE)


def causes(verdict: dict[str, Any]) -> str:
    return "\n".join(text for text in verdict["findings"] if not text.startswith("planted: "))


@pytest.mark.live
@repeated_when_starved
def test_what_breaks_connections_and_bodies_is_a_fail_with_its_causes(start_run: StartRun) -> None:
    """Each where and when it was planted; the proxy ends with the run."""
    run = start(start_run, FAULTS["payment"], FAULTS["cart"])
    run.wait_for(lambda: any(e["event"] == "fault_started" for e in run.events()))
    processes = run.descendants()
    assert any("harness.proxy.serve" in words_of(process) for process in processes)
    assert run.finish() == 3
    assert gone(processes)
    verdict = run.verdict()
    assert not verdict["invalid_reasons"]
    said = causes(verdict)
    assert "payment-gateway: connections reset, " in said
    assert "(charge: connection_reset)" in said
    assert "cart-service: answers malformed, " in said
    assert "(add_to_cart: bad_body: not a JSON object)" in said
    kinds = [e["kind"] for e in run.events() if e["event"] == "fault_ended"]
    assert kinds == ["reset_peer", "malformed_body"]


@pytest.mark.live
@repeated_when_starved
def test_a_slow_network_is_its_services_latency_and_the_run_is_evidence(
    start_run: StartRun,
) -> None:
    """Nothing fails, so it passes; that the fault was planted is not what the judge goes by."""
    run = start(start_run, FAULTS["checkout"])
    assert run.finish() == 0, run.verdict()["summary"]
    assert "network of checkout-service: " in causes(run.verdict())
    assert hidden(RunDir(run.root)) == causes(run.verdict())


def hidden(run: RunDir) -> str:
    """Causes in the same recording without a trace of its schedule."""
    rows = [json.loads(line) for line in run.events.read_text().splitlines()]
    kept = [row for row in rows if not row["event"].startswith("fault_")]
    run.events.write_text("".join(json.dumps(row) + "\n" for row in kept))
    manifest = read_manifest(run.manifest)
    profile = manifest.profile.model_copy(update={"faults": ()})
    close_run(run, manifest.model_copy(update={"profile": profile, "files": None}))
    return causes(json.loads(judge(run, load_thresholds(LIMITS)).to_json()))


def test_a_gate_refuses_faults() -> None:
    """It compares two arms as they are."""
    words = ("gate", "--base", ".", "--profile", str(FIXTURES / "tiny_gate.toml"))
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", *words, "--set", f"faults=[{FAULTS['payment']}]"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "[[faults]] are for `loadgate run`" in " ".join(done.stderr.split())
