"""checkout-service is killed again and again, and its shoppers do not notice."""

from __future__ import annotations

import functools
import sqlite3
import threading
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakes import Fake
from mock_process import USER, Running, Start, wait_until

KILLS = (1, pytest.param(6, marks=pytest.mark.long))
SHOPPERS = 8
BETWEEN_KILLS = 40
"""Orders that shoppers see between two kills."""


@dataclass(slots=True)
class Town:
    """Shoppers who ask again until they get an answer, from the checkout that is there now."""

    fake: Fake
    checkout: Running
    closed: threading.Event = field(default_factory=threading.Event)
    started: list[str] = field(default_factory=list)
    orders: list[tuple[str, str]] = field(default_factory=list)

    def has_seen(self, orders: int) -> bool:
        return len(self.orders) >= orders

    def ask(self, client: httpx.Client, path: str, body: dict[str, str]) -> dict[str, Any]:
        def answer() -> httpx.Response | None:
            try:
                return client.post(self.checkout.url + path, json=body)
            except httpx.HTTPError:
                return None

        response = wait_until(answer, 30.0)
        assert response.status_code in (200, 201), response.text
        said: dict[str, Any] = response.json()
        return said

    def shopper(self, name: int) -> None:
        """Cart after cart: fill it, start, pay, confirm."""
        journeys = 0
        with httpx.Client(headers=USER, timeout=20.0, trust_env=False) as client:
            while not self.closed.is_set():
                journeys += 1
                cart = {"cart_id": f"cart-{name}-{journeys}", "user_id": "lt-user-00001"}
                self.fake.fill(cart["cart_id"], "SKU-28471")
                started = self.ask(client, "/api/v2/checkout/start", cart)["checkout_id"]
                self.started.append(started)
                self.fake.pay(f"pay-{started}", started, 8999)
                paid = {"checkout_id": started, "payment_id": f"pay-{started}"}
                order = self.ask(client, "/api/v2/orders/confirm", paid)["order_id"]
                self.orders.append((order, started))


@pytest.mark.parametrize("kills", KILLS)
def test_kills_lose_nothing_and_give_no_id_twice(start: Start, tmp_path: Path, kills: int) -> None:
    """Each start that was answered can be paid and confirmed; each order seen is in the ledger."""
    path = tmp_path / "orders.sqlite"
    lock = start("inventory_lock", pool_max=50_000)
    with Fake().serving() as fake:
        urls = {"inventory_lock_url": lock.url, "cart_url": fake.url, "payment_url": fake.url}
        begin = functools.partial(start, "checkout", ledger_path=str(path), **urls)
        town = Town(fake, begin())
        shoppers = [threading.Thread(target=town.shopper, args=(n,)) for n in range(SHOPPERS)]
        for shopper in shoppers:
            shopper.start()
        try:
            for kill in range(1, kills + 1):
                wait_until(functools.partial(town.has_seen, kill * BETWEEN_KILLS), 30.0)
                town.checkout.process.kill()
                town.checkout.process.wait()
                town.checkout = begin()
        finally:
            town.closed.set()
            for shopper in shoppers:
                shopper.join()
    with closing(sqlite3.connect(path)) as ledger:
        kept = ledger.execute("SELECT order_id, checkout_id FROM orders").fetchall()
    assert max(Counter(town.started).values()) == 1
    assert sorted(town.orders) == sorted(kept)
    assert {checkout_id for _, checkout_id in kept} == {*town.started}
