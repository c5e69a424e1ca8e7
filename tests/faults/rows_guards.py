"""Guards while a run goes on: each thing that one does, and what may befall a load that stands."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recording.timetable import pauses_of
from tests.faults.fault import FIXTURES, Fault, Seen, command
from tests.faults.under_load import Running, started

PROFILE = FIXTURES / "guards.toml"
LIMITS = """
[journey]
latency = ["mean < 2000 ms"]
errors = ["failures < 100000"]

[guard]
grace = "1s"
min_samples = 10
"""
WAITS, CLEARS = '["error_rate < 5 %"]', '["error_rate < 5 % over 2s"]'
BROKEN = ("--set", "services.cart.unavailable_share=0.5")
OPEN = ("--set", "load.model=arrivals", "--set", "load.arrivals=uniform")
DROWNED = ("--set", "load.phases.sustained.duration=60s", "--set", "validity.distortion_p99=1ms")


def paused(run: Running) -> bool:
    """The load stands still, and its users are gone."""
    pauses = pauses_of(run.events())
    load = next(run.runs.glob("*/load.csv"), None)
    users = [row for row in load.read_text().splitlines() if ",locust," in row] if load else []
    return bool(pauses) and pauses[-1][1] is None and users[-1].endswith(",locust,0")


def mended(run: Running) -> bool:
    """It stands still, and what was wrong is over."""
    return paused(run) and any(row["event"] == "fault_ended" for row in run.events())


def _resumed(run: Running) -> None:
    said = command("resume", str(run.root))
    if said.exit_code:
        raise RuntimeError(said.text)


def _killed(run: Running) -> Seen:
    run.process.kill()
    run.process.wait()
    left = command("resume", str(run.root))
    judged = run.analyzed()
    return Seen(judged.exit_code, f"{judged.text}\n{left.text}", judged.verdict)


def _row(
    name: str,
    how: str,
    guards: str,
    *words: str,
    at: Callable[[Running], Any] | None = None,
    act: Callable[[Running], Seen | None] = lambda run: None,
    **expect: Any,
) -> Fault:
    def do(folder: Path) -> Seen:
        limits = folder / "limits.toml"
        limits.write_text(LIMITS + guards)
        given = ("--thresholds", str(limits), *words)
        with started(folder, *given, profile=PROFILE) as run:
            if at is not None:
                run.wait_for(at)
            return act(run) or run.finish()

    return Fault(name, 13, how, do, live=True, fast=False, limit_s=90.0, **expect)


CLEARED = _row(
    "guard pauses, and what it was for ends", "503 of the cart for four seconds",
    f"pause = {CLEARS}", verdict="PASS",
    says="paused: no journey begins.*the load was paused at.*condition has cleared"
    ".*recorded all: True",
)  # fmt: skip

ROWS = (
    CLEARED,
    _row(
        "guard warns", "503 of the cart for four seconds", f"warn = {CLEARS}", verdict="PASS",
        says=r"warn at T\+.*guard \(warn\): add_to_cart error_rate <.*recorded all: True",
    ),
    _row(
        "guard pauses, open model", "503 of the cart for four seconds", f"pause = {CLEARS}", *OPEN,
        verdict="PASS", says="the load was paused at.*condition has cleared.*recorded all: True",
    ),
    _row(
        "guard pauses, and nothing gets better", "503 of the cart for good",
        f'pause = {WAITS}\npause_limit = "4s"', *BROKEN, verdict="FAIL", exit_code=3,
        says="a guard ended the run.*not cleared in 4s of pause.*recorded all: True",
    ),
    _row(
        "guard aborts", "503 of the cart for good", f"abort = {CLEARS}", *BROKEN,
        verdict="FAIL", exit_code=3, says="a guard ended the run.*recorded all: True",
    ),
    _row(
        "loadgate resume from another terminal", "503 of the cart for four seconds",
        f"pause = {WAITS}", at=mended, act=_resumed, verdict="PASS",
        says=r"resumed \(loadgate resume\).*the load was paused.*recorded all: True",
    ),
    _row(
        "kill -9 of the harness in a pause", "SIGKILL, loadgate resume, loadgate analyze",
        f"pause = {WAITS}", at=paused, act=_killed, verdict="INVALID", exit_code=4,
        says="is not running",
    ),
    _row(
        "Ctrl-C in a pause", "SIGINT", f"pause = {WAITS}", at=paused,
        act=lambda run: run.process.send_signal(signal.SIGINT),
        verdict="INCONCLUSIVE", says="stopped early.*recorded all: True",
    ),
    _row(
        "no evidence, seen while it goes on", "a distortion that no run keeps below",
        "stop_when_invalid = true", *DROWNED, verdict="INVALID", exit_code=4,
        says="this run is no evidence so far: distortion.*asked to stop.*recorded all: True",
    ),
)  # fmt: skip
"""What a guard did, and how the run ended."""
