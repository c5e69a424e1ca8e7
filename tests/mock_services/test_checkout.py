"""checkout-service, against a real lock service."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mock_process import UNCONNECTED, Running, Start, Tune

from mock_services.checkout.catalogue import CATEGORIES

PRODUCTS = "/api/v2/products"
COUPON, START = "/api/v2/checkout/apply-coupon", "/api/v2/checkout/start"
CONFIRM, ACQUIRE = "/api/v2/orders/confirm", "/api/v1/locks/acquire"
CART = {"cart_id": "cart-lt-00001", "user_id": "lt-user-00001"}
WANTED = {"sku": "SKU-28471", "quantity": 1}


def rows(path: Path, columns: str = "order_id") -> list[Any]:
    with closing(sqlite3.connect(path)) as ledger:
        found = ledger.execute(f"SELECT {columns} FROM orders ORDER BY rowid").fetchall()
    return [row[0] if len(row) == 1 else row for row in found]


def confirm(checkout: Running, checkout_id: str, **headers: str) -> Any:
    body = {"checkout_id": checkout_id, "payment_id": "pay-lt-00001"}
    return checkout.post(CONFIRM, body, **headers)


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_category_is_a_page_of_20_of_its_own(shared: dict[str, Running], category: str) -> None:
    """GET /products?category= lists 20 products of that category and of no other."""
    page = shared["checkout"].client.get(PRODUCTS, params={"category": category}).json()
    assert len(page["products"]) == 20
    assert {product["category"] for product in page["products"]} == {category}
    assert (page["total"], page["pages"]) == (1000, 50)


def test_pages_end(shared: dict[str, Running]) -> None:
    """Page 50 of a category is full, page 51 is 404, page 0 is 400."""
    statuses = [
        shared["checkout"].client.get(PRODUCTS, params={"category": "toys", "page": page})
        for page in (50, 51, 0)
    ]
    assert [response.status_code for response in statuses] == [200, 404, 400]


def test_an_unknown_category_is_400_and_names_those_there_are(
    shared: dict[str, Running],
) -> None:
    """The message lists all ten."""
    response = shared["checkout"].client.get(PRODUCTS, params={"category": "weapons"})
    assert response.status_code == 400
    assert all(category in response.json()["message"] for category in CATEGORIES)


def test_products_by_id(shared: dict[str, Running]) -> None:
    """p-00001 to p-10000 are there; anything else is 404 and says the range."""
    checkout = shared["checkout"]
    for product_id in ("p-00001", "p-10000"):
        assert checkout.get(f"{PRODUCTS}/{product_id}").json()["id"] == product_id
    for product_id in ("p-00000", "p-10001", "x"):
        response = checkout.get(f"{PRODUCTS}/{product_id}")
        assert (response.status_code, response.json()["error"]) == (404, "NotFound")
        assert "p-00001 to p-10000" in response.json()["message"]


def test_coupons(shared: dict[str, Running]) -> None:
    """BF25-001 to BF25-500 apply; others are 404 CouponNotFound."""
    for code, status in (("BF25-001", 200), ("BF25-500", 200), ("BF25-501", 404), ("X", 404)):
        response = shared["checkout"].post(COUPON, {"cart_id": "c", "coupon_code": code})
        assert response.status_code == status
    assert response.json()["error"] == "CouponNotFound"


def test_from_start_to_order(start: Start, tmp_path: Path, shared: dict[str, Running]) -> None:
    """Bodies of Appendix B; a lock while pending, none after; one row in the ledger."""
    lock = shared["inventory_lock"]
    held = lock.metric("connection_pool_active")
    path = tmp_path / "ledger.sqlite"
    checkout = start("checkout", **UNCONNECTED, inventory_lock_url=lock.url, ledger_path=str(path))
    started = checkout.post(START, CART)
    assert (started.status_code, started.json()) == (
        200,
        {"checkout_id": "chk-lt-00001", "status": "pending", "total": "$89.99", "items": 3},
    )
    assert lock.metric("connection_pool_active") == held + 1
    confirmed = confirm(checkout, "chk-lt-00001", **{"X-Request-ID": "lt-req-3"})
    delivery = datetime.now(UTC).date() + timedelta(days=5)
    assert (confirmed.status_code, confirmed.json()) == (
        201,
        {
            "order_id": "ord-lt-00001",
            "status": "confirmed",
            "estimated_delivery": delivery.isoformat(),
        },
    )
    assert lock.metric("connection_pool_active") == held
    assert rows(path, "order_id, checkout_id, payment_id, user_id, request_id") == [
        ("ord-lt-00001", "chk-lt-00001", "pay-lt-00001", "lt-user-00001", "lt-req-3")
    ]


def test_items_given_at_start_are_counted(shared: dict[str, Running]) -> None:
    """items is the sum of the quantities."""
    items = [{"sku": "SKU-28471", "quantity": 2}, {"sku": "SKU-39582", "quantity": 5}]
    assert shared["checkout"].post(START, {**CART, "items": items}).json()["items"] == 7


def test_confirming_twice_is_one_order(shared: dict[str, Running], shared_ledger: Path) -> None:
    """At the same time and afterwards: one 201, then 200 with the same order."""
    checkout = shared["checkout"]
    checkout_id = checkout.post(START, CART).json()["checkout_id"]
    with ThreadPoolExecutor(5) as threads:
        answers = list(threads.map(lambda _: confirm(checkout, checkout_id), range(5)))
    answers.append(confirm(checkout, checkout_id))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.json()["order_id"] for answer in answers}) == 1
    assert rows(shared_ledger, "checkout_id").count(checkout_id) == 1


def test_an_unknown_checkout_is_404(shared: dict[str, Running]) -> None:
    """Nothing is recorded for it."""
    response = confirm(shared["checkout"], "chk-lt-99999")
    assert (response.status_code, response.json()["error"]) == (404, "NotFound")


def test_checkouts_are_forgotten_when_their_time_is_over(
    start: Start, until: Callable[..., Any], shared: dict[str, Running]
) -> None:
    """After checkout_ttl_s a pending checkout cannot be confirmed any more."""
    url = shared["inventory_lock"].url
    checkout = start("checkout", **UNCONNECTED, inventory_lock_url=url, checkout_ttl_s=0.2)
    old = checkout.post(START, CART).json()["checkout_id"]
    until(lambda: confirm(checkout, "chk-none").status_code == 404 and _pending(checkout) == 0)
    assert confirm(checkout, old).status_code == 404


def _pending(checkout: Running) -> float:
    return checkout.metric("checkouts_pending")


def test_an_exhausted_lock_pool_shows_unchanged(start: Start) -> None:
    """The lock service's 503 comes through byte for byte, and its log has our request id."""
    lock = start("inventory_lock", replicas=1, pool_max=1, wait_timeout_s=0.1)
    checkout = start("checkout", **UNCONNECTED, inventory_lock_url=lock.url)
    assert checkout.post(START, CART).status_code == 200
    refused = checkout.post(START, CART, **{"X-Request-ID": "lt-req-7"})
    event = lock.events("pool_exhausted")[0]
    assert (refused.status_code, refused.text) == (503, event["body"])
    assert event["request_id"] == "lt-req-7"


def test_a_lock_service_that_does_not_answer_is_tried_twice(start: Start) -> None:
    """503 InventoryLockUnavailable after two attempts of 150 ms and a pause of 50 ms."""
    lock = start("inventory_lock", replicas=1, pool_max=1, wait_timeout_s=20)
    checkout = start(
        "checkout",
        **UNCONNECTED,
        inventory_lock_url=lock.url,
        lock_attempt_timeout_s=0.15,
        lock_retry_backoff_s=0.05,
    )
    assert checkout.post(START, CART).status_code == 200
    response = checkout.post(START, CART)
    assert (response.status_code, response.json()) == (
        503,
        {
            "error": "InventoryLockUnavailable",
            "message": "inventory-lock did not answer within 150ms (2 attempts)",
        },
    )
    assert 350 <= int(response.headers["x-response-time"].removesuffix("ms")) < 1500
    assert lock.metric("connection_pool_waiting") == 2  # both attempts still queue there


def test_a_lock_service_that_is_not_there_is_a_503(tune: Tune) -> None:
    """Connection refused: the same error, and the message says so."""
    checkout = tune("checkout", inventory_lock_url="http://127.0.0.1:9", lock_attempts=3)
    response = checkout.post(START, CART)
    assert (response.status_code, response.json()["error"]) == (503, "InventoryLockUnavailable")
    assert "could not be reached" in response.json()["message"]
    assert "(3 attempts)" in response.json()["message"]


def test_an_order_stands_when_its_lock_cannot_be_released(start: Start, tmp_path: Path) -> None:
    """The lock service dies between start and confirm: 201, a row, and an event."""
    lock = start("inventory_lock")
    path = tmp_path / "ledger.sqlite"
    checkout = start("checkout", **UNCONNECTED, inventory_lock_url=lock.url, ledger_path=str(path))
    checkout_id = checkout.post(START, CART).json()["checkout_id"]
    lock.process.kill()
    lock.process.wait()
    assert confirm(checkout, checkout_id).status_code == 201
    assert rows(path) == ["ord-lt-00001"]
    assert checkout.events("release_failed")[0]["lock_id"].startswith("lock-")


def test_its_own_pool_can_run_out(tune: Tune) -> None:
    """One connection to the orders database, two coupons at once: one 503 of our own."""
    table = {"p50_ms": 3000, "p95_ms": 3000, "p99_ms": 3000, "max_ms": 3000}
    checkout = tune(
        "checkout",
        pool_max=1,
        pool_wait_timeout_s=0.1,
        latency={"apply_coupon": table},
        latency_scale=1.0,
    )
    body = {"cart_id": "c", "coupon_code": "BF25-001"}
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda _: checkout.post(COUPON, body), range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 503]
    assert checkout.events("pool_exhausted")[-1]["pool"] == "requests"


def test_browsing_needs_no_connection(tune: Tune) -> None:
    """The catalogue answers while the pool is used up."""
    table = {"p50_ms": 3000, "p95_ms": 3000, "p99_ms": 3000, "max_ms": 3000}
    checkout = tune("checkout", pool_max=1, latency={"apply_coupon": table}, latency_scale=1.0)
    body = {"cart_id": "c", "coupon_code": "BF25-001"}
    with ThreadPoolExecutor(1) as threads:
        busy = threads.submit(checkout.post, COUPON, body)
        assert checkout.get(f"{PRODUCTS}/p-00001").status_code == 200
        assert not busy.done()
        assert busy.result(5).status_code == 200
