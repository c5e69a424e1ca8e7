"""A master and its workers as processes of their own, and a shop that they load."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from harness.generator.generator import free_port
from tests.faults.fault import FIXTURES, Seen, environment, newest_verdict
from tests.processes import words_of

TOKEN = "a-token-of-these-rows"
PATIENCE_S = 60.0
PROFILE = FIXTURES / "hang.toml"
LIMITS = FIXTURES / "workers_thresholds.toml"
REQUIRED = ("--set", 'judge.required=["errors"]')


@dataclass(frozen=True)
class Side:
    """One command and what it says."""

    name: str
    process: "subprocess.Popen[bytes]"
    said: Path

    @property
    def text(self) -> str:
        """All that it has printed."""
        return self.said.read_text(errors="replace")

    @property
    def tree(self) -> list[psutil.Process]:
        """It and every process below it."""
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def says(self, words: str) -> None:
        """Wait until it has said so."""
        until(lambda: words in self.text, lambda: f"{self.name} never said {words!r}: {self.text}")

    def kill(self) -> None:
        """As the kernel does when memory is short."""
        self.process.kill()

    def end(self) -> str:
        """Wait for its end; its name, exit code and words."""
        return f"{self.name} exit {self.process.wait(PATIENCE_S)}:\n{self.text}"


@dataclass
class Party:
    """Starts masters and workers in ``folder``; ends whatever is left of them."""

    folder: Path
    sides: list[Side] = field(default_factory=list)
    port: int = field(default_factory=lambda: free_port(neighbours=5))

    @property
    def runs(self) -> Path:
        """Where the master records."""
        return self.folder / "runs"

    def start(
        self, name: str, command: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None
    ) -> Side:
        """Any command, with these variables more."""
        said = self.folder / f"{name}.txt"
        with said.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=cwd, env=environment(env), stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.sides.append(Side(name, process, said))
        return self.sides[-1]

    def master(self, *words: str, workers: int = 2, token: str = TOKEN, port: int = 0) -> Side:
        """``loadgate run`` that waits for so many workers; without a token it makes one."""
        known = ["--token", token] if token else []
        command = [
            sys.executable, "-m", "harness.cli", "run", "--runs", str(self.runs),
            "--thresholds", str(LIMITS), "--workers-expected", str(workers),
            "--port", str(port or self.port), *REQUIRED, *known, *words,
        ]  # fmt: skip
        return self.start(f"master{port or ''}", command, self.folder)

    def worker(self, name: str, *words: str, token: str = TOKEN, port: int = 0, **env: str) -> Side:
        """``loadgate worker`` of this master, or of the one on another port."""
        known = ["--token", token] if token else []
        command = [
            sys.executable, "-m", "harness.cli", "worker",
            "--master", f"127.0.0.1:{port or self.port}", "--wait", "30", *known, *words,
        ]  # fmt: skip
        return self.start(name, command, self.folder, env)

    def events(self, name: str) -> list[dict[str, Any]]:
        """The run's events of this name so far."""
        found = []
        for file in self.runs.glob("*/events.jsonl"):
            whole = file.read_text(errors="replace").split("\n")[:-1]
            found += [json.loads(line) for line in whole]
        return [event for event in found if event["event"] == name]

    def happens(self, name: str) -> None:
        """Wait until there is such an event."""
        until(lambda: self.events(name), lambda: f"no event {name}: {self.texts()}")

    def measures(self) -> None:
        """Wait until the measured phase has begun."""
        until(lambda: any(e["measured"] for e in self.events("phase_started")),
              lambda: f"nothing measured: {self.texts()}")  # fmt: skip

    def texts(self) -> str:
        """What everybody has said."""
        return "\n".join(f"{side.name}: {side.text}" for side in self.sides)

    def over(self) -> Seen:
        """Wait for the end of all; what the first of them, a master, came to."""
        text = "\n".join(side.end() for side in self.sides)
        verdict = newest_verdict(self.runs)
        code = self.sides[0].process.returncode
        return Seen(code, f"{text}\n{json.dumps(verdict)}", str(verdict.get("verdict", "")))

    def end(self) -> None:
        """Kill what is left; whatever they started must notice by itself."""
        for side in self.sides:
            if side.process.poll() is None:
                side.process.kill()
            side.process.wait()


@contextlib.contextmanager
def party(folder: Path) -> Iterator[Party]:
    """Nobody of it is left afterwards."""
    found = Party(folder)
    try:
        yield found
    finally:
        found.end()


def until(
    holds: Callable[[], Any], otherwise: Callable[[], str], limit_s: float = PATIENCE_S
) -> None:
    """Wait for a condition. Raises AssertionError with these words."""
    deadline_s = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > deadline_s:
            raise AssertionError(otherwise())
        time.sleep(0.05)


def gone_within(processes: Sequence[psutil.Process], limit_s: float) -> str:
    """In words, whether all of these have ended by then; their exit codes stay to be asked for."""
    began_s = time.monotonic()
    while left := [process for process in processes if _lives(process)]:
        if time.monotonic() - began_s > limit_s:
            return f"left: {left}"
        time.sleep(0.05)
    return f"all gone in time ({time.monotonic() - began_s:.1f} s)"


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def suspend_locust(side: Side) -> None:
    """Stop Locust of this worker as soon as it is there."""
    found: list[psutil.Process] = []

    def there() -> bool:
        found[:] = [p for p in side.tree[1:] if "locust" in words_of(p)]
        return bool(found)

    until(there, lambda: f"no Locust below {side.name}: {side.text}")
    found[0].suspend()
