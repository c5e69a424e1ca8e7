"""Runs one service.

    python -m mock_services.serve SERVICE [--fd N | --port P] [--host HOST] [--parent-pid PID]

SIGTERM and SIGINT stop it in order: requests in flight are answered, the ledger is flushed,
exit code 0.
"""

import argparse
import importlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from types import FrameType, ModuleType

import uvicorn
from pydantic import ValidationError

from mock_services.kit.app import SETTINGS_VARIABLE
from mock_services.kit.bounded_http import BoundedHttp
from mock_services.kit.errors import settings_problems
from mock_services.table import SERVICES

KEEP_ALIVE_S = 3600
"""Longer than any think time: uvicorn's 5 s would close connections users still want."""
BACKLOG = 8192
GRACE_S = 6
"""Longer than the longest wait for a pooled connection (5 s)."""
PARENT_POLL_S = 0.1
ORPHAN_GRACE_S = 0.3


def main(argv: Sequence[str] | None = None) -> int:
    """Run a service until it is told to stop; returns the exit code."""
    arguments = _parse(argv)
    if arguments.parent_pid is not None:
        _watch_parent(arguments.parent_pid)
    listener = _listener(arguments)
    module = _load(arguments.service)
    server = uvicorn.Server(
        uvicorn.Config(
            module.app,
            loop="uvloop",
            http=BoundedHttp,
            ws="none",
            lifespan="on",
            access_log=False,
            log_level="warning",
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACE_S,
            backlog=BACKLOG,
        )
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn stops in order and then raises the signal again, for whoever was there before.
        signal.signal(number, _exit_quietly)
    server.run(sockets=[listener])
    return 0 if server.started else 1


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m mock_services.serve", description=__doc__)
    parser.add_argument("service", choices=tuple(SERVICES))
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--fd", type=int, help="an inherited socket, bound and listening")
    where.add_argument("--port", type=int, help="port on HOST (default: the service's own)")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="IPv4 address to listen on (default: %(default)s; 0.0.0.0 = all, for containers)",
    )
    parser.add_argument("--parent-pid", type=int, help="end when this is not the parent any more")
    return parser.parse_args(argv)


def _load(service: str) -> ModuleType:
    """The service's module. Settings it does not accept end the process with code 2."""
    try:
        return importlib.import_module(f"mock_services.{service}.service")
    except ValidationError as error:
        for key, text in settings_problems(error, SERVICES[service].settings):
            sys.stderr.write(f"{SETTINGS_VARIABLE}: {key}: {text}\n")
        raise SystemExit(2) from None


def _listener(arguments: argparse.Namespace) -> socket.socket:
    if arguments.fd is not None:
        return socket.socket(fileno=arguments.fd)
    port = SERVICES[arguments.service].port if arguments.port is None else arguments.port
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((arguments.host, port))
    except OSError as error:
        sys.exit(f"cannot listen on {arguments.host}:{port}: {error.strerror}")
    return listener


def _watch_parent(pid: int) -> None:
    """End with the parent. Polling getppid works on every Unix; prctl is Linux only."""

    def watch() -> None:
        while os.getppid() == pid:
            time.sleep(PARENT_POLL_S)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(ORPHAN_GRACE_S)
        os._exit(0)  # requests in flight have nobody left to answer to

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def _exit_quietly(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
