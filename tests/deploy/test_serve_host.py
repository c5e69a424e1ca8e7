"""Where a mock listens: loopback unless told otherwise, as a container must be."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest
from deploy_build import ROOT

LIMIT_S = 30.0


@contextlib.contextmanager
def serving(*arguments: str) -> Iterator[psutil.Process]:
    process = subprocess.Popen(
        [sys.executable, "-m", "mock_services.serve", "cart", "--port", "0", *arguments],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()


def listening_on(process: psutil.Process) -> str:
    """The address it listens on, once it does."""
    deadline_s = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline_s and process.status() != psutil.STATUS_ZOMBIE:
        for connection in process.net_connections("tcp4"):
            if connection.status == psutil.CONN_LISTEN:
                return str(connection.laddr.ip)
        time.sleep(0.02)
    pytest.fail("it does not listen")


@pytest.mark.parametrize(
    ("arguments", "address"), [((), "127.0.0.1"), (("--host", "0.0.0.0"), "0.0.0.0")]
)
def test_it_listens_where_it_is_told(arguments: tuple[str, ...], address: str) -> None:
    """Without --host nobody outside of the machine can reach it; with 0.0.0.0 all can."""
    with serving(*arguments) as process:
        assert listening_on(process) == address


def test_a_host_that_is_not_here_is_one_clear_line() -> None:
    """The message names the address asked for (one of RFC 5737, which no machine has)."""
    ended = subprocess.run(
        [sys.executable, "-m", "mock_services.serve", "cart", "--host", "192.0.2.1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("cannot listen on 192.0.2.1:8004: ")
