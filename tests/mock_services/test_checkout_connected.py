"""checkout-service and those it asks: carts, payments, locks, stock, tokens."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakes import Fake
from mock_process import Running, Start

START, CONFIRM = "/api/v2/checkout/start", "/api/v2/orders/confirm"
COUPON, RELEASE = "/api/v2/checkout/apply-coupon", "/api/v1/locks/release"
CART = {"cart_id": "cart-1", "user_id": "lt-user-00001"}
OTHER = {"authorization": "Bearer lt-user-token-00002"}
SERVICE = {"authorization": "Bearer lt-svc-token-test"}
SKU = "SKU-28471"


@dataclass(frozen=True, slots=True)
class Shop:
    """A checkout-service with a real lock service and a fake of the other two."""

    fake: Fake
    lock: Running
    checkout: Running
    ledger: Path
    settings: dict[str, Any]

    def start(self, cart_id: str = "cart-1", **headers: str) -> httpx.Response:
        return self.checkout.post(START, {**CART, "cart_id": cart_id}, **headers)

    def started(self, cart_id: str = "cart-1") -> str:
        response = self.start(cart_id)
        assert response.status_code == 200, response.text
        return str(response.json()["checkout_id"])

    def paid(self, cart_id: str = "cart-1", payment_id: str = "pay-1") -> str:
        checkout_id = self.started(cart_id)
        self.fake.pay(payment_id, checkout_id, 8999)
        return checkout_id

    def confirm(
        self, checkout_id: str, payment_id: str = "pay-1", **headers: str
    ) -> httpx.Response:
        body = {"checkout_id": checkout_id, "payment_id": payment_id}
        return self.checkout.post(CONFIRM, body, **headers)

    def rows(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.ledger)) as ledger:
            return ledger.execute(query).fetchall()

    def locks(self) -> float:
        return self.lock.metric("inventory_locks")


Open = Callable[..., Shop]


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake().serving() as serving:
        serving.fill("cart-1", SKU, "SKU-39582", "SKU-41093")
        yield serving


@pytest.fixture
def shop(start: Start, fake: Fake, tmp_path: Path) -> Open:
    """shop(**settings): open it, or again with the same ledger; lock_* go to the lock service."""

    def opened(lock: Running | None = None, **settings: Any) -> Shop:
        lock = lock or start("inventory_lock", pool_max=10_000)
        told = {
            "inventory_lock_url": lock.url,
            "cart_url": fake.url,
            "payment_url": fake.url,
            "ledger_path": str(tmp_path / "orders.sqlite"),
            "ledger_commit_interval_s": 0.001,
            **settings,
        }
        checkout = start("checkout", **told)
        return Shop(fake, lock, checkout, tmp_path / "orders.sqlite", told)

    return opened


def refusal(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


def test_a_cart_becomes_an_order(shop: Open) -> None:
    """The cart's items and price, as in Appendix B; the order, its items and its amount."""
    one = shop()
    assert one.start().json() == {
        "checkout_id": "chk-lt-00001",
        "status": "pending",
        "total": "$89.99",
        "items": 3,
    }
    one.fake.pay("pay-1", "chk-lt-00001", 8999)
    assert one.confirm("chk-lt-00001").status_code == 201
    assert one.rows("SELECT order_id, checkout_id, payment_id, amount_cents FROM orders") == [
        ("ord-lt-00001", "chk-lt-00001", "pay-1", 8999)
    ]
    assert one.rows("SELECT sku, quantity FROM order_items") == [
        (sku, 1) for sku in (SKU, "SKU-39582", "SKU-41093")
    ]
    assert one.rows("SELECT * FROM stock") == []
    assert one.locks() == 0
    calls = [(method, path) for method, path, _ in one.fake.asked]
    assert calls == [("POST", "/api/v2/cart/checkout"), ("GET", "/api/v2/payments/pay-1")]


def test_others_are_asked_as_a_service_with_the_id_of_the_request(shop: Open) -> None:
    """The service token; X-Request-ID and the trace handed on as they came, and none made up."""
    one = shop()
    trace = {"traceparent": f"00-{7:032x}-{7:016x}-01", "tracestate": "a=1,b=2"}
    one.start(**{"X-Request-ID": "lt-req-1"}, **trace)
    headers = {name.lower(): value for name, value in one.fake.asked[0][2].items()}
    assert headers["authorization"] == "Bearer lt-svc-token-checkout"
    assert headers["x-request-id"] == "lt-req-1"
    assert {name: headers[name] for name in trace} == trace
    one.start("cart-2")
    assert not trace.keys() & {name.lower() for name in one.fake.asked[-1][2]}


def test_a_coupon_takes_a_quarter_off_also_after_kill_9(shop: Open) -> None:
    """$89.99 less 25 % is $67.50; another cart pays in full."""
    one = shop()
    assert one.checkout.post(COUPON, {"cart_id": "cart-1", "coupon_code": "BF25-001"}).is_success
    one.checkout.process.kill()
    again = shop(one.lock)
    again.fake.fill("cart-2", SKU)
    assert again.start().json()["total"] == "$67.50"
    assert again.start("cart-2").json()["total"] == "$89.99"


def test_a_cart_that_was_never_filled_is_refused(shop: Open) -> None:
    """cart-service's own 404, and no lock."""
    one = shop()
    assert refusal(one.start("cart-none")) == (404, "CartNotFound")
    assert one.locks() == 0


def test_foreign_tokens_are_refused(shop: Open) -> None:
    """403 to start another's cart or in another's name, and to confirm another's checkout."""
    one = shop()
    one.fake.fill("cart-2", SKU, user_id="lt-user-00002")
    assert refusal(one.start("cart-2")) == (403, "Forbidden")
    assert refusal(one.start(**OTHER)) == (403, "Forbidden")
    checkout_id = one.paid()
    assert refusal(one.confirm(checkout_id, **OTHER)) == (403, "Forbidden")
    assert one.confirm(checkout_id).status_code == 201
    assert refusal(one.confirm(checkout_id, **OTHER)) == (403, "Forbidden")
    assert one.confirm(checkout_id, **SERVICE).status_code == 200


@pytest.mark.parametrize("switch", ["check_owner", "require_auth"])
def test_foreign_tokens_pass_where_that_is_not_checked(shop: Open, switch: str) -> None:
    """The planted bug."""
    one = shop(**{switch: False})
    one.fake.fill("cart-2", SKU, user_id="lt-user-00002")
    one.started("cart-2")
    assert one.confirm(one.paid(), **OTHER).status_code == 201


@pytest.mark.parametrize(
    ("payment", "why"),
    [
        ({}, (402, "PaymentRequired")),
        ({"status": "generic_decline"}, (402, "PaymentRequired")),
        ({"checkout_id": "chk-lt-00777"}, (409, "PaymentMismatch")),
        ({"amount_cents": 1}, (409, "PaymentMismatch")),
    ],
    ids=["none", "declined", "of another checkout", "of another amount"],
)
def test_an_order_needs_its_payment(
    shop: Open, payment: dict[str, Any], why: tuple[int, str]
) -> None:
    """402 without a succeeded payment, 409 with another one, and no order; 201 unchecked."""
    one = shop()
    checkout_id = one.started()
    if payment:
        one.fake.pay("pay-1", **{"checkout_id": checkout_id, "amount_cents": 8999, **payment})
    assert refusal(one.confirm(checkout_id)) == why
    assert one.rows("SELECT * FROM orders") == []
    one.checkout.configure(check_payment=False)
    assert one.confirm(checkout_id).status_code == 201


@pytest.mark.parametrize("payment_id", ["../cart", "..", "a/b?c#d", "%2e%2e", "ä\x00 b"])
def test_no_payment_id_asks_for_anything_else(shop: Open, payment_id: str) -> None:
    """Whatever its characters, it is one segment of the path."""
    one = shop()
    assert refusal(one.confirm(one.started(), payment_id)) == (402, "PaymentRequired")
    path = one.fake.asked[-1][1]
    assert path.startswith("/api/v2/payments/")
    assert path.count("/") == 4
    assert "?" not in path


def test_a_confirmed_checkout_has_one_payment(shop: Open) -> None:
    """Confirmed again: 200 and the same order; with another payment 409."""
    one = shop()
    checkout_id = one.paid()
    orders = [one.confirm(checkout_id) for _ in range(2)]
    assert [order.status_code for order in orders] == [201, 200]
    assert len({order.json()["order_id"] for order in orders}) == 1
    assert refusal(one.confirm(checkout_id, "pay-2")) == (409, "PaymentMismatch")


def test_a_released_lock_refuses_its_order(shop: Open) -> None:
    """Somebody else released it: 410, no order, and the checkout has failed."""
    one = shop()
    checkout_id = one.paid()
    (held,) = one.rows("SELECT lock_id FROM checkouts")
    assert one.lock.post(RELEASE, {"lock_id": held[0]}).status_code == 200
    assert refusal(one.confirm(checkout_id)) == (410, "LockExpired")
    assert one.rows("SELECT * FROM orders") == one.rows("SELECT * FROM order_items") == []
    assert refusal(one.confirm(checkout_id)) == (404, "NotFound")


def test_an_expired_lock_refuses_its_order(
    start: Start, shop: Open, until: Callable[..., Any]
) -> None:
    """The lock's time is over before the checkout's: 410; unchecked 201."""
    lock = start("inventory_lock", lock_ttl_s=0.05)
    one = shop(lock)
    checkout_id = one.paid()
    until(lambda: one.locks() == 0)
    assert refusal(one.confirm(checkout_id)) == (410, "LockExpired")
    one.checkout.configure(check_lock=False)
    checkout_id = one.paid(payment_id="pay-2")
    until(lambda: one.locks() == 0)
    assert one.confirm(checkout_id, "pay-2").status_code == 201


def test_a_release_whose_answer_was_lost_refuses_nothing(shop: Open, fake: Fake) -> None:
    """The first attempt releases the lock and breaks off, the second finds it gone: an order."""
    answers = iter([(0, b""), (404, {"error": "NotFound"})])
    fake.scripts["/api/v1/locks/acquire"] = lambda _: (200, {"lock_id": "lock-1"})
    fake.scripts[RELEASE] = lambda _: next(answers)
    one = shop(inventory_lock_url=fake.url)
    assert one.confirm(one.paid()).status_code == 201


def test_services_ask_for_a_checkout(shop: Open) -> None:
    """Pending, then confirmed, with its user and total; 403 for users, 404 for none."""
    one = shop()
    checkout_id = one.paid()
    path = f"/api/v2/checkout/{checkout_id}"
    known = {"checkout_id": checkout_id, "user_id": "lt-user-00001", "total_cents": 8999}
    assert one.checkout.get(path, **SERVICE).json() == {**known, "status": "pending"}
    one.confirm(checkout_id)
    assert one.checkout.get(path, **SERVICE).json() == {**known, "status": "confirmed"}
    assert refusal(one.checkout.get(path)) == (403, "Forbidden")
    for unknown in ("chk-lt-00002", "chk-lt-1", "x"):
        response = one.checkout.get(f"/api/v2/checkout/{unknown}", **SERVICE)
        assert refusal(response) == (404, "NotFound")


@pytest.mark.parametrize(
    "script",
    [lambda _: (0, b""), lambda _: (500, {}), lambda _: (200, b"{"), lambda _: (200, {"a": 1})],
    ids=["breaks off", "500", "no JSON", "other JSON"],
)
def test_a_neighbour_without_a_usable_answer_is_a_503(
    shop: Open, fake: Fake, script: Callable[[dict[str, Any]], Any]
) -> None:
    """CartUnavailable and PaymentUnavailable, after two attempts; no order and no lock."""
    one = shop()
    checkout_id = one.started()
    fake.scripts["/api/v2/cart/checkout"] = fake.scripts["/api/v2/payments/pay-1"] = script
    assert refusal(one.start()) == (503, "CartUnavailable")
    assert refusal(one.confirm(checkout_id)) == (503, "PaymentUnavailable")
    assert "(2 attempts)" in one.start().json()["message"]
    assert one.locks() == 1
    assert one.rows("SELECT * FROM orders") == []


def test_the_last_piece_is_sold_once(shop: Open) -> None:
    """Reserved at start: the next one is 409; sold, the ledger says how many there were."""
    one = shop(stock_per_sku=1)
    checkout_id = one.paid()
    one.fake.fill("cart-2", SKU)
    assert refusal(one.start("cart-2")) == (409, "OutOfStock")
    assert one.confirm(checkout_id).status_code == 201
    assert refusal(one.start("cart-2")) == (409, "OutOfStock")
    assert one.rows("SELECT * FROM stock WHERE sku = 'SKU-28471'") == [(SKU, 1)]


def test_an_off_by_one_oversells(shop: Open) -> None:
    """The planted bug: two sold of one, in the ledger for all to see."""
    one = shop(stock_per_sku=1, stock_slack=1)
    for number in (1, 2):
        checkout_id = one.paid(payment_id=f"pay-{number}")
        assert one.confirm(checkout_id, f"pay-{number}").status_code == 201
    assert refusal(one.start()) == (409, "OutOfStock")
    sold = "SELECT sum(o.quantity), s.quantity FROM order_items o JOIN stock s USING (sku)"
    assert one.rows(f"{sold} WHERE sku = '{SKU}'") == [(2, 1)]


def test_what_is_not_sold_goes_back_on_the_shelf(
    start: Start, shop: Open, until: Callable[..., Any]
) -> None:
    """When no lock is to be had, when the lock was lost, and when the checkout expires."""
    lock = start("inventory_lock", replicas=1, pool_max=1, wait_timeout_s=0.01)
    one = shop(lock, stock_per_sku=1)
    holder = lock.post("/api/v1/locks/acquire", {"sku": SKU, "quantity": 1}).json()["lock_id"]
    assert one.start().status_code == 503
    lock.post(RELEASE, {"lock_id": holder})
    lost = one.paid()
    lock.post(RELEASE, {"lock_id": one.rows("SELECT lock_id FROM checkouts")[0][0]})
    assert refusal(one.confirm(lost)) == (410, "LockExpired")
    one.started()
    lock.configure(pool_max=9)
    assert refusal(one.start()) == (409, "OutOfStock")
    one.checkout.configure(checkout_ttl_s=0.01)
    until(lambda: one.start().status_code == 200)


def test_stock_sold_and_reserved_survives_kill_9(shop: Open) -> None:
    """Of three pieces one is sold and one reserved: one is left after the restart."""
    one = shop(stock_per_sku=3)
    assert one.confirm(one.paid()).status_code == 201
    reserved = one.paid(payment_id="pay-2")
    one.checkout.process.kill()
    again = shop(one.lock, stock_per_sku=3)
    assert again.checkout.metric("checkouts_pending") == 1
    again.started()
    assert refusal(again.start()) == (409, "OutOfStock")
    assert again.confirm(reserved, "pay-2").status_code == 201


def test_unconnected_it_sells_what_the_request_names(shop: Open) -> None:
    """Nobody is asked but the lock service; the price is the checkout id's."""
    one = shop(check_cart=False, check_payment=False)
    items = [{"sku": SKU, "quantity": 2}, {"sku": SKU, "quantity": 5}]
    started = one.checkout.post(START, {**CART, "items": items}).json()
    assert (started["total"], started["items"]) == ("$89.99", 7)
    assert one.confirm(started["checkout_id"]).status_code == 201
    assert one.rows("SELECT sku, quantity FROM order_items") == [(SKU, 7)]
    assert one.fake.asked == []
