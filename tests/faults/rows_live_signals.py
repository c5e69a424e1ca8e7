"""Signals to a run under load: whoever is killed, stopped or asked to end, at any time."""

import signal
import time
from collections.abc import Callable, Iterator
from functools import partial

import psutil

from tests.faults.fault import FIXTURES, Fault, Seen
from tests.faults.under_load import LONGER, Running, ending, in_ramp, measuring, under_load

MOCKS = {"payment": "payment-gateway", "inventory_lock": "inventory-lock-service"}
WHEN = {"in the ramp": in_ramp, "while measuring": measuring, "at the end": ending}
LONG_END = ("--set", "load.phases.ramp-down.duration=2s")
STRICT = str(FIXTURES / "hang_thresholds.toml")
STALL = str(FIXTURES / "stall_thresholds.toml")
PATIENT = ("--set", "load.request_timeout=30s", "--set", "validity.distortion_p99=500ms")
STOPPED_S = 2.0
STORED = "exit code as stored: True"
NOT_A_PASS = "INCONCLUSIVE|INVALID"
HEARTBEATS = ("--set", "load.phases.sustained.duration=10s")
"""Locust calls a worker lost that was silent for three of them, and so must have the time."""


def killed_harness(run: Running) -> Seen:
    """``kill -9``; what it leaves is judged, and must end by itself."""
    run.process.kill()
    return run.analyzed()


def killed(run: Running, whom: Callable[[Running], psutil.Process]) -> None:
    """``kill -9``."""
    whom(run).kill()


def asked(run: Running, number: signal.Signals, times: int = 1) -> None:
    """Ctrl-C and its like; the second half a second after the first."""
    for count in range(times):
        time.sleep(0.5 if count else 0.0)
        run.process.send_signal(number)


def paused(run: Running, whom: Callable[[Running], psutil.Process]) -> None:
    """SIGSTOP, and SIGCONT two seconds later."""
    process = whom(run)
    process.suspend()
    time.sleep(STOPPED_S)
    process.resume()


def stopped(run: Running, whom: Callable[[Running], psutil.Process]) -> None:
    """SIGSTOP for good."""
    whom(run).suspend()


def mock(name: str) -> Callable[[Running], psutil.Process]:
    """One of the services."""
    return lambda run: run.service(name)


def stopped_master_twice(run: Running) -> None:
    """A master that answers nobody; the user has enough of it."""
    run.master().suspend()
    asked(run, signal.SIGINT, times=2)


def _kills() -> Iterator[Fault]:
    for when in ("in the ramp", "while measuring"):
        yield under_load(
            f"kill -9 of the harness {when}", 1, "then loadgate analyze", killed_harness,
            at=WHEN[when], verdict="INVALID", exit_code=4, says="did not end|running",
        )  # fmt: skip
    for when in ("while measuring", "at the end"):
        yield under_load(
            f"kill -9 of Locust's master {when}", 1, "SIGKILL",
            partial(killed, whom=Running.master), *LONG_END,
            at=WHEN[when], verdict="INVALID", exit_code=4, says="Locust ended with signal 9",
        )  # fmt: skip
    yield under_load(
        "kill -9 of the only worker", 15, "SIGKILL", partial(killed, whom=Running.worker),
        *HEARTBEATS,
        verdict="INVALID", exit_code=4, says="was lost at",
    )  # fmt: skip
    yield under_load(
        "kill -9 of one of two workers, open model", 15, "SIGKILL",
        partial(killed, whom=Running.worker), *HEARTBEATS, "--set", "load.model=arrivals",
        "--set", "load.processes=2", verdict="INVALID", exit_code=4, says="was lost at",
    )  # fmt: skip
    for name, subject in MOCKS.items():
        yield under_load(
            f"kill -9 of {subject}", 1, "SIGKILL", partial(killed, whom=mock(name)),
            verdict="INVALID", exit_code=4, says=rf"{subject} died \(signal 9\)",
        )  # fmt: skip


def _pauses() -> Iterator[Fault]:
    yield under_load(
        "SIGSTOP of the harness for two seconds", 13, "SIGSTOP, SIGCONT",
        partial(paused, whom=Running.harness), *LONGER, "--set", "validity.missing_samples=0.2",
        verdict="INVALID", says="recorded all: True",
    )  # fmt: skip
    yield under_load(
        "SIGSTOP of Locust's master for two seconds", 13, "SIGSTOP, SIGCONT",
        partial(paused, whom=Running.master), *LONGER,
        verdict="PASS|INVALID", says="recorded all: True",
    )  # fmt: skip
    yield under_load(
        "SIGSTOP of a worker for two seconds", 13, "SIGSTOP, SIGCONT",
        partial(paused, whom=Running.worker), *LONGER,
        verdict="INVALID", says="recorded all: True",
    )  # fmt: skip
    yield under_load(
        "SIGSTOP of payment-gateway for two seconds", 1, "SIGSTOP, SIGCONT",
        partial(paused, whom=mock("payment")), *LONGER, "--thresholds", STRICT, verdict="FAIL",
        says="charge.*no whole answer within 1s.*recorded all: True",
    )  # fmt: skip
    for name in ("checkout", "cart"):
        yield under_load(
            f"SIGSTOP of {name} for two seconds, patient clients", 1, "SIGSTOP, SIGCONT",
            partial(paused, whom=mock(name)), *LONGER, *PATIENT, "--thresholds", STALL,
            verdict="FAIL", says=f"journey.*max < 1500.*{name}[a-z-]* alone gave no metrics",
        )  # fmt: skip
    yield under_load(
        "SIGSTOP of payment-gateway for good", 1, "SIGSTOP", partial(stopped, whom=mock("payment")),
        *LONGER, "--thresholds", STRICT,
        verdict="FAIL", says="charge.*no whole answer within 1s",
    )  # fmt: skip
    yield under_load(
        "Ctrl-C twice while Locust's master is stopped", 13, "SIGSTOP, SIGINT, SIGINT",
        stopped_master_twice, verdict="INVALID", exit_code=4,
    )  # fmt: skip


def _requests_to_end() -> Iterator[Fault]:
    for when, moment in WHEN.items():
        yield under_load(
            f"Ctrl-C {when}", 1, "SIGINT", partial(asked, number=signal.SIGINT), *LONG_END,
            at=moment, verdict="INVALID" if "ramp" in when else "INCONCLUSIVE",
            says=f"stopped early.*{STORED}",
        )  # fmt: skip
    yield under_load(
        "Ctrl-C twice while measuring", 1, "SIGINT, SIGINT",
        partial(asked, number=signal.SIGINT, times=2), verdict=NOT_A_PASS, says=STORED,
    )  # fmt: skip
    for number in (signal.SIGTERM, signal.SIGHUP):
        yield under_load(
            f"{number.name} while measuring", 10, number.name, partial(asked, number=number),
            verdict="INCONCLUSIVE", exit_code=5, says="stopped early.*recorded all: True",
        )  # fmt: skip
    yield under_load(
        "Ctrl-C of a run that already failed", 1, "SIGINT, a third of checkout's answers fail",
        partial(asked, number=signal.SIGINT), "--set", "services.checkout.error_share=0.3",
        verdict="FAIL", exit_code=3, says="error_rate",
    )  # fmt: skip


ROWS = (*_kills(), *_pauses(), *_requests_to_end())
