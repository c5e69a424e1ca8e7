"""Services forked off a process that has everything imported: a fifth of the CPU of a start.

What runs is `main` of `mock_services.serve`, with a command line and an environment of its own.
The command itself is started in test_serve.py, and by every run of the harness.
"""

from __future__ import annotations

import multiprocessing
import os
import pkgutil
import signal
import socket
import sys
import warnings
from collections.abc import Mapping
from multiprocessing.process import BaseProcess

import mock_services
from mock_services import serve

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        __name__,
        *(
            module.name
            for module in pkgutil.walk_packages(mock_services.__path__, "mock_services.")
            if not module.name.endswith(".service")  # these read their settings as they load
        ),
    ]
)


class Forked:
    """One of them, spoken to like a subprocess.Popen."""

    def __init__(self, service: str, listener: socket.socket, environment: Mapping[str, str]):
        self._process: BaseProcess = _FORKS.Process(
            target=_serve, args=(service, listener, dict(environment))
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout_s: float | None = None) -> int | None:
        """The exit code; None while it runs on after `timeout_s`."""
        self._process.join(timeout_s)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _serve(service: str, listener: socket.socket, environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    warnings.simplefilter("error", ResourceWarning)
    told = [service, "--fd", str(listener.detach()), "--parent-pid", str(os.getppid())]
    sys.exit(serve.main(told))
