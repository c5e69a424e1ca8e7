"""/admin/test-data: made and removed by prefix, and nothing else touched."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest
from mock_process import ADMIN_TOKEN, ANY_CHARGE, UNCONNECTED, Running, Start

PATH = "/admin/test-data"
TOKEN = {"X-Admin-Token": ADMIN_TOKEN}
ITEM = {"product_id": "p-00001", "quantity": 1}


def made(running: Running, **wanted: Any) -> Any:
    return running.client.post(PATH, json=wanted, headers=TOKEN).json()["counts"]


def removed(running: Running, prefix: str) -> Any:
    answer = running.client.delete(PATH, params={"prefix": prefix}, headers=TOKEN)
    return answer.json()["counts"]


def test_carts_are_made_once_and_removed(start: Start) -> None:
    """Of users called by the prefix; another user's cart stays."""
    cart = start("cart")
    assert made(cart, prefix="xx-", users=20, products=3) == {"carts": 20}
    assert made(cart, prefix="xx-", users=30, products=3) == {"carts": 10}
    assert cart.post("/api/v2/cart/items", {"cart_id": "mine", **ITEM}).status_code == 200
    assert removed(cart, "yy-") == {"carts": 0}
    assert removed(cart, "xx-") == {"carts": 30}
    assert cart.metric("cart_sessions") == 1
    assert removed(cart, "lt-") == {"carts": 1}


def test_orders_and_checkouts_of_the_prefix_go(start: Start, tmp_path: Path) -> None:
    """With their pieces; those of others stay, and so do their numbers."""
    ledger = tmp_path / "orders.sqlite"
    lock = start("inventory_lock")
    settings = {"inventory_lock_url": lock.url, "ledger_path": str(ledger), **UNCONNECTED}
    checkout = start("checkout", **settings)
    bought = [buy(checkout, user) for user in ("lt-user-00001", "lt-user-00002")]
    other = {"cart_id": "c", "user_id": "me"}
    svc = {"Authorization": "Bearer lt-svc-token-me"}
    assert checkout.post("/api/v2/checkout/start", other, **svc).status_code == 200
    assert removed(checkout, "me-") == {"orders": 0, "checkouts": 0}
    assert removed(checkout, "lt-") == {"orders": len(bought), "checkouts": 0}
    with sqlite3.connect(ledger) as books:
        left = [books.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in
                ("orders", "order_items", "checkouts")]  # fmt: skip
    assert left == [0, 0, 1]
    assert checkout.metric("checkouts_pending") == 1


def buy(checkout: Running, user: str) -> str:
    svc = {"Authorization": "Bearer lt-svc-token-test"}
    wanted = {"cart_id": f"cart-{user}", "user_id": user}
    started = checkout.post("/api/v2/checkout/start", wanted, **svc).json()
    body = {"checkout_id": started["checkout_id"], "payment_id": "pay-lt-00001"}
    done = checkout.post("/api/v2/orders/confirm", body, **svc)
    assert done.status_code == 201, done.text
    return str(done.json()["order_id"])


def test_payments_of_requests_of_the_prefix_go(start: Start) -> None:
    """And their keys: the same request is charged anew."""
    payment = start("payment", gateway_timeout_share=0.0, **ANY_CHARGE)
    body = {"checkout_id": "chk-lt-00001", "payment_method": "card"}
    body |= {"card_token": "tok_test_visa_4242"}
    theirs = {"X-Request-ID": "lt-req-1", "Idempotency-Key": "k1"}
    first = payment.client.post("/api/v2/payments/charge", json=body, headers=theirs).json()
    assert removed(payment, "xx-") == {"payments": 0}
    assert removed(payment, "lt-") == {"payments": 1}
    again = payment.client.post("/api/v2/payments/charge", json=body, headers=theirs).json()
    assert again["payment_id"] != first["payment_id"]


@pytest.mark.parametrize("prefix", ["", "-", "lt", "LT-", "%", "l_t-", "a" * 20 + "-"])
def test_what_is_no_prefix_removes_nothing(shared: dict[str, Running], prefix: str) -> None:
    """Least of all an empty one, which is everybody's."""
    answer = shared["cart"].client.delete(PATH, params={"prefix": prefix}, headers=TOKEN)
    assert answer.status_code == 400


@pytest.mark.parametrize("service", ["checkout", "payment", "inventory_lock", "cart"])
def test_the_admin_token_alone_opens_it(shared: dict[str, Running], service: str) -> None:
    """As with behaviour."""
    client: httpx.Client = shared[service].client
    assert client.delete(PATH, params={"prefix": "zz-"}).status_code == 403
    assert client.post(PATH, json={"prefix": "zz-"}).status_code == 403
