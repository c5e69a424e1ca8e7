"""Waits: whatever is waited for has a deadline, and Ctrl-C ends it at once."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil

from tests.analysis.recordings import SMALL, Recording
from tests.faults.fault import (
    FIXTURES,
    ROOT,
    Fault,
    Seen,
    command,
    environment,
    judged,
    verdict_of,
)
from tests.faults.mutated_bases import LIMITS
from tests.faults.rows_gate import project
from tests.harness.conftest import git
from tests.harness.slow_server import OPENINGS, slow_server
from tests.processes import words_of

TINY = FIXTURES / "tiny.toml"
HANGS = "import time\ntime.sleep(1000)\n"
AT_ONCE_S = 5.0
"""Ctrl-C before the load ends a command within this time."""


def _slow_target(folder: Path, kind: str, verb: str) -> Seen:
    with slow_server(kind) as url:
        names = ("checkout", "payment", "cart")
        if verb == "run":
            words = [f"--set=target.{name}={url}" for name in names]
            return command("run", str(TINY), *words)
        urls = folder / "urls.toml"
        urls.write_text("".join(f'{name} = "{url}"\n' for name in names))
        return command("gate", "--base", f"url:{urls}", "--head", ".")


def _hangs_at_import(folder: Path, module: str) -> Seen:
    """Head is a revision whose module never gets imported."""
    root = project(folder)
    file = root / "mock_services" / module
    text = file.read_text()
    file.write_text(f"{text}\n{HANGS}")
    git(root, "commit", "--quiet", "--all", "--message", "hangs")
    file.write_text(text)
    return command(
        "gate", "--base", ".", "--head", "ref:HEAD", "--profile", str(FIXTURES / "tiny_gate.toml"),
        "--runs", str(folder / "runs"), cwd=root, env={"PYTHONPATH": str(root)},
    )  # fmt: skip


def _stopped(folder: Path, *words: str, when: Callable[[psutil.Process, Path], bool]) -> Seen:
    """Ctrl-C once the condition holds; says how long the end took."""
    said = folder / "said.txt"
    with said.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "harness.cli", *words, "--runs", str(folder / "runs")],
            cwd=ROOT, env=environment(), stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        watched = psutil.Process(process.pid)
        while process.poll() is None and not when(watched, said):
            time.sleep(0.05)
        asked_s = time.monotonic()
        process.send_signal(signal.SIGINT)
        code = process.wait(AT_ONCE_S * 6)
    finally:
        process.kill()
        process.wait()
    took_s = time.monotonic() - asked_s
    late = "in time" if took_s < AT_ONCE_S else f"late: {took_s:.1f} s"
    return Seen(code, f"ended {late}\n{said.read_text()}", verdict_of(code))


def _waited(folder: Path, *words: str) -> Seen:
    """A run that nobody interrupts."""
    return command("run", str(TINY), "--runs", str(folder / "runs"), *words)


def _says(words: str) -> Callable[[psutil.Process, Path], bool]:
    return lambda _, said: words in said.read_text()


def _has_child(words: str) -> Callable[[psutil.Process, Path], bool]:
    def found(process: psutil.Process, _: Path) -> bool:
        return any(words in words_of(child) for child in process.children(recursive=True))

    return found


def _clock_jump(folder: Path, by_s: float) -> Seen:
    jump = {"t_s": 3.0, "source": "sampler", "event": "clock_jumped", "by_s": by_s}
    return judged(Recording(**SMALL, events=(jump,)).write(folder / "run"), LIMITS)


def _slow() -> Iterator[Fault]:
    for kind in OPENINGS:
        for verb in ("run", "gate") if kind == "silent" else ("run",):
            yield Fault(
                f"a target that {kind}: {verb}", 13, f"its server {kind}", exit_code=2,
                do=partial(_slow_target, kind=kind, verb=verb),
                says="checkout = http.*does not answer", fast=False, limit_s=40,
            )  # fmt: skip


ROWS = (
    *_slow(),
    Fault("head hangs when its settings are imported", 13, "table.py of the revision sleeps",
          do=partial(_hangs_at_import, module="table.py"), exit_code=2,
          says="--head revision .* to import", fast=False, limit_s=90),
    Fault("head's cart hangs at import", 13, "cart/service.py of the revision sleeps",
          do=partial(_hangs_at_import, module="cart/service.py"), verdict="INVALID",
          says="cart-service@head not healthy after 20 s; .*head-cart.log", fast=False, limit_s=90),
    Fault("Ctrl-C while workers are waited for", 13, "SIGINT, no worker came",
          do=lambda folder: _stopped(folder, "run", str(TINY), "--workers-expected", "3",
                                     "--port", "26557", when=_says("waiting for workers 0 of 3")),
          verdict="INVALID", says="^ended in time", fast=False),
    Fault("workers that never come", 13, "run --workers-expected 3 --wait 2",
          do=lambda folder: _waited(folder, "--workers-expected", "3", "--port", "26657",
                                    "--wait", "2"),
          verdict="INVALID", exit_code=4, fast=False,
          says="waiting for workers 0 of 3, given up after 2 s"),
    Fault("Ctrl-C while services start", 13, "SIGINT, the first service was just started",
          do=lambda folder: _stopped(folder, "run", str(TINY), when=_has_child("checkout")),
          verdict="INVALID", says="^ended in time", fast=False),
    Fault("Ctrl-C while Locust starts", 13, "SIGINT, the master was just started",
          do=lambda folder: _stopped(folder, "run", str(TINY), when=_has_child("locust")),
          verdict="INVALID", says="^ended in time", fast=False),
    *(Fault(f"the wall clock jumps by {by_s:g} s", 13, "an event of the sampler",
            do=partial(_clock_jump, by_s=by_s), verdict="PASS", exit_code=0,
            says="wall clock jumped by", fast=by_s == 2.0) for by_s in (3600.0, -3600.0, 2.0)),
)  # fmt: skip
