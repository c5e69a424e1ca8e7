"""Debian's Prometheus, set up as deploy/prometheus says, with ports and a folder of its own."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from harness.generator.generator import free_port
from tests.harness.conftest import wait_for

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "deploy" / "prometheus"


def needed(program: str) -> str:
    """Its path; the test is skipped where there is none."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"needs {program} (Debian: apt-get install prometheus)")
    return found


@dataclass(frozen=True)
class Prometheus:
    """A running one."""

    url: str

    def get(self, path: str, **parameters: str) -> Any:
        """``data`` of an answer of its API."""
        with urlopen(f"{self.url}/api/v1/{path}?{urlencode(parameters)}", timeout=10) as answer:
            return json.load(answer)["data"]

    def values(self, expr: str) -> list[float]:
        """Of an expression now; empty where it has no data."""
        found = self.get("query", query=expr)["result"]
        return [float(each["value"][1]) for each in found]


@contextmanager
def prometheus(folder: Path, metrics_port: int) -> Iterator[Prometheus]:
    """One that scrapes loadgate at this port every second, and what it names."""
    config = (SHIPPED / "prometheus.yml").read_text()
    shutil.copy(SHIPPED / "alerts.yml", folder)
    with configured(
        folder, config.replace("9646", str(metrics_port)).replace(": 5s", ": 1s")
    ) as it:
        yield it


@contextmanager
def configured(folder: Path, config: str) -> Iterator[Prometheus]:
    """One with this configuration, which answers."""
    program, port = needed("prometheus"), free_port()
    (folder / "prometheus.yml").write_text(config)
    words = [
        program, "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=warn",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(words, cwd=folder, stdout=log, stderr=log)
    try:
        running = Prometheus(f"http://127.0.0.1:{port}")
        wait_for(lambda: _answers(running))
        yield running
    finally:
        process.terminate()
        process.wait(20)


def _answers(running: Prometheus) -> bool:
    try:
        return bool(running.values("vector(1)"))
    except OSError:
        return False
