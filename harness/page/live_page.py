"""The live page as the command sees it: a socket at once, a process once there is a recording."""

import secrets
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.generator.handshake import LOOPBACK
from harness.system.paths import PROJECT, environment_of
from recording.clock import RunClock
from recording.errors import ConfigError
from recording.rundir import RunDir

TOKEN_BYTES = 16
STOPS_WITHIN_S = 6.0


class LivePage:
    """Served on loopback while the ``with`` block lasts; its end makes it the report."""

    def __init__(self, thresholds: str, port: int, *, browser: bool) -> None:
        """``port`` 0: whichever is free. Raises ConfigError where nothing can listen there."""
        self._thresholds = Path(thresholds)
        self._browser = browser
        self._token = secrets.token_urlsafe(TOKEN_BYTES)
        self.process: subprocess.Popen[bytes] | None = None
        self._socket = _listening(port)

    @property
    def url(self) -> str:
        """Where it is seen, by whoever knows it."""
        return f"http://{LOOPBACK}:{self._socket.getsockname()[1]}/{self._token}/"

    def follow(self, run: RunDir, clock: RunClock) -> None:
        """Show this run from now on. Raises OSError."""
        descriptor = self._socket.fileno()
        words = (
            *(run.root.resolve(), clock.epoch_s, clock.epoch_wall_s),
            *(self._thresholds.resolve(), descriptor, *["browser"] * self._browser),
        )
        with (run.logs / "page.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "harness.page.serve", *map(str, words)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=[descriptor],
                env=environment_of(),
                cwd=PROJECT,
                start_new_session=True,  # Ctrl-C in the terminal reaches the harness only
            )
        assert self.process.stdin is not None
        self.process.stdin.write(f"{self._token}\n".encode())  # not an argument, which all can see
        self.process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()
        self.close()
        if self.process is None:
            return
        try:
            self.process.wait(STOPS_WITHIN_S)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        """There is nothing more to come: viewers may fetch the report."""
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()


def _listening(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((LOOPBACK, port))
        made.listen()
    except OSError as error:
        made.close()
        raise ConfigError(
            f"--live-port {port}: cannot listen on {LOOPBACK} ({error.strerror}); name a free port"
        ) from None
    return made
