"""Changing a running service."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from mock_process import ADMIN_TOKEN, Running, Start, Tune

from mock_services.cart.service import create_app
from mock_services.kit.admin import is_loopback

PATH = "/admin/behaviour"


@pytest.mark.parametrize("headers", [{}, {"X-Admin-Token": "wrong"}])
def test_needs_the_token(shared: dict[str, Running], headers: dict[str, str]) -> None:
    """No token or another one: 403, and nothing changes."""
    response = shared["cart"].client.post(PATH, json={"ttl_s": 1}, headers=headers)
    assert response.status_code == 403
    assert "X-Admin-Token" in response.json()["message"]
    assert shared["cart"].configure().json()["ttl_s"] == 1800


def test_is_off_without_the_variable(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """MOCK_ADMIN_TOKEN unset: 403 whatever is sent, naming the variable."""
    monkeypatch.setattr("mock_process.ADMIN_TOKEN", "")
    cart = start("cart")
    for token in ("", ADMIN_TOKEN):
        response = cart.client.post(PATH, json={}, headers={"X-Admin-Token": token})
        assert response.status_code == 403
        assert "MOCK_ADMIN_TOKEN" in response.json()["message"]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("localhost.evil", False),
        ("", False),
    ],
)
def test_only_loopback_peers_count_as_this_machine(host: str, expected: bool) -> None:
    """Loopback in IPv4, IPv6 and mapped form; nothing else."""
    assert is_loopback(host) is expected


def test_a_peer_from_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The right token from another machine: 403."""
    monkeypatch.setenv("MOCK_ADMIN_TOKEN", "t")
    transport = httpx.ASGITransport(create_app(), client=("10.1.2.3", 5))

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://cart") as client:
            return await client.post(PATH, json={}, headers={"X-Admin-Token": "t"})

    response = asyncio.run(ask())
    assert response.status_code == 403
    assert "machine" in response.json()["message"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ttl": 5}, "did you mean ttl_s"),
        ({"zzzzzz": 5}, "known: seed"),
        ({"latency": {"add_to_cart": {"p99": 5}}}, "did you mean p99_ms"),
        ({"latency": {"add_cart": {}}}, "known: add_to_cart"),
        ({"error_share": 2}, "error_share"),
        ({"seed": 1}, "cannot be changed while running"),
    ],
)
def test_what_is_not_allowed_is_named(
    shared: dict[str, Running], change: dict[str, object], words: str
) -> None:
    """400 with the key and the nearest names or the limits."""
    response = shared["cart"].configure(**change)
    assert (response.status_code, response.json()["error"]) == (400, "ValidationError")
    assert words in response.json()["message"]


def test_a_refused_change_changes_nothing(shared: dict[str, Running]) -> None:
    """One bad key in a body: the good ones do not count either."""
    assert shared["cart"].configure(ttl_s=7, error_share=9).status_code == 400
    assert shared["cart"].configure().json()["ttl_s"] == 1800


def test_a_change_is_in_force_at_once_and_is_an_event(tune: Tune) -> None:
    """The answer has all settings; the next request feels it; an event names the keys."""
    cart = tune("cart")
    answer = cart.configure(error_share=1.0, latency={"add_to_cart": {"p99_ms": 500}})
    body = {"cart_id": "c", "product_id": "p-00001", "quantity": 1}
    assert answer.json()["error_share"] == 1.0
    assert answer.json()["latency"]["add_to_cart"]["p99_ms"] == 500
    assert answer.json()["latency"]["add_to_cart"]["p95_ms"] == 312
    assert cart.post("/api/v2/cart/items", body).status_code == 500
    assert cart.events("behaviour_changed")[-1]["keys"] == ["error_share", "latency"]


def test_needs_no_bearer_token(shared: dict[str, Running]) -> None:
    """The admin token alone opens it."""
    headers = {"X-Admin-Token": ADMIN_TOKEN}
    url = shared["cart"].url + PATH
    assert httpx.post(url, json={}, headers=headers, trust_env=False).status_code == 200


def test_a_check_says_what_would_be_and_changes_nothing(shared: dict[str, Running]) -> None:
    """`?check=true`: the answer of the change, or its refusal, without the change."""
    cart = shared["cart"]
    headers = {"X-Admin-Token": ADMIN_TOKEN}
    before = cart.get(PATH, **headers).json()
    good = cart.client.post(PATH, params={"check": True}, json={"ttl_s": 7}, headers=headers)
    bad = cart.client.post(PATH, params={"check": True}, json={"ttl_s": -7}, headers=headers)
    assert (good.status_code, good.json()["ttl_s"], bad.status_code) == (200, 7, 400)
    assert cart.get(PATH, **headers).json() == before
