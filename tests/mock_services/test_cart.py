"""cart-service, with the memory it really uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mock_process import Running, Start

ITEMS = "/api/v2/cart/items"
CHECKOUT = "/api/v2/cart/checkout"
SERVICE = {"Authorization": "Bearer lt-svc-token-checkout"}
STRANGER = {"Authorization": "Bearer lt-user-token-00002"}
SESSION_BYTES = 65_536
SESSIONS = 600
HELD_BYTES = SESSION_BYTES * SESSIONS
OFTEN = {"memory_check_interval_s": 0.05}


def fill(cart: Running, sessions: int = SESSIONS) -> None:
    for number in range(sessions):
        body = {"cart_id": f"cart-lt-{number:05d}", "product_id": "p-00001", "quantity": 1}
        assert cart.post(ITEMS, body).status_code == 200


def rss(cart: Running) -> float:
    return cart.metric("process_resident_memory_bytes")


def test_items_and_subtotal_add_up(shared: dict[str, Running]) -> None:
    """Quantities and prices of a cart's items are summed; other carts are not touched."""
    cart = shared["cart"]
    one = cart.post(ITEMS, {"cart_id": "sum", "sku": "SKU-28471", "quantity": 1}).json()
    three = cart.post(ITEMS, {"cart_id": "sum", "sku": "SKU-28471", "quantity": 2}).json()
    other = cart.post(ITEMS, {"cart_id": "other", "sku": "SKU-28471", "quantity": 1}).json()
    price = float(one["subtotal"].removeprefix("$"))
    assert (three["cart_id"], three["items"]) == ("sum", 3)
    assert float(three["subtotal"].removeprefix("$")) == round(3 * price, 2)
    assert (other["items"], other["subtotal"]) == (1, one["subtotal"])


def test_a_product_costs_the_same_in_cart_and_catalogue(shared: dict[str, Running]) -> None:
    """By id, by SKU and in the catalogue."""
    product = shared["checkout"].get("/api/v2/products/p-04711").json()
    by_id = {"cart_id": "by-id", "product_id": "p-04711", "quantity": 1}
    by_sku = {"cart_id": "by-sku", "sku": product["sku"], "quantity": 1}
    subtotals = {shared["cart"].post(ITEMS, body).json()["subtotal"] for body in (by_id, by_sku)}
    assert subtotals == {product["price"]}


def test_a_cart_is_handed_over_until_the_next_item_begins_a_new_one(
    shared: dict[str, Running],
) -> None:
    """Owner, lines, prices and subtotal; asked again the same."""
    cart = shared["cart"]
    cart.post(ITEMS, {"cart_id": "handed", "sku": "SKU-28471", "quantity": 1})
    cart.post(ITEMS, {"cart_id": "handed", "sku": "SKU-39582", "quantity": 2})
    first = cart.post(CHECKOUT, {"cart_id": "handed"}, **SERVICE)
    assert (first.status_code, first.json()["user_id"]) == (200, "lt-user-00001")
    items = first.json()["items"]
    assert [(item["sku"], item["quantity"]) for item in items] == [
        ("SKU-28471", 1),
        ("SKU-39582", 2),
    ]
    costs = sum(item["quantity"] * item["unit_price_cents"] for item in items)
    assert first.json()["subtotal_cents"] == costs
    assert cart.post(CHECKOUT, {"cart_id": "handed"}, **SERVICE).json() == first.json()
    assert (
        cart.post(ITEMS, {"cart_id": "handed", "sku": "SKU-41093", "quantity": 3}).json()["items"]
        == 3
    )
    again = cart.post(CHECKOUT, {"cart_id": "handed"}, **SERVICE).json()
    assert [item["sku"] for item in again["items"]] == ["SKU-41093"]


def test_only_services_get_a_cart_and_only_one_that_was_filled(
    shared: dict[str, Running], start: Start, until: Callable[..., Any]
) -> None:
    """403 for users, 404 for a cart that nobody filled, and for one that has expired."""
    users = shared["cart"].post(CHECKOUT, {"cart_id": "theirs"})
    assert (users.status_code, users.json()["error"]) == (403, "Forbidden")
    nobodys = shared["cart"].post(CHECKOUT, {"cart_id": "never-filled"}, **SERVICE)
    assert (nobodys.status_code, nobodys.json()["error"]) == (404, "CartNotFound")
    brief = start("cart", ttl_s=0.001)
    brief.post(ITEMS, {"cart_id": "brief", "sku": "SKU-28471", "quantity": 1})
    gone = {"cart_id": "brief"}
    until(lambda: brief.post(CHECKOUT, gone, **SERVICE).status_code == 404)


def test_a_cart_belongs_to_the_user_who_opened_it(
    shared: dict[str, Running], tune: Callable[..., Running]
) -> None:
    """403 for another user and nothing added; services may, and all when the check is off."""
    item = {"cart_id": "mine", "sku": "SKU-28471", "quantity": 1}
    cart = shared["cart"]
    assert cart.post(ITEMS, item).json()["items"] == 1
    assert cart.post(ITEMS, item, **STRANGER).status_code == 403
    assert cart.post(ITEMS, item, **SERVICE).json()["items"] == 2
    tune("cart", check_owner=False)
    assert cart.post(ITEMS, item, **STRANGER).json()["items"] == 3


def test_no_cart_holds_more_than_its_limit(shared: dict[str, Running]) -> None:
    """99 pieces of a product, in however many requests."""
    item = {"cart_id": "full", "sku": "SKU-28471", "quantity": 99}
    assert shared["cart"].post(ITEMS, item).status_code == 200
    more = shared["cart"].post(ITEMS, {**item, "quantity": 1})
    assert (more.status_code, more.json()["error"]) == (409, "CartFull")
    assert shared["cart"].post(ITEMS, {**item, "quantity": 10**30}).status_code == 400


def test_the_baseline_is_really_held(start_afresh: Start) -> None:
    """Resident, and no session's."""
    plain, heavy = start_afresh("cart"), start_afresh("cart", baseline_bytes=100_000_000)
    assert abs(rss(heavy) - rss(plain) - 100_000_000) < 5_000_000
    assert heavy.metric("cart_sessions") == 0


def test_scheduled_eviction_gives_memory_back(
    start_afresh: Start, until: Callable[..., Any]
) -> None:
    """RSS grows by what the sessions hold, and falls by most of it when they expire."""
    cart = start_afresh("cart", ttl_s=60, session_bytes=SESSION_BYTES, eviction_interval_s=0.2)
    fill(cart, 1)
    before = rss(cart)
    fill(cart)
    full = rss(cart)
    assert full - before > 0.9 * HELD_BYTES
    cart.configure(ttl_s=0.1)
    until(lambda: cart.metric("cart_sessions") == 0)
    until(lambda: rss(cart) < full - 0.8 * HELD_BYTES)


def test_lazy_eviction_keeps_expired_sessions_until_a_collection(
    start_afresh: Start, until: Callable[..., Any]
) -> None:
    """The seed's leak: expired sessions stay, until the memory limit forces a collection."""
    cart = start_afresh("cart", eviction="lazy", ttl_s=0.1, session_bytes=SESSION_BYTES, **OFTEN)
    fill(cart)
    full = rss(cart)
    cart.configure(eviction_interval_s=0.1)
    ticks = cart.metric("mock_event_loop_lag_seconds_count")
    until(lambda: cart.metric("mock_event_loop_lag_seconds_count") > ticks + 3)
    assert cart.metric("cart_sessions") == SESSIONS
    cart.configure(memory_limit_bytes=int(full * 1.05))
    event = until(lambda: cart.events("gc"))[0]
    assert cart.metric("cart_sessions") == 0
    assert event["rss_before_bytes"] - event["rss_after_bytes"] == event["reclaimed_bytes"]
    assert event["reclaimed_bytes"] > 0.8 * HELD_BYTES


def test_past_the_limit_it_ends_like_an_oom_kill(start_afresh: Start) -> None:
    """Exit code 137, and an event that says why."""
    cart = start_afresh("cart", **OFTEN)
    cart.configure(memory_limit_bytes=1_000_000)
    assert cart.process.wait(10) == 137
    assert cart.events("oom_killed")[0]["memory_limit_bytes"] == 1_000_000
