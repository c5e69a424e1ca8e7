"""What every service does before and after its own work."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from fastapi import Request, Response
from mock_process import USER, Running, Tune
from prometheus_client import generate_latest

from mock_services.cart.service import CartService
from mock_services.cart.settings import CartSettings
from mock_services.kit.app import build_app

BUSINESS = [
    ("checkout", "GET", "/api/v2/products"),
    ("checkout", "GET", "/api/v2/products/p-00001"),
    ("checkout", "POST", "/api/v2/checkout/apply-coupon"),
    ("checkout", "POST", "/api/v2/checkout/start"),
    ("checkout", "POST", "/api/v2/orders/confirm"),
    ("payment", "POST", "/api/v2/payments/charge"),
    ("inventory_lock", "POST", "/api/v1/locks/acquire"),
    ("inventory_lock", "POST", "/api/v1/locks/release"),
    ("cart", "POST", "/api/v2/cart/items"),
]
SERVICES = ("checkout", "payment", "inventory_lock", "cart")


@pytest.mark.parametrize(("service", "method", "path"), BUSINESS)
@pytest.mark.parametrize(
    "value", ["", "Bearer nobody", "Bearer lt-admin-token-1", "lt-user-token-1"]
)
def test_business_endpoints_need_a_load_test_token(
    shared: dict[str, Running], service: str, method: str, path: str, value: str
) -> None:
    """Without Bearer lt-user-/lt-svc-token-* the answer is 401 and says what is needed."""
    response = httpx.request(
        method, shared[service].url + path, headers={"Authorization": value}, trust_env=False
    )
    assert response.status_code == 401
    assert response.json()["error"] == "Unauthorized"
    assert "lt-user-token-" in response.json()["message"]


def test_live_keys_are_refused(shared: dict[str, Running]) -> None:
    """A token that looks like a live key gets 403, never more."""
    response = shared["payment"].post(
        "/api/v2/payments/charge", {}, Authorization="Bearer sk_live_abc"
    )
    assert response.status_code == 403
    assert "never accepted" in response.json()["message"]


def test_the_token_check_can_be_switched_off(tune: Tune) -> None:
    """require_auth = false takes requests without a token, but still no live key."""
    cart = tune("cart", require_auth=False)
    body = {"cart_id": "c", "product_id": "p-00001", "quantity": 1}
    path = "/api/v2/cart/items"
    assert cart.post(path, body, Authorization="").status_code == 200
    assert cart.post(path, body, Authorization="Bearer sk_live_1").status_code == 403


@pytest.mark.parametrize("service", SERVICES)
def test_health_needs_no_token(shared: dict[str, Running], service: str) -> None:
    """/healthz names service and version."""
    response = httpx.get(shared[service].url + "/healthz", trust_env=False)
    body = response.json()
    assert (response.status_code, body["status"]) == (200, "ok")
    assert body["service"].startswith(service.split("_", maxsplit=1)[0])
    assert re.fullmatch(r"v\d+\.\d+\.\d+", body["version"])


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/api/v2/nowhere"])
def test_request_ids_are_echoed_or_made(
    shared: dict[str, Running], service: str, path: str
) -> None:
    """X-Request-ID comes back; without one every answer has an id of its own."""
    running = shared[service]
    sent = "lt-req-2025-09-22-000001"
    assert running.get(path, **{"X-Request-ID": sent}).headers["x-request-id"] == sent
    made = {running.get(path).headers["x-request-id"] for _ in range(3)}
    assert len(made) == 3


@pytest.mark.parametrize("service", SERVICES)
def test_response_time_is_whole_milliseconds(shared: dict[str, Running], service: str) -> None:
    """X-Response-Time is written as in Appendix B, for example 208ms."""
    assert re.fullmatch(r"\d+ms", shared[service].get("/healthz").headers["x-response-time"])


def test_response_time_is_the_endpoints_whole_time(tune: Tune) -> None:
    """With every percentile at 120 ms the answer says 120ms, give or take a timer tick."""
    constant = {"p50_ms": 120, "p95_ms": 120, "p99_ms": 120, "max_ms": 120}
    cart = tune("cart", latency_scale=1.0, latency={"add_to_cart": constant})
    body = {"cart_id": "c", "product_id": "p-00001", "quantity": 1}
    took = [
        int(cart.post("/api/v2/cart/items", body).headers["x-response-time"].removesuffix("ms"))
        for _ in range(5)
    ]
    assert 119 <= min(took) <= 180


@pytest.mark.parametrize("service", SERVICES)
def test_unknown_paths_and_methods(shared: dict[str, Running], service: str) -> None:
    """404 names the path, 405 the methods that are allowed; both in the one error shape."""
    running = shared[service]
    missing = running.get("/api/v9/nothing")
    wrong = running.client.delete("/healthz")
    assert (missing.status_code, missing.json()["error"]) == (404, "NotFound")
    assert "/api/v9/nothing" in missing.json()["message"]
    assert (wrong.status_code, wrong.json()["error"]) == (405, "MethodNotAllowed")
    assert "allowed: GET" in wrong.json()["message"]
    assert wrong.headers["allow"] == "GET"


@pytest.mark.parametrize("service", SERVICES)
def test_docs_are_served(shared: dict[str, Running], service: str) -> None:
    """/docs works and OpenAPI describes the bodies of all business endpoints."""
    running = shared[service]
    assert running.get("/docs").status_code == 200
    paths = running.get("/openapi.json").json()["paths"]
    for owner, method, path in BUSINESS:
        if owner == service and method == "POST":
            assert paths[path]["post"]["requestBody"]["content"]["application/json"]["schema"]


VALID: Mapping[str, tuple[str, str, dict[str, Any]]] = {
    "coupon": (
        "checkout",
        "/api/v2/checkout/apply-coupon",
        {"cart_id": "c", "coupon_code": "BF25-001"},
    ),
    "start": ("checkout", "/api/v2/checkout/start", {"cart_id": "c", "user_id": "u"}),
    "confirm": ("checkout", "/api/v2/orders/confirm", {"checkout_id": "c", "payment_id": "p"}),
    "charge": (
        "payment",
        "/api/v2/payments/charge",
        {
            "checkout_id": "chk-lt-00001",
            "payment_method": "card",
            "card_token": "tok_test_visa_4242",
        },
    ),
    "acquire": ("inventory_lock", "/api/v1/locks/acquire", {"sku": "SKU-28471", "quantity": 1}),
    "release": ("inventory_lock", "/api/v1/locks/release", {"lock_id": "lock-1"}),
    "cart": (
        "cart",
        "/api/v2/cart/items",
        {"cart_id": "c", "product_id": "p-00001", "quantity": 1},
    ),
}
BAD_FIELDS: list[tuple[str, dict[str, Any], str]] = [
    ("coupon", {"cart_id": ""}, "cart_id"),
    ("start", {"user_id": 5}, "user_id"),
    ("start", {"items": []}, "items"),
    ("start", {"items": [{"sku": "x", "quantity": 1}]}, "items.0.sku"),
    ("confirm", {"payment_id": None}, "payment_id"),
    ("charge", {"payment_method": "cash"}, "payment_method"),
    ("charge", {"card_token": "tok_live"}, "card_token"),
    ("charge", {"card_token": None, "card_number": "4111111111111111"}, "card_number"),
    ("charge", {"card_number": "4242424242424242"}, "body"),
    ("charge", {"card_token": None}, "body"),
    ("acquire", {"sku": "28471"}, "sku"),
    ("acquire", {"quantity": 0}, "quantity"),
    ("acquire", {"ttl_seconds": -1}, "ttl_seconds"),
    ("release", {"lock_id": ""}, "lock_id"),
    ("cart", {"quantity": 100}, "quantity"),
    ("cart", {"product_id": "p-00000"}, "body"),
    ("cart", {"product_id": "p-10001"}, "product_id"),
    ("cart", {"product_id": None}, "body"),
    ("cart", {"sku": "SKU-28471"}, "body"),
]


@pytest.mark.parametrize(("name", "change", "field"), BAD_FIELDS)
def test_a_bad_field_is_named(
    shared: dict[str, Running], name: str, change: dict[str, Any], field: str
) -> None:
    """400 ValidationError: the field, and one line that says what is allowed."""
    service, path, body = VALID[name]
    response = shared[service].post(path, {**body, **change})
    answer = response.json()
    assert (response.status_code, answer["error"]) == (400, "ValidationError")
    assert [entry["field"] for entry in answer["fields"]] == [field]
    assert answer["message"].startswith(f"{field}: ")
    assert "\n" not in answer["message"]


@pytest.mark.parametrize("name", VALID)
def test_required_fields_are_required(shared: dict[str, Running], name: str) -> None:
    """An empty object is refused with every field that is missing."""
    service, path, _ = VALID[name]
    response = shared[service].post(path, {})
    assert response.status_code == 400
    assert "required" in response.json()["message"]


@pytest.mark.parametrize("name", VALID)
@pytest.mark.parametrize(
    ("content", "words"), [(b"{not json", "not valid JSON"), (b"[1]", "must be a JSON object")]
)
def test_a_body_that_is_no_json_object_is_refused(
    shared: dict[str, Running], name: str, content: bytes, words: str
) -> None:
    """400 says that the body is the trouble."""
    service, path, _ = VALID[name]
    headers = {"Content-Type": "application/json"}
    response = shared[service].client.post(path, content=content, headers=headers)
    assert response.status_code == 400
    assert words in response.json()["message"]


def test_error_share_is_dealt_exactly_and_per_endpoint(tune: Tune) -> None:
    """1 % of 300 requests is 3, each 500 InternalError, whatever other endpoints do."""
    checkout = tune("checkout", error_share=0.01, latency_scale=0.0001)
    statuses = {"browse": [], "detail": []}  # type: dict[str, list[int]]
    for _ in range(300):
        statuses["browse"].append(checkout.get("/api/v2/products").status_code)
        statuses["detail"].append(checkout.get("/api/v2/products/p-00001").status_code)
    assert {name: seen.count(500) for name, seen in statuses.items()} == {
        "browse": 3,
        "detail": 3,
    }


def test_a_stall_delays_what_starts_within_it(tune: Tune) -> None:
    """stall_s = 1: a request sent at once is answered after that second, not before."""
    cart = tune("cart")
    body = {"cart_id": "c", "product_id": "p-00001", "quantity": 1}
    assert cart.configure(stall_s=1.0).status_code == 200
    answers = [cart.post("/api/v2/cart/items", body) for _ in range(4)]
    took, *after = (int(a.headers["x-response-time"].removesuffix("ms")) for a in answers)
    assert took >= 500
    assert min(after) < 300


def test_an_unexpected_error_is_a_500_with_its_id(caplog: pytest.LogCaptureFixture) -> None:
    """A handler that raises: JSON 500, X-Request-ID, counted, and the traceback logged."""
    service = CartService(CartSettings(latency_scale=0.001))
    app = build_app(service, "broken")

    @service.endpoint(app, "GET", "/api/broken", "add_to_cart")
    async def broken(request: Request) -> Response:
        raise RuntimeError("broken on purpose")

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://cart") as client:
            return await client.get("/api/broken", headers={**USER, "X-Request-ID": "r-1"})

    response = asyncio.run(ask())
    assert (response.status_code, response.json()["error"]) == (500, "InternalError")
    assert response.headers["x-request-id"] == "r-1"
    assert b'status="500"} 1.0' in generate_latest(service)
    assert "broken on purpose" in caplog.text
