"""What the OpenAPI documents promise, and whether the services keep it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mock_process import UNCONNECTED, Running, Start

SERVICES = ("checkout", "payment", "inventory_lock", "cart")
CONFIG = Path(__file__).with_name("schemathesis.toml")
HTTP = ("get", "post", "put", "patch", "delete")


def document(running: Running) -> dict[str, Any]:
    return running.get("/openapi.json").json()


def operations(running: Running) -> dict[tuple[str, str], dict[str, Any]]:
    paths = document(running)["paths"]
    return {(m, path): paths[path][m] for path in paths for m in HTTP if m in paths[path]}


def example(running: Running, path: str) -> dict[str, Any]:
    """The request that the document shows."""
    content = operations(running)["post", path]["requestBody"]["content"]["application/json"]
    (shown,) = content["examples"].values()
    return shown["value"]


@pytest.mark.parametrize("service", SERVICES)
def test_schemathesis_finds_nothing(start: Start, tmp_path: Path, service: str) -> None:
    """Hundreds of requests, good and bad: every answer is one that the document has."""
    settings: dict[str, Any] = {"latency_scale": 1e-6}
    if service == "payment":
        checkout = start("checkout", **UNCONNECTED)
        settings |= {"gateway_timeout_share": 0.0, "rate_limit_per_s": 1e5}
        settings |= {"checkout_url": checkout.url}
    elif service == "inventory_lock":
        settings |= {"pool_max": 50_000}
    elif service == "checkout":
        settings |= {"inventory_lock_url": start("inventory_lock", pool_max=50_000).url}
        settings |= {"cart_url": start("cart").url, "payment_url": start("payment").url}
    running = start(service, **settings)
    asked = subprocess.run(
        [
            *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"),
            *("--no-color", "--config-file", CONFIG),
            *("run", f"{running.url}/openapi.json", "--checks", "all"),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,  # it leaves a cache there
        timeout=120,
        check=False,
    )
    assert asked.returncode == 0, asked.stdout + asked.stderr
    assert "No issues found" in asked.stdout


def test_the_examples_work(shared: dict[str, Running]) -> None:
    """A journey of the documents' own requests, with the ids that the answers give."""
    ids: dict[str, str] = {}
    for service, path in (
        ("cart", "/api/v2/cart/items"),
        ("checkout", "/api/v2/checkout/apply-coupon"),
        ("checkout", "/api/v2/checkout/start"),
        ("payment", "/api/v2/payments/charge"),
        ("checkout", "/api/v2/orders/confirm"),
        ("inventory_lock", "/api/v1/locks/acquire"),
        ("inventory_lock", "/api/v1/locks/release"),
    ):
        body = example(shared[service], path)
        answer = shared[service].post(path, {**body, **{k: ids[k] for k in body if k in ids}})
        assert answer.is_success, (path, answer.text)
        ids |= {name: value for name, value in answer.json().items() if name.endswith("_id")}


@pytest.mark.parametrize("service", SERVICES)
def test_business_endpoints_say_which_tokens_they_take(
    shared: dict[str, Running], service: str
) -> None:
    """Each names the bearer schemes, and 401 and 403; what needs none names none."""
    running = shared[service]
    schemes = document(running)["components"]["securitySchemes"]
    assert schemes["user"]["scheme"] == schemes["service"]["scheme"] == "bearer"
    for (_, path), operation in operations(running).items():
        security = [name for entry in operation.get("security", ()) for name in entry]
        assert set(security) <= set(schemes)
        if path.startswith("/api/"):
            assert "service" in security
            assert {"400", "401", "403", "413", "500"} <= set(operation["responses"])
        else:
            assert security == (["admin"] if path.startswith("/admin/") else [])


@pytest.mark.parametrize("service", SERVICES)
def test_no_answer_is_documented_that_nobody_gives(
    shared: dict[str, Running], service: str
) -> None:
    """FastAPI's own 422 is answered 400 here."""
    running = shared[service]
    assert all("422" not in found["responses"] for found in operations(running).values())
    assert "HTTPValidationError" not in running.get("/openapi.json").text


@pytest.mark.parametrize("service", SERVICES)
def test_the_docs_page_needs_nothing_from_elsewhere(
    shared: dict[str, Running], service: str
) -> None:
    """Every resource is the service's own, and there; nor is a validator elsewhere asked."""
    running = shared[service]
    page = running.get("/docs").text
    assert "http://" not in page
    assert "https://" not in page
    assert '"validatorUrl": null' in page
    resources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(resources) >= 3  # script, style, icon
    for resource in resources:
        assert resource.startswith("/")
        assert not resource.startswith("//")
        assert running.get(resource).status_code == 200
