"""How a worker on another machine learns what to do: one small HTTP answer of the master.

The master serves the plan (profile, urls, versions) on the port above Locust's. The worker also
takes the run's clock from it, as NTP does: the answer with the shortest round trip wins, and the
clock is off by at most half of that trip.
"""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from typing import Any

import httpx
import orjson

from recording.clock import RunClock
from recording.errors import ConfigError, RunFailedError

PLAN_PORT_OFFSET = 1
_CLOCK_ROUNDS = 8


class PlanServer:
    """Answers ``GET /plan`` until closed."""

    def __init__(self, host: str, port: int, plan: str, clock: RunClock) -> None:
        """Raises ConfigError when the port is taken."""
        self._plan = orjson.loads(plan)
        self._clock = clock
        try:
            self._server = ThreadingHTTPServer((host, port), self._handler())
        except OSError as error:
            raise ConfigError(f"port {port} on {host}: {error.strerror}; try --port") from None
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self._answer

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = answer() if self.path == "/plan" else b""
                self.send_response(200 if body else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet: workers ask until the master is there."""

        return Handler

    def _answer(self) -> bytes:
        return orjson.dumps(
            {"version": version("loadgate"), "now_s": self._clock.now_s(), "plan": self._plan}
        )

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


def fetch_plan(host: str, port: int, timeout_s: float) -> tuple[dict[str, Any], float]:
    """The plan, and the monotonic clock of this machine at the run's start, s.

    Waits for the master up to ``timeout_s``. Raises RunFailedError when it does not answer and
    ConfigError when it runs another version.
    """
    url = f"http://{host}:{port}/plan"
    with httpx.Client(timeout=5.0, trust_env=False) as client:
        answer = _first(client, url, timeout_s)
        ours = version("loadgate")
        if answer["version"] != ours:
            raise ConfigError(f"master runs loadgate {answer['version']}, this worker {ours}")
        epoch_s = min(_epoch_s(client, url) for _ in range(_CLOCK_ROUNDS))[1]
    plan: dict[str, Any] = answer["plan"]
    return plan, epoch_s


def _first(client: httpx.Client, url: str, timeout_s: float) -> dict[str, Any]:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            answer: dict[str, Any] = client.get(url).raise_for_status().json()
            return answer
        except httpx.HTTPError as error:
            if time.monotonic() > deadline:
                raise RunFailedError(
                    f"no master at {url} after {timeout_s:.0f} s: {error}"
                ) from None
            time.sleep(0.2)


def _epoch_s(client: httpx.Client, url: str) -> tuple[float, float]:
    """(round trip, estimate of the epoch on our monotonic clock), s."""
    sent_s = time.monotonic()
    now_s = float(client.get(url).raise_for_status().json()["now_s"])
    back_s = time.monotonic()
    return back_s - sent_s, (sent_s + back_s) / 2 - now_s
