"""Real runs: the installed command, real services, real Locust, real sockets."""

import functools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.processes import words_of

FIXTURES = Path(__file__).parents[1] / "fixtures"
ROOT = Path(__file__).parents[2]
LIMIT_S = 90.0
ATTEMPTS = 3
STARVED = ("CPU", "arrivals", "distortion", "generator lag", "request rate", "samples", "users")
"""How checks begin that a machine breaks which has no time for the run."""
PACKAGES = ("analysis", "harness", "locustfiles", "mock_services", "recording")


def copy_code(folder: Path) -> None:
    """This project's packages, without their history."""
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "loadgate_scenario.py", folder)


def git(folder: Path, *words: str) -> None:
    """Run git as somebody."""
    who = ("-c", "user.name=test", "-c", "user.email=test@example.invalid")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository of this project's code with one commit."""
    folder = tmp_path / "project"
    copy_code(folder)
    for name in (".gitignore", "thresholds.toml", "requirements.lock"):
        shutil.copy(ROOT / name, folder)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "base")
    return folder


@dataclass
class Run:
    """A `loadgate run` in progress, and its directory once it has one."""

    process: "subprocess.Popen[str]"
    runs: Path

    @property
    def root(self) -> Path:
        """The run directory; waits until it is there."""
        found: Path = self.wait_for(lambda: next(iter(self.runs.glob("*/manifest.json")), None))
        return found.parent

    def wait_for(self, condition: Callable[[], Any]) -> Any:
        """The condition's first true value; fails at once when the harness is gone."""

        def now() -> Any:
            if value := condition():
                return value
            if self.process.poll() is not None and self.process.stdout is not None:
                pytest.fail(f"the run ended too early:\n{self.process.stdout.read()}")
            return None

        return wait_for(now)

    def events(self) -> list[dict[str, Any]]:
        """Whole lines of events.jsonl so far."""
        try:
            lines = (self.root / "events.jsonl").read_text().split("\n")[:-1]
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines]

    def wait_until_measuring(self) -> None:
        """Until all users were there for two seconds and the first orders are confirmed."""
        confirmed = self.root / "ledger" / "confirmed.csv"
        load = self.root / "load.csv"
        self.wait_for(lambda: any(e.get("measured") for e in self.events()))
        self.wait_for(lambda: load.exists() and load.read_text().count(",locust,20\n") > 1)
        self.wait_for(lambda: confirmed.exists() and confirmed.read_bytes().count(b"\n") > 3)

    def descendants(self) -> list[psutil.Process]:
        """Every process below the harness."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def service(self, name: str) -> psutil.Process:
        """A mock's process."""
        return next(p for p in self.descendants() if name in words_of(p))

    def locust(self) -> psutil.Process:
        """Locust's master."""
        found = [p for p in self.descendants() if "locust" in words_of(p)]
        return next(p for p in found if p.ppid() == self.process.pid)

    def finish(self) -> int:
        """Wait for the end; the exit code."""
        self.process.wait(LIMIT_S)
        return self.process.returncode

    def verdict(self) -> dict[str, Any]:
        """verdict.json."""
        found: dict[str, Any] = json.loads((self.root / "verdict.json").read_bytes())
        return found

    def was_starved(self) -> bool:
        """Whether it is no evidence, and only for what a busy machine does to a run."""
        stored = next(iter(self.runs.glob("*/verdict.json")), None)
        reasons = json.loads(stored.read_bytes())["invalid_reasons"] if stored else []
        return bool(reasons) and all(reason.startswith(STARVED) for reason in reasons)


def repeated_when_starved(test: Callable[..., None]) -> Callable[..., None]:
    """A test of `start_run` that is tried again when the machine starved its newest run.

    Such a run is INVALID whatever the code under test does, so it says nothing about that.
    """

    @functools.wraps(test)
    def tried(*, start_run: "StartRun", **others: Any) -> None:
        for left in reversed(range(ATTEMPTS)):
            try:
                return test(start_run=start_run, **others)
            except (AssertionError, pytest.fail.Exception):
                if not left or not start_run.started[-1].was_starved():
                    raise
        return None

    return tried


def wait_for(condition: Callable[[], Any], limit_s: float = LIMIT_S) -> Any:
    """The condition's first true value; fails the test when it stays false."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    pytest.fail(f"condition not met within {limit_s} s")


def gone(processes: list[psutil.Process]) -> bool:
    """Whether all of them have ended."""
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


@dataclass
class StartRun:
    """Starts `loadgate run`, on the tiny profile unless told, with more arguments."""

    folder: Path
    started: list[Run] = field(default_factory=list)

    def __call__(
        self,
        *arguments: str,
        limits: Path = FIXTURES / "tiny_thresholds.toml",
        profile: Path = FIXTURES / "tiny.toml",
    ) -> Run:
        """The run, which is in progress."""
        runs = self.folder / f"runs{len(self.started)}"
        command = [sys.executable, "-m", "harness.cli", "run", str(profile)]
        command += ["--runs", str(runs), "--thresholds", str(limits), *arguments]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "COLUMNS": "200"},
        )
        self.started.append(Run(process, runs))
        return self.started[-1]

    def end(self) -> None:
        """End what is left, with everything below it."""
        for run in self.started:
            if run.process.poll() is None:
                below = run.descendants()
                run.process.kill()
                wait_for(lambda left=below: gone(left), 10)
            run.process.communicate()


@pytest.fixture
def start_run(tmp_path: Path) -> Iterator[StartRun]:
    """Runs of this test; those that it leaves are ended."""
    runs = StartRun(tmp_path)
    yield runs
    runs.end()
