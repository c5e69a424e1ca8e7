"""Runs ``loadgate run`` as a user would, watches its processes, and reads what it recorded."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import psutil

from analysis.evidence.requests import Sample, samples
from analysis.evidence.run import Evidence, load_evidence
from analysis.statistics.percentiles import quantile
from benchmarks.figures.child import PROJECT, ChildFailedError
from benchmarks.figures.watch import Roles, Span, Watch
from recording.histogram import merge
from recording.hlog import DISTORTION, LATENCY, of_requests
from recording.rundir import RunDir, list_runs


@dataclass(frozen=True, slots=True)
class LoadRun:
    """A finished run: its recording, its verdict, and what its processes used while measured."""

    evidence: Evidence
    samples: dict[str, Sample]
    verdict: dict[str, Any]
    span: Span

    @property
    def rate_per_s(self) -> float:
        """Measured requests/s of all steps."""
        return self.samples["journey"].n / self.evidence.measured_s

    @property
    def distortion_p99_ms(self) -> float:
        """Client time minus the server's own, ms."""
        said = of_requests(self.evidence.log.intervals, DISTORTION)
        total = merge(i.histogram for i in said if self.evidence.is_measured(i))
        return quantile(total.values_us, total.counts, 0.99) / 1000

    def row(self) -> str:
        """The verdict in a few words."""
        reasons = self.verdict["invalid_reasons"]
        return (
            f"{self.verdict['verdict']}: {reasons[0]}" if reasons else str(self.verdict["verdict"])
        )


def run_profile(profile: str, runs: Path, overrides: Sequence[str] = ()) -> LoadRun:
    """Run a profile with overrides into ``runs``. Raises ChildFailedError when nothing came."""
    command = [sys.executable, "-m", "harness.cli", "run", profile, "--json", "--runs", str(runs)]
    for text in overrides:
        command += ["--set", text]
    before = {run.root for run in list_runs(runs)}
    with (runs / "run.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=log)
        try:
            with Watch(lambda: _roles(process.pid)) as watch:
                code = process.wait()
        finally:
            process.kill()
            process.wait()
    fresh = [run for run in list_runs(runs) if run.root not in before]
    if not fresh or not fresh[0].verdict.exists():
        text = (runs / "run.log").read_text(errors="replace")[-500:]
        raise ChildFailedError(f"loadgate run {profile}: exit code {code}: {text}")
    return _read(fresh[0], watch)


def _read(run: RunDir, watch: Watch) -> LoadRun:
    evidence = load_evidence(run)
    if not evidence.measured:
        raise ChildFailedError(f"{run.root.name}: no measured phase was reached")
    start_s, end_s = evidence.measured[0]
    epoch_s = evidence.manifest.epoch_wall_s
    verdict = orjson.loads(run.verdict.read_bytes())
    span = watch.between(epoch_s + start_s, epoch_s + end_s)
    return LoadRun(evidence, samples(evidence, LATENCY), verdict, span)


def _roles(harness: int) -> Roles:
    """Locust's master and workers below the harness."""
    roles: dict[str, list[psutil.Process]] = {"master": [], "workers": [], "mocks": []}
    try:
        for child in psutil.Process(harness).children():
            words = child.cmdline()
            if "locust" in words:
                roles["master"].append(child)
                roles["workers"] += child.children()
            elif "mock_services.serve" in words:
                roles["mocks"].append(child)
    except psutil.Error:  # it ended while we looked
        pass
    return roles
