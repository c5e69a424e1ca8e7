"""All four services, and a shopper's way through them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from mock_process import Running, starter

CARD = {"payment_method": "card", "card_token": "tok_test_visa_4242"}


@dataclass(frozen=True, slots=True)
class Shop:
    """The services, and the ledgers of two of them."""

    lock: Running
    cart: Running
    checkout: Running
    payment: Running
    ledgers: Path

    def add(self, cart_id: str, quantity: int = 1) -> int:
        """Put some of SKU-28471 into a cart; its subtotal in cents."""
        body = {
            "cart_id": cart_id,
            "user_id": "lt-user-00001",
            "sku": "SKU-28471",
            "quantity": quantity,
        }
        subtotal = self.cart.post("/api/v2/cart/items", body).json()["subtotal"]
        return int(subtotal.removeprefix("$").replace(".", ""))

    def start(self, cart_id: str) -> httpx.Response:
        body = {"cart_id": cart_id, "user_id": "lt-user-00001"}
        return self.checkout.post("/api/v2/checkout/start", body)

    def charge(self, checkout_id: str) -> httpx.Response:
        body = {"checkout_id": checkout_id, **CARD}
        return self.payment.post("/api/v2/payments/charge", body)

    def confirm(self, checkout_id: str, payment_id: str) -> httpx.Response:
        body = {"checkout_id": checkout_id, "payment_id": payment_id}
        return self.checkout.post("/api/v2/orders/confirm", body)

    def rows(self, ledger: str, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.ledgers / f"{ledger}.sqlite")) as opened:
            return opened.execute(query).fetchall()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    with starter(folder) as begin:
        lock, cart = begin("inventory_lock"), begin("cart")
        payment = begin(
            "payment", gateway_timeout_share=0.0, ledger_path=str(folder / "payments.sqlite")
        )
        checkout = begin(
            "checkout",
            inventory_lock_url=lock.url,
            cart_url=cart.url,
            payment_url=payment.url,
            ledger_path=str(folder / "orders.sqlite"),
        )
        assert payment.configure(checkout_url=checkout.url).status_code == 200
        yield Shop(lock, cart, checkout, payment, folder)


def test_one_amount_from_cart_to_both_ledgers(shop: Shop) -> None:
    """Three pieces less the coupon's quarter: quoted, charged, recorded as the order's."""
    subtotal = shop.add("cart-a", 1) and shop.add("cart-a", 2)
    coupon = {"cart_id": "cart-a", "coupon_code": "BF25-007"}
    assert shop.checkout.post("/api/v2/checkout/apply-coupon", coupon).status_code == 200
    total = subtotal - subtotal // 4
    started = shop.start("cart-a").json()
    assert (started["total"], started["items"]) == (f"${total // 100}.{total % 100:02d}", 3)
    charged = shop.charge(started["checkout_id"]).json()
    assert charged["amount"] == started["total"]
    order = shop.confirm(started["checkout_id"], charged["payment_id"])
    assert order.status_code == 201
    paid = (started["checkout_id"], charged["payment_id"], total)
    amounts = "SELECT checkout_id, payment_id, amount_cents FROM"
    assert paid in shop.rows("orders", f"{amounts} orders")
    assert paid in shop.rows("payments", f"{amounts} payments")
    assert shop.lock.metric("inventory_locks") == 0


def test_out_of_turn_is_refused(shop: Shop) -> None:
    """No checkout of an empty cart, no charge of no checkout, no order of no or another payment."""
    assert shop.start("cart-never").status_code == 404
    assert shop.charge("chk-lt-99999").status_code == 404
    shop.add("cart-b")
    shop.add("cart-c")
    paid, unpaid = (shop.start(cart).json()["checkout_id"] for cart in ("cart-b", "cart-c"))
    payment_id = shop.charge(paid).json()["payment_id"]
    assert shop.confirm(unpaid, "pay-lt-99999").status_code == 402
    assert shop.confirm(unpaid, payment_id).status_code == 409
    assert shop.charge(paid).status_code == 409
    assert shop.confirm(paid, payment_id).status_code == 201


def test_a_cart_can_be_started_again_and_begins_anew_with_its_next_item(shop: Shop) -> None:
    """A start that is repeated sells the same; what is added later is another cart."""
    shop.add("cart-d")
    first, again = (shop.start("cart-d").json() for _ in range(2))
    assert (first["total"], first["items"]) == (again["total"], again["items"])
    assert first["checkout_id"] != again["checkout_id"]
    shop.add("cart-d", 2)
    assert shop.start("cart-d").json()["items"] == 2
