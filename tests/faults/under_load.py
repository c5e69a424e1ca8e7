"""A run in progress: wait for a moment of it, do something to it, see how it ends.

Examples::

    with started(folder) as run:
        run.wait_for(measuring)
        run.service("payment").kill()
        seen = run.finish()
"""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil

from recording.jsonl import read_json_lines
from tests.faults.fault import (
    FIXTURES,
    ROOT,
    Fault,
    Seen,
    command,
    environment,
    newest_verdict,
)
from tests.hlog_file import read_hlog
from tests.processes import words_of

SHORT = FIXTURES / "short.toml"
LIMITS = FIXTURES / "short_thresholds.toml"
LONGER = ("--set", "load.phases.sustained.duration=5s")
ENDS_WITHIN_S = 45.0
MEASURED_S = 1.0


@dataclass(frozen=True)
class Running:
    """``loadgate run`` as a process, where it records, and the file with all that it said."""

    process: "subprocess.Popen[bytes]"
    runs: Path
    said: Path

    @property
    def root(self) -> Path:
        """The run directory; StopIteration before it is there."""
        return next(self.runs.glob("*/manifest.json")).parent

    def events(self) -> list[Mapping[str, Any]]:
        """Whole events so far."""
        found = next(self.runs.glob("*/events.jsonl"), None)
        return list(read_json_lines(found)[0]) if found else []

    def wait_for(self, moment: "Callable[[Running], Any]") -> None:
        """Raises RuntimeError, with what was said, where the run ends before the moment."""
        while not moment(self):
            if self.process.poll() is not None:
                raise RuntimeError(f"ended before {moment.__name__}:\n{self.text()}")
            time.sleep(0.02)

    def text(self) -> str:
        """What was said so far."""
        return self.said.read_text(errors="replace")

    def harness(self) -> psutil.Process:
        """The command itself."""
        return psutil.Process(self.process.pid)

    def service(self, name: str) -> psutil.Process:
        """A mock."""
        return next(p for p in self._below() if name in words_of(p))

    def master(self) -> psutil.Process:
        """Locust's."""
        locusts = (p for p in self._below() if "locust" in words_of(p))
        return next(p for p in locusts if p.ppid() == self.process.pid)

    def worker(self) -> psutil.Process:
        """The first of Locust's."""
        return self.master().children()[0]

    def _below(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def finish(self) -> Seen:
        """How it ended: exit code, verdict.json, all that was said, and what the closing counts."""
        code = self.process.wait(ENDS_WITHIN_S)
        stored = newest_verdict(self.runs)
        text = f"{self.text()}\n{json.dumps(stored, ensure_ascii=False)}\n{self._counted()}"
        if not stored:
            return Seen(code, f"{text}\nnothing stored")
        agree = f"exit code as stored: {stored['exit_code'] == code}"
        return Seen(code, f"{text}\n{agree}", str(stored["verdict"]))

    def _counted(self) -> str:
        rows = [row for row in self.events() if row["event"] == "generator_ended"]
        if not rows:
            return "no closing counts"
        return f"recorded all: {rows[0]['recorded'] == rows[0]['locust_requests'] > 0}"

    def analyzed(self) -> Seen:
        """What ``loadgate analyze`` says of it, once it is dead."""
        self.process.wait(ENDS_WITHIN_S)
        return command("analyze", str(self.root), "--thresholds", str(LIMITS))


@contextlib.contextmanager
def started(
    folder: Path,
    *words: str,
    env: Mapping[str, str] | None = None,
    stdout: "IO[bytes] | int | None" = None,
    profile: Path = SHORT,
    wrap: tuple[str, ...] = (),
    runs: Path | None = None,
) -> Iterator[Running]:
    """``loadgate run`` of the shortest profile; whatever is left of it afterwards is killed."""
    runs, said = runs or folder / "runs", folder / "said.txt"
    with said.open("wb") as output:
        process = subprocess.Popen(
            [*wrap, sys.executable, "-m", "harness.cli", "run", str(profile),
             "--runs", str(runs), "--thresholds", str(LIMITS), *words],
            cwd=ROOT, env=environment(env), stdin=subprocess.DEVNULL,
            stdout=output if stdout is None else stdout, stderr=output,
        )  # fmt: skip
    try:
        yield Running(process, runs, said)
    finally:
        process.kill()
        process.wait()


def _in_phase(run: Running, name: str) -> bool:
    return any(e.get("phase") == name for e in run.events() if e["event"] == "phase_started")


def in_ramp(run: Running) -> bool:
    """Users have begun to come."""
    return _in_phase(run, "ramp-up")


def measuring(run: Running) -> bool:
    """A good second of the measured phase is recorded."""
    began = [e["t_s"] for e in run.events() if e.get("measured")]
    log = next(run.runs.glob("*/latency.hlog"), None)
    if not began or log is None:
        return False
    newest_s = max((interval.start_s for interval in read_hlog(log).intervals), default=0.0)
    return bool(newest_s > began[0] + MEASURED_S)


def ending(run: Running) -> bool:
    """The measured phase is over."""
    return _in_phase(run, "ramp-down")


def under_load(
    name: str,
    item: int,
    how: str,
    act: Callable[[Running], Seen | None],
    *words: str,
    at: Callable[[Running], Any] = measuring,
    env: Mapping[str, str] | None = None,
    limit_s: float = 60.0,
    **expect: Any,
) -> Fault:
    """A row: ``act`` on a run at a moment; its end, unless ``act`` saw another."""

    def do(folder: Path) -> Seen:
        with started(folder, *words, env=env) as run:
            run.wait_for(at)
            return act(run) or run.finish()

    return Fault(name, item, how, do, live=True, fast=False, limit_s=limit_s, **expect)
