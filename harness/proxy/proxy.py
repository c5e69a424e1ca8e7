"""The proxy as the harness sees it: a process that takes orders."""

import json
import select
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

from harness.system.paths import PROJECT, environment_of
from recording.errors import RunFailedError
from recording.faults import Fault

ANSWERS_WITHIN_S = 10.0
STOPS_WITHIN_S = 2.0
ANY_PORTS: Mapping[str, int] = MappingProxyType({})


class Proxy:
    """Stands for some services; ``ports`` are where."""

    def __init__(
        self,
        host: str,
        upstreams: Mapping[str, str],
        log: Path,
        ports: Mapping[str, int] = ANY_PORTS,
    ) -> None:
        """Start it, listening on ``host``; ``upstreams`` are addresses. Raises RunFailedError.

        ``ports`` fixes its own (0 or absent: a free one).
        """
        command = [sys.executable, "-m", "harness.proxy.serve", host]
        doors = (f"{key}:{ports.get(key, 0)}={address}" for key, address in upstreams.items())
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [*command, *doors],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment_of(),
                cwd=PROJECT,
                start_new_session=True,  # Ctrl-C in the terminal reaches the harness only
            )
        self._log = log
        self._lock = threading.Lock()
        try:
            self.ports: Mapping[str, int] = self._answer()
        except RunFailedError:
            self.stop()
            raise

    @property
    def died(self) -> str | None:
        """Why it is gone; None while it runs."""
        code = self._process.poll()
        return None if code is None else f"the proxy died (exit code {code}); see {self._log}"

    def begin(self, number: int, fault: Fault) -> None:
        """Begin a fault; it is in force when this returns. Raises RunFailedError."""
        what = {"kind": fault.kind, "attributes": fault.attributes, "toxicity": fault.toxicity}
        self._order({"door": fault.service, "number": number} | what)

    def end(self, number: int, fault: Fault) -> None:
        """End it. Raises RunFailedError."""
        self._order({"door": fault.service, "number": number})

    def stop(self) -> None:
        """End the process; what goes through it is cut."""
        _stream(self._process.stdin).close()
        try:
            self._process.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        _stream(self._process.stdout).close()

    def _order(self, order: Mapping[str, Any]) -> None:
        orders = _stream(self._process.stdin)
        with self._lock:
            try:
                orders.write(json.dumps(order).encode() + b"\n")
                orders.flush()
            except OSError as error:
                raise RunFailedError(f"the proxy takes no orders: {error.strerror}") from error
            self._answer()

    def _answer(self) -> Any:
        answers = _stream(self._process.stdout)
        ready, _, _ = select.select([answers], [], [], ANSWERS_WITHIN_S)
        line = answers.readline() if ready else b""
        if not line:
            raise RunFailedError(f"the proxy does not answer; see {self._log}")
        return json.loads(line)


def _stream(of: IO[bytes] | None) -> IO[bytes]:
    assert of is not None
    return of
