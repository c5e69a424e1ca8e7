"""What ends a run before its time: signals, a starter that is gone, a look that fails."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from harness.run.early_look import EarlyLooks
from harness.run.watch import Interrupt
from harness.system.paths import environment_of
from harness.system.signals import stop_like_ctrl_c
from recording.clock import RunClock
from recording.jsonl import JsonLinesWriter, read_json_lines
from recording.manifest import ArmFacts, PairedRun
from recording.profile import Gate
from recording.rundir import RunDir
from tests.harness.conftest import LIMIT_S, gone, wait_for

CHILD = """
import os, time
from harness.system import parent
parent.end_with_starter()
print(os.getpid(), flush=True)
time.sleep(60)
"""
STARTER = f"""
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}],
                         env={{**os.environ, "LOADGATE_PARENT": str(os.getpid())}})
child.wait()
"""


def _ask_to_stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LIMIT_S)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_stop_signal_is_a_request_to_stop(number: signal.Signals) -> None:
    """Also a terminal that is closed; afterwards the old handlers are back."""
    ours = signal.signal(number, signal.SIG_DFL)  # who runs the tests may ignore it: nohup
    try:
        interrupt = Interrupt()
        with interrupt.installed():
            os.kill(os.getpid(), number)
            wait_for(lambda: interrupt.count == 1)
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, ours)


def test_a_hang_up_is_ignored_under_nohup() -> None:
    """Whoever ignores it already, does so on purpose."""
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        stop_like_ctrl_c()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        with pytest.raises(KeyboardInterrupt):
            _ask_to_stop()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_command_ends_with_whoever_started_it() -> None:
    """`loadgate calibrate` killed outright: its gate must not load the machine on its own."""
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER], env=environment_of(), stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    child = psutil.Process(int(starter.stdout.readline()))  # it lives, and it watches
    starter.kill()
    starter.wait()
    starter.stdout.close()
    wait_for(lambda: gone([child]))


def test_a_look_that_cannot_be_judged_is_an_event_and_the_run_goes_on(tmp_path: Path) -> None:
    """The recording is worth more than an early end."""

    def broken(run: RunDir, rounds: int) -> str:
        raise ZeroDivisionError("a bug")

    run, clock = RunDir(tmp_path), RunClock.start()
    events = JsonLinesWriter(run.events)
    events.write({"t_s": 0.0, "source": "locust", "event": "slots_started", "start_s": -1000.0})
    events.close()
    gate = Gate(slot=1.0, cut=0.2, warmup_rounds=0, looks=(8, 16))
    arm = ArmFacts(what=".")
    paired = PairedRun(base=arm, head=arm, seed=1, head_first=(True, False) * 8)
    looks = EarlyLooks(gate, paired, 0.0, broken)
    said = [looks.enough(run, clock)]

    def told() -> bool:
        said.append(looks.enough(run, clock))
        return any(row["event"] == "look_failed" for row in read_json_lines(run.events)[0])

    wait_for(told)
    assert set(said) == {""}
