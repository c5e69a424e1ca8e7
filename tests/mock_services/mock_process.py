"""Starts real services on free sockets and ends them by pid.

Not in conftest.py: there may be several of those, and only one can be imported by that name.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.mock_services.forked import Forked

ROOT = Path(__file__).parents[2]
ADMIN_TOKEN = "admin-token"
USER = {"Authorization": "Bearer lt-user-token-00001"}
START_TIMEOUT_S = 30.0
UNCONNECTED = {"check_cart": False, "check_payment": False}
"""Settings of a checkout that asks no service but inventory-lock."""
ANY_CHARGE = {"check_checkout": False, "one_charge_per_checkout": False}
"""Settings of a payment gateway that charges whatever it is asked to."""


def wait_until(condition: Callable[[], Any], timeout_s: float = 15.0) -> Any:
    """The condition's first true value. Fails when there is none in time."""
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        if value := condition():
            return value
        time.sleep(0.01)
    raise AssertionError(f"not within {timeout_s} s")


@dataclass(frozen=True, slots=True)
class Running:
    """A service in a process of its own."""

    process: Forked | subprocess.Popen[bytes]
    client: httpx.Client
    url: str
    events_path: Path

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.client.post(path, json=body, headers=headers)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(path, headers=headers)

    def configure(self, **settings: Any) -> httpx.Response:
        headers = {"X-Admin-Token": ADMIN_TOKEN}
        return self.client.post("/admin/behaviour", json=settings, headers=headers)

    def metric(self, name: str, **labels: str) -> float:
        """Sum of the samples that carry these labels."""
        families = text_string_to_metric_families(self.client.get("/metrics").text)
        return sum(
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def events(self, kind: str) -> list[dict[str, Any]]:
        if not self.events_path.exists():
            return []
        lines = self.events_path.read_text().splitlines()
        return [event for line in lines if (event := json.loads(line))["event"] == kind]

    def healthy(self) -> bool:
        assert self.process.poll() is None, f"ended with {self.process.returncode}"
        with contextlib.suppress(httpx.HTTPError):
            return self.client.get("/healthz").status_code == 200
        return False


Launch = Callable[[str, socket.socket, dict[str, str]], "Forked | subprocess.Popen[bytes]"]


def by_command(
    service: str, listener: socket.socket, environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    """As everybody else starts a service."""
    command = [sys.executable, "-m", "mock_services.serve", service]
    return subprocess.Popen(
        [*command, "--fd", str(listener.fileno()), "--parent-pid", str(os.getpid())],
        pass_fds=[listener.fileno()],
        env={**environment, "PYTHONWARNINGS": "error::ResourceWarning"},
        cwd=ROOT,
    )


def launch(service: str, events_path: Path, settings: dict[str, Any], by: Launch) -> Running:
    """Start a service on a free port, without waiting for it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        environment = {
            **os.environ,
            "MOCK_SETTINGS": json.dumps(settings),
            "MOCK_EVENTS": str(events_path),
            "MOCK_ADMIN_TOKEN": ADMIN_TOKEN,
            "TMPDIR": str(events_path.parent),
        }
        process = by(service, listener, environment)
    client = httpx.Client(base_url=url, headers=USER, timeout=20.0, trust_env=False)
    return Running(process, client, url, events_path)


def stop(running: Running) -> None:
    """Kill, because it is quick: test_serve.py is about stopping in order."""
    running.client.close()
    running.process.kill()
    running.process.wait()


Start = Callable[..., Running]
Tune = Callable[..., Running]


@contextlib.contextmanager
def starter(folder: Path, by: Launch = Forked) -> Iterator[Start]:
    started: list[Running] = []

    def start(service: str, **settings: Any) -> Running:
        settings.setdefault("latency_scale", 0.001)
        running = launch(service, folder / f"events-{len(started)}.jsonl", settings, by)
        started.append(running)
        wait_until(running.healthy, START_TIMEOUT_S)
        return running

    try:
        yield start
    finally:
        for running in started:
            stop(running)
