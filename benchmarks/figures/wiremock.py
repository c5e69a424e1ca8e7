"""WireMock as a peer of a mock: installed with npm into a scratch folder, run with Java."""

import json
import math
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.figures.appendix_a import LATENCY
from harness.generator.generator import free_port
from mock_services.kit.money import PRODUCT_ID_PATTERN

VERSION = "3.13.2"
START_TIMEOUT_S = 30.0
_P95_SCORE = 1.645


class UnavailableError(Exception):
    """The peer cannot be had here; the text says why."""


@contextmanager
def wiremock(scratch: Path) -> Iterator[tuple[str, int]]:
    """A running WireMock with one delayed stub: its base url and process id.

    Raises UnavailableError without Java or npm, or when it cannot be installed.
    """
    jar = _install(scratch)
    port = free_port()
    _write_stub(scratch / "mappings" / "add_to_cart.json")
    command = [
        "java", "-jar", str(jar), "--port", str(port), "--bind-address", "127.0.0.1",
        "--root-dir", str(scratch), "--no-request-journal", "--disable-banner",
        "--async-response-enabled", "true", "--container-threads", "50",
    ]  # fmt: skip
    with (scratch / "wiremock.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_ready(url, process)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait()


def _install(scratch: Path) -> Path:
    for tool in ("java", "npm"):
        if shutil.which(tool) is None:
            raise UnavailableError(f"no {tool}")
    done = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(scratch),
         f"wiremock@{VERSION}"],
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    jars = sorted(scratch.glob("node_modules/wiremock/build/*.jar"))
    if done.returncode or not jars:
        raise UnavailableError(f"npm install failed: {done.stderr.strip()[-200:]}")
    return jars[0]


def _write_stub(path: Path) -> None:
    """The plain stub, as it is there from the start."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_stub()))


def use_equal_stub(url: str) -> None:
    """From now on the stub does what the cart mock does, as far as WireMock's own features go.

    It checks the body against a schema and writes ids of the request into the answer. Sums and
    metrics are still the mock's alone.
    """
    stub = _stub()
    stub["request"]["bodyPatterns"] = [{"matchesJsonSchema": _SCHEMA, "schemaVersion": "V202012"}]
    stub["response"]["headers"]["X-Request-ID"] = "{{request.headers.X-Request-ID}}"
    stub["response"]["jsonBody"]["cart_id"] = "{{jsonPath request.body '$.cart_id'}}"
    stub["response"]["transformers"] = ["response-template"]
    httpx.delete(f"{url}/__admin/mappings", trust_env=False).raise_for_status()
    httpx.post(f"{url}/__admin/mappings", json=stub, trust_env=False).raise_for_status()


_SCHEMA = {
    "type": "object",
    "required": ["cart_id", "product_id", "quantity"],
    "properties": {
        "cart_id": {"type": "string", "minLength": 1, "maxLength": 100},
        "user_id": {"type": "string", "maxLength": 100},
        "product_id": {"type": "string", "pattern": PRODUCT_ID_PATTERN},
        "quantity": {"type": "integer", "minimum": 1, "maximum": 99},
    },
}


def _stub() -> dict[str, Any]:
    """POST /api/v2/cart/items, as late as the cart mock: a lognormal through its p50 and p95."""
    shape = LATENCY["add_to_cart"]
    sigma = math.log(shape.p95_ms / shape.p50_ms) / _P95_SCORE
    return {
        "request": {
            "method": "POST",
            "urlPath": "/api/v2/cart/items",
            "headers": {"Authorization": {"matches": "Bearer lt-user-token-.+"}},
        },
        "response": {
            "status": 200,
            "headers": {"Content-Type": "application/json"},
            "jsonBody": {"cart_id": "cart-lt-00001", "item_count": 3, "subtotal": "$89.99"},
            "delayDistribution": {"type": "lognormal", "median": shape.p50_ms, "sigma": sigma},
        },
    }


def _wait_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise UnavailableError(f"WireMock ended with exit code {process.returncode}")
        try:
            if httpx.get(f"{url}/__admin/mappings", trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise UnavailableError(f"WireMock was not ready after {START_TIMEOUT_S:.0f} s")
