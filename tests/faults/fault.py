"""A row of the fault matrix: what is broken, how, and what must come out.

Rows live in ``rows_<area>.py`` beside this file, each with a module-level ``ROWS``: an iterable of
`Fault`. A row's ``do`` takes an empty folder of its own, injects the fault for real and returns
what it saw; the helpers at the end do that for the common ways in. ``test_rows.py`` runs the rows
marked ``fast`` within ``make test``; ``make faults`` (``python -m tests.faults``) runs every row
and prints the table that is kept in docs/faults.md.

Whatever a row expects, three things are always wrong: a traceback on the screen, a process left
behind, and more seconds than its limit.

Examples::

    Fault("exporter without waiters", item=4, how="no connection_pool_waiting in resources.csv",
          do=lambda folder: judged(Recording(...).write(folder / "run")), verdict="INCONCLUSIVE",
          says="exhausted_windows == 0: no data")
    Fault("profile is a directory", item=16, how="loadgate run .",
          do=lambda folder: command("run", str(folder)), exit_code=2, says="is a directory")
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.judge import judge
from analysis.limits.thresholds import Thresholds, load_thresholds
from recording.exitcodes import ExitCode
from recording.rundir import RunDir

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
TRACEBACK = "Traceback (most recent call last)"
LACKS_WORDS = "does not say"
"""The verdict and the exit code are what they must be, and something was not said."""


@dataclass(frozen=True)
class Seen:
    """What came out: the exit code, the verdict if there was one, and everything that was said."""

    exit_code: int
    text: str
    verdict: str = ""


@dataclass(frozen=True)
class Fault:
    """One fault. ``verdict`` and ``says`` (regular expressions), ``exit_code``: what must come out.

    ``verdict`` may allow several (``"FAIL|INVALID"``). A row must expect at least one of the three.
    ``live`` rows put load on services; ``fast`` ones are part of ``make test``.
    """

    name: str
    item: int
    """The point of the issue "It never lies" that named the kind."""
    how: str
    do: Callable[[Path], Seen]
    verdict: str = ""
    exit_code: int | None = None
    says: str = ""
    live: bool = False
    fast: bool = True
    limit_s: float = 60.0

    def __post_init__(self) -> None:
        if not self.verdict and self.exit_code is None and not self.says:
            raise ValueError(f"{self.name}: expects nothing, so it cannot fail")

    @property
    def must(self) -> str:
        """What must come out, in words."""
        code = "" if self.exit_code is None else f"exit {self.exit_code}"
        says = f"says /{self.says}/" if self.says else ""
        return ", ".join(part for part in (self.verdict, code, says) if part)

    def wrong(self, seen: Seen) -> str:
        """Why what came out is not what must; "" where it is."""
        if TRACEBACK in seen.text:
            return "a traceback"
        if self.verdict and not re.fullmatch(self.verdict, seen.verdict):
            return f"verdict {seen.verdict or 'none'}"
        if self.exit_code is not None and seen.exit_code != self.exit_code:
            return f"exit {seen.exit_code}"
        if self.says and not re.search(self.says, seen.text, re.DOTALL):
            return f"{LACKS_WORDS} /{self.says}/"
        return ""


def judged(run: RunDir, limits: Thresholds | None = None) -> Seen:
    """Judge a recording in this process, by the shipped limits unless told otherwise."""
    limits = limits or load_thresholds(ROOT / "thresholds.toml")
    verdict = judge(run, limits)
    return Seen(int(verdict.exit_code), verdict.to_json().decode(), verdict.verdict.value)


def command(
    *words: str,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    limit_s: float = 60.0,
) -> Seen:
    """Run ``loadgate`` as a user would; raises TimeoutExpired where it hangs."""
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", *words],
        cwd=cwd, env=environment(env), input=stdin, capture_output=True,
        text=True, errors="replace", timeout=limit_s, check=False,
    )  # fmt: skip
    text = done.stdout + done.stderr
    return Seen(done.returncode, text, verdict_of(done.returncode))


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process' environment with this project in front, wide output, and ``more``."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **(more or {})}


def live_run(
    folder: Path,
    profile: Path,
    *words: str,
    limits: Path = FIXTURES / "tiny_thresholds.toml",
    limit_s: float = 60.0,
) -> Seen:
    """``loadgate run`` into ``folder``; its text is what was printed and verdict.json."""
    runs = folder / "runs"
    seen = command(
        "run", str(profile), "--runs", str(runs), "--thresholds", str(limits), *words,
        limit_s=limit_s,
    )  # fmt: skip
    stored = newest_verdict(runs)
    text = f"{seen.text}\n{json.dumps(stored)}"
    return Seen(seen.exit_code, text, str(stored.get("verdict", "")) or seen.verdict)


def newest_verdict(runs: Path) -> dict[str, object]:
    """verdict.json of the newest run below a folder; empty where there is none."""
    found = sorted(runs.glob("*/verdict.json"))
    return dict(json.loads(found[-1].read_bytes())) if found else {}


def verdict_of(exit_code: int) -> str:
    """The verdict that an exit code stands for; "" for those that are none."""
    names: Sequence[str] = [code.name for code in ExitCode if code.value == exit_code]
    known = ("PASS", "FAIL", "INVALID", "INCONCLUSIVE")
    return next((name for name in names if name in known), "")
