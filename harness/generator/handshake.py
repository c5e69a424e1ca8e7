"""How a worker on another machine learns what to do, and that its master is still there.

The master answers on the port above Locust's, and only to those who have the run's token:

- ``GET /plan``: profile, urls, versions. The worker also takes the run's clock from it, as NTP
  does: the answer with the shortest round trip wins, and the clock is off by at most half of it.
- ``GET /alive``: a byte a second for as long as the run lasts, and another one when it is over.
  An end without that one is the master's end.
- ``POST /refusal``: why a worker takes no part. The run ends with that reason.
"""

import hmac
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from recording.clock import RunClock
from recording.errors import ConfigError, RunFailedError

PLAN_PORT_OFFSET = 1
ANY_ADDRESS = "0.0.0.0"
LOOPBACK = "127.0.0.1"
SILENCE_S = 10.0
"""A master that says nothing for so long is gone, though its connection is still there."""
_CLOCK_ROUNDS = 8
_BEAT_S = 1.0
_BEAT, _OVER = b".", b"!"
_MOST_REASON_BYTES = 2000


class PlanServer:
    """Answers workers until closed."""

    def __init__(self, host: str, port: int, plan: str, clock: RunClock, token: str) -> None:
        """Raises ConfigError when it cannot listen there."""
        self._plan = orjson.loads(plan)
        self._clock = clock
        self.authorization = f"Bearer {token}".encode()
        self._moves = host == ANY_ADDRESS and not self._plan["theirs"]  # services of our own
        self.closing = threading.Event()
        self.refusal = ""
        try:
            handler = type("Handler", (_Handler,), {"plans": self})
            self._server = ThreadingHTTPServer((host, port), handler)
        except OSError as error:
            raise ConfigError(f"port {port} on {host}: {error.strerror}; try --port") from None
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def plan_for(self, address: str) -> bytes:
        """The plan for a worker that reached us at this address of ours, and so its services."""
        plan = self._plan
        if self._moves:
            plan = {**plan, "urls": {name: _at(url, address) for name, url in plan["urls"].items()}}
        now_s = self._clock.now_s()
        return orjson.dumps({"version": version("loadgate"), "now_s": now_s, "plan": plan})

    def refusal_so_far(self) -> str:
        """Why a worker takes no part; "" as long as none has said so."""
        return self.refusal

    def close(self) -> None:
        """Stop answering; workers see it."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()


def check_can_listen(host: str, port: int) -> None:
    """Raises ConfigError when nothing can listen there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigError(
                f"--bind {host} --port {port}: cannot listen there ({error.strerror}); name an "
                f"IPv4 address of this machine ({ANY_ADDRESS}: all of them) and a free port"
            ) from None


def _at(url: str, address: str) -> str:
    return urlsplit(url)._replace(netloc=f"{address}:{urlsplit(url).port}").geturl()


class _Handler(BaseHTTPRequestHandler):
    timeout = SILENCE_S
    plans: PlanServer

    def do_GET(self) -> None:
        if not self._may_ask():
            return
        if self.path == "/plan":
            self._answer(200, self.plans.plan_for(self.connection.getsockname()[0]))
        elif self.path == "/alive":
            self._stay()
        else:
            self._answer(404)

    def do_POST(self) -> None:
        if not self._may_ask():
            return
        text = self.headers.get("Content-Length") or ""
        length = min(int(text) if text.isdecimal() else 0, _MOST_REASON_BYTES)
        reason = self.rfile.read(length).decode(errors="replace")
        self.plans.refusal = f"worker at {self.client_address[0]} takes no part: {reason}"
        self._answer(200)

    def _may_ask(self) -> bool:
        given = (self.headers.get("Authorization") or "").encode()
        known = hmac.compare_digest(given, self.plans.authorization)
        if not known:
            self._answer(401)
        return known

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stay(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while not self.plans.closing.wait(_BEAT_S):
                self.wfile.write(_BEAT)
            self.wfile.write(_OVER)
        except OSError:
            return  # the worker went first

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: workers ask until the master is there."""


class Master:
    """A worker's view of the master."""

    def __init__(self, host: str, port: int, token: str) -> None:
        self.host = host
        self.port = port
        self._base = f"http://{host}:{port + PLAN_PORT_OFFSET}"
        self._token = token

    def addresses(self) -> set[str]:
        """What its services may be called by when it runs them itself."""
        try:
            found = socket.getaddrinfo(self.host, None)
        except OSError:
            found = []
        return {self.host, *(str(where[0]) for *_, where in found)}

    def plan(self, timeout_s: float) -> tuple[dict[str, Any], float]:
        """The plan, and the monotonic clock of this machine at the run's start, s.

        Waits for the master up to ``timeout_s``. Raises RunFailedError when it does not answer and
        ConfigError when it runs another version or has another token.
        """
        with self._client() as client:
            answer = self._first(client, timeout_s)
            ours = version("loadgate")
            if answer["version"] != ours:
                raise ConfigError(f"master runs loadgate {answer['version']}, this worker {ours}")
            epoch_s = min(_epoch_s(client) for _ in range(_CLOCK_ROUNDS))[1]
        plan: dict[str, Any] = answer["plan"]
        return plan, epoch_s

    def _client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self._token}"}
        return httpx.Client(base_url=self._base, headers=headers, timeout=5.0, trust_env=False)

    def _first(self, client: httpx.Client, timeout_s: float) -> dict[str, Any]:
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                response = client.get("/plan")
                if response.status_code == httpx.codes.UNAUTHORIZED:
                    raise ConfigError(f"the master at {self._base} has another token than this one")
                answer: dict[str, Any] = response.raise_for_status().json()
                return answer
            except (httpx.HTTPError, ValueError) as error:
                if time.monotonic() > deadline:
                    late = f"no master at {self._base} after {timeout_s:.0f} s: {error}"
                    raise RunFailedError(late) from None
                time.sleep(0.2)

    def refuse(self, reason: str) -> None:
        """Tell it why this worker takes no part; one that is gone need not know."""
        try:
            with self._client() as client:
                client.post("/refusal", content=reason.encode()[:_MOST_REASON_BYTES])
        except httpx.HTTPError:
            return

    def watch(self, ended: Callable[[bool], None]) -> None:
        """Call ``ended`` once the run is over (True) or the master is lost; from another thread."""
        threading.Thread(target=self._listen, args=(ended,), daemon=True).start()

    def _listen(self, ended: Callable[[bool], None]) -> None:
        timeout = httpx.Timeout(SILENCE_S)
        over = False
        try:
            with self._client() as client, client.stream("GET", "/alive", timeout=timeout) as beats:
                for block in beats.iter_raw():
                    over = block.endswith(_OVER)
        except httpx.HTTPError:
            pass  # silence, or a connection that was cut: both are the end
        ended(over)


def _epoch_s(client: httpx.Client) -> tuple[float, float]:
    """(round trip, estimate of the epoch on our monotonic clock), s."""
    sent_s = time.monotonic()
    now_s = float(client.get("/plan").raise_for_status().json()["now_s"])
    back_s = time.monotonic()
    return back_s - sent_s, (sent_s + back_s) / 2 - now_s
