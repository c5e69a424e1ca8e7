"""``/metrics`` of loadgate itself, in Prometheus' exposition format, while a run goes on.

- ``GET /metrics``: `harness/observe/families.py`.
- ``GET /targets``: the services of the run for Prometheus' HTTP service discovery, since mocks
  listen where there is room. Each has its name as the label ``service``.

Nothing that goes wrong here disturbs the run: whoever scrapes gets a 500, and counts it.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import orjson
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from analysis.limits.thresholds import Thresholds
from harness.generator.handshake import LOOPBACK
from harness.observe import names
from harness.observe.families import Told, families
from harness.observe.follower import Follower
from harness.screen.saying import saying
from recording.clock import RunClock
from recording.errors import ConfigError, RunFailedError
from recording.files import why
from recording.profile import Profile
from recording.rundir import RunDir

SILENCE_S = 5.0
"""A client that sends nothing for so long is dropped."""
LAST_SCRAPE_S = 60.0
"""How long the page waits for its last reader at most; Prometheus' default interval."""
_TICK_S = 0.5


class Exporter:
    """Serves until closed. Raises ConfigError when it cannot listen there."""

    def __init__(self, host: str, port: int, limits: Thresholds) -> None:
        self._limits = limits
        self._told: Told | None = None
        self._targets: list[dict[str, Any]] = []
        self._reading = threading.Lock()
        self._problem = ""
        self._scrapes_s: list[float] = []
        self._last_read = threading.Event()
        try:
            self._server = _Server((host, port), self)
        except OSError as error:
            raise ConfigError(
                f"--metrics-host {host} --metrics-port {port}: cannot listen there ({why(error)})"
            ) from None
        threading.Thread(target=self._server.serve_forever, args=(_TICK_S,), daemon=True).start()

    def attach(
        self, run: RunDir, clock: RunClock, profile: Profile, sampled: Mapping[str, str]
    ) -> None:
        """From now on the pages are those of a run; ``sampled`` are urls of its services."""
        rules = (rule for _, rule in self._limits)
        follower = Follower(run, profile, rules)
        self._targets = [_target(subject, url) for subject, url in sampled.items()]
        self._told = Told(run.root.name, profile, clock.epoch_wall_s, follower)

    def metrics(self) -> bytes:
        """The page; empty before the run. Raises RunFailedError when it cannot be counted."""
        with self._reading:
            self._scrapes_s = [*self._scrapes_s[-1:], time.monotonic()]
            self._read()
            if self._problem:
                raise RunFailedError(self._problem)
            if self._told is None:
                return b""
            return generate_latest(_Page(self._told))

    def sent(self, page: bytes) -> None:
        """A page has left. With the verdict on it, there is nothing more to read."""
        if f"{names.VERDICT}{{".encode() in page:
            self._last_read.set()

    def _read(self) -> None:
        """What is new. Counts that once missed something stay wrong, so they are told no more."""
        if self._told is None or self._problem:
            return
        try:
            self._told.follower.follow()
        except Exception as error:  # noqa: BLE001 - the run goes on, whatever it is
            self._problem = f"the recording cannot be counted: {type(error).__name__}: {error}"

    def targets(self) -> bytes:
        """For HTTP service discovery (https://prometheus.io/docs/prometheus/latest/http_sd/)."""
        return orjson.dumps(self._targets)

    def keep_up(self) -> None:
        """Read what is new although nobody asks: later it would be too much at once."""
        with self._reading:
            self._read()

    def close(self) -> None:
        """Stop serving, after whoever read it regularly has read the verdict as well."""
        self.keep_up()
        if len(self._scrapes_s) > 1 and self._told is not None and self._told.follower.ended:
            before_s, last_s = self._scrapes_s
            wait_s = min(LAST_SCRAPE_S, last_s - before_s + 2 * _TICK_S)
            with (
                saying("until Prometheus has read the last figures …"),
                suppress(KeyboardInterrupt),
            ):
                self._last_read.wait(wait_s)
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def exporting(host: str | None, port: int | None, limits: Thresholds) -> Iterator[Exporter | None]:
    """An exporter for as long as this lasts; none without a port. Raises ConfigError."""
    if host is not None and port is None:
        raise ConfigError(f"--metrics-host {host}: add --metrics-port N")
    exporter = Exporter(host or LOOPBACK, port, limits) if port is not None else None
    try:
        yield exporter
    finally:
        if exporter is not None:
            exporter.close()


class _Page(Collector):
    def __init__(self, told: Told) -> None:
        self._told = told

    def collect(self) -> Iterator[Metric]:
        return families(self._told)


def _target(subject: str, url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    labels = {"service": subject, "__metrics_path__": f"{parts.path.rstrip('/')}/metrics"}
    return {"targets": [parts.netloc], "labels": labels | {"__scheme__": parts.scheme}}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], exporter: Exporter) -> None:
        self.exporter = exporter
        super().__init__(address, _Handler)

    def service_actions(self) -> None:
        self.exporter.keep_up()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Quiet: whoever broke off knows."""


class _Handler(BaseHTTPRequestHandler):
    timeout = SILENCE_S
    server: _Server

    def do_GET(self) -> None:
        exporter = self.server.exporter
        pages: Mapping[str, tuple[str, Callable[[], bytes]]] = {
            "/metrics": (CONTENT_TYPE_PLAIN_0_0_4, exporter.metrics),
            "/targets": ("application/json", exporter.targets),
        }
        kind, page = pages.get(self.path.partition("?")[0], ("", None))
        if page is None:
            self._answer(404, "text/plain", b"there are /metrics and /targets\n")
            return
        try:
            body = page()
        except RunFailedError as error:
            self._answer(500, "text/plain", f"{error}\n".encode())
        else:
            self._answer(200, kind, body)
            exporter.sent(body)

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: a scrape is nothing to tell."""
