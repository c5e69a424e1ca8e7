"""What surrounds a run under load: who reads its screen, its disk, its files, its environment."""

import os
import pty
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import psutil

from tests.faults.fault import Fault, Seen
from tests.faults.under_load import SHORT, Running, measuring, started, under_load

WELL = "PASS"
AGREES = "exit code as stored: True"
PROXIES = ("http_proxy", "HTTP_PROXY", "ALL_PROXY")
ENVIRONMENTS: dict[str, Mapping[str, str]] = {
    "LOCUST_* in the environment": {
        "LOCUST_USERS": "1", "LOCUST_RUN_TIME": "1s", "LOCUST_HOST": "http://127.0.0.1:9",
        "LOCUST_LOCUSTFILE": "/nowhere.py", "LOCUST_EXPECT_WORKERS": "9",
    },
    "GIT_DIR elsewhere": {"GIT_DIR": "/nowhere", "GIT_WORK_TREE": "/nowhere"},
    "a proxy in the environment": dict.fromkeys(PROXIES, "http://127.0.0.1:9"),
    "the plan of another run in the environment": {
        "LOADGATE_PLAN": "{}", "LOADGATE_EPOCH": "0", "LOADGATE_PARENT": "1",
    },
    "an ASCII screen": {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"},
}  # fmt: skip
LOST = ("latency.hlog", "ledger")
"""What somebody removes while it is written."""


def _screen(wrap: tuple[str, ...], *words: str) -> Callable[[Path], Seen]:
    """A run whose standard output is what a shell makes of it."""

    def do(folder: Path) -> Seen:
        with started(folder, *words, wrap=wrap) as run:
            return run.finish()

    return do


def _shell(text: str) -> tuple[str, ...]:
    return ("sh", "-c", f'exec "$@" {text}', "sh")


def head_1(folder: Path) -> Seen:
    """Somebody reads the first line and goes."""
    with started(folder, stdout=subprocess.PIPE) as run:
        assert run.process.stdout is not None
        run.process.stdout.readline()
        run.process.stdout.close()
        return run.finish()


def nobody_reads(folder: Path) -> Seen:
    """The pipe is full from one moment on; its reader goes once the verdict is stored."""
    reading, writing = os.pipe()
    try:
        with started(folder, stdout=writing) as run:
            run.wait_for(measuring)
            fill(writing)
            run.wait_for(lambda run: any(run.runs.glob("*/verdict.json")))
            os.close(reading)
            return run.finish()
    finally:
        os.close(writing)


def fill(pipe: int) -> None:
    """Until it takes no more."""
    os.set_blocking(pipe, False)
    try:
        while True:
            os.write(pipe, b"x")
    except BlockingIOError:
        os.set_blocking(pipe, True)


def terminal_goes(folder: Path) -> Seen:
    """The window is closed while it measures; it was no controlling terminal."""
    ours, theirs = pty.openpty()
    try:
        with started(folder, stdout=theirs) as run:
            run.wait_for(measuring)
            os.close(ours)
            return run.finish()
    finally:
        os.close(theirs)


def disk_full_for(run: Running, whom: Callable[[Running], psutil.Process]) -> None:
    """Nothing that it writes may grow any more."""
    whom(run).rlimit(resource.RLIMIT_FSIZE, (1, 1))


def disk_full(run: Running, folder: Path) -> None:
    """Fill it up."""
    with (folder / "rest").open("wb", buffering=0) as rest:
        try:
            while True:
                rest.write(bytes(4096))
        except OSError:
            return


def small_disk(folder: Path) -> Seen:
    """A file system of three megabytes, full from one moment on."""
    (disk := folder / "disk").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(disk)], check=True)
    try:
        with started(folder, runs=disk / "runs") as run:
            run.wait_for(measuring)
            disk_full(run, disk)
            return run.finish()
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def removed(run: Running, name: str = ".") -> None:
    """``rm -r`` of something in the run directory."""
    path = run.root / name
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)  # something may be written there meanwhile
    else:
        path.unlink()


def profile_goes(folder: Path) -> Seen:
    """The profile is deleted, and one that differs lies in its place."""
    profile = folder / "mine.toml"
    shutil.copy(SHORT, profile)
    with started(folder, profile=profile) as run:
        run.wait_for(measuring)
        profile.write_text("load = 3")
        return run.finish()


def _live(name: str, item: int, how: str, do: Callable[[Path], Seen], verdict: str = WELL,
          says: str = AGREES) -> Fault:  # fmt: skip
    return Fault(name, item, how, do, verdict, says=says, live=True, fast=False)


def _screens() -> Iterator[Fault]:
    for name, shell in {"closed": ">&- 2>&-", "/dev/full": ">/dev/full 2>/dev/full"}.items():
        yield _live(f"a run whose screen is: {name}", 10, shell, _screen(_shell(shell)))
    yield _live("a run | head -1", 10, "the reader goes after a line", head_1)
    yield _live("a run whose reader sleeps and goes", 10, "a full pipe", nobody_reads)
    yield _live("a terminal that goes", 10, "its other end is closed", terminal_goes)


def _disks() -> Iterator[Fault]:
    for name, (whom, says) in {
        "Locust's master": (Running.master, "exit code 74"),
        "the harness": (Running.harness, f"{AGREES}|nothing stored"),  # its words are lost too
    }.items():
        yield under_load(
            f"a full disk for {name}", 12, "RLIMIT_FSIZE", partial(disk_full_for, whom=whom),
            verdict="|INVALID", exit_code=4, says=says,
        )  # fmt: skip
    if sys.platform == "linux" and os.geteuid() == 0:  # mounting takes root
        yield _live("a full disk", 12, "a tmpfs of 3 MB, filled up", small_disk,
                    verdict="|INVALID", says="INVALID")  # fmt: skip
    for name in LOST:
        yield under_load(
            f"{name} removed while measuring", 12, "unlink", partial(removed, name=name),
            verdict="INVALID", says=AGREES,
        )  # fmt: skip
    yield under_load(
        "the run directory removed while measuring", 12, "rm -r", removed, exit_code=4,
        says="INVALID",
    )  # fmt: skip


def _environments() -> Iterator[Fault]:
    for name, env in ENVIRONMENTS.items():
        yield under_load(
            f"a run with {name}", 15 if "LOCUST" in name else 16, ", ".join(env),
            lambda run: run.finish(), env=env, verdict=WELL, says=f"recorded all: True.*{AGREES}",
        )  # fmt: skip
    yield _live(
        "the profile changes while measuring", 16, "another file in its place", profile_goes
    )


ROWS = (*_screens(), *_disks(), *_environments())
