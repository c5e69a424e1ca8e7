"""The orders of record survive."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from mock_process import UNCONNECTED, Running, Start

from mock_services.kit.ledger import Ledger, LedgerError, Statement

START, CONFIRM = "/api/v2/checkout/start", "/api/v2/orders/confirm"
CART = {"cart_id": "cart-lt-00001", "user_id": "lt-user-00001"}
SCHEMA = "CREATE TABLE IF NOT EXISTS orders (order_id TEXT PRIMARY KEY)"


def order(number: int) -> Statement:
    return "INSERT INTO orders VALUES (?)", [(f"ord-{number}",)]


def opened(path: Path, commit_interval_s: float) -> Ledger:
    ledger = Ledger(path, "orders", SCHEMA, commit_interval_s)
    ledger.open()
    return ledger


def order_ids(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as ledger:
        return {row[0] for row in ledger.execute("SELECT order_id FROM orders")}


def buy(checkout: Running, confirmed: list[str]) -> None:
    """Order until the service is gone; note every order the client saw confirmed."""
    with suppress(httpx.HTTPError):
        while True:
            checkout_id = checkout.post(START, CART).json()["checkout_id"]
            body = {"checkout_id": checkout_id, "payment_id": "p"}
            response = checkout.post(CONFIRM, body)
            assert response.status_code == 201
            confirmed.append(response.json()["order_id"])


def test_every_order_a_client_saw_survives_kill_9(
    start: Start, tmp_path: Path, until: Callable[..., Any]
) -> None:
    """SIGKILL in the middle of eight buyers: each 201 is in the file, and ids go on after it."""
    lock = start("inventory_lock", pool_max=100_000)
    path = tmp_path / "ledger.sqlite"
    settings = {**UNCONNECTED, "inventory_lock_url": lock.url, "ledger_path": str(path)}
    checkout = start("checkout", **settings)
    confirmed: list[str] = []
    buyers = [threading.Thread(target=buy, args=(checkout, confirmed)) for _ in range(8)]
    for buyer in buyers:
        buyer.start()
    until(lambda: len(confirmed) >= 100)
    checkout.process.kill()
    for buyer in buyers:
        buyer.join()
    assert set(confirmed) <= order_ids(path)
    again = start("checkout", **settings)
    late = again.post(CONFIRM, {"checkout_id": "chk-lt-00001", "payment_id": "p"})
    assert (late.status_code, late.json()["order_id"] in confirmed) == (200, True)


def test_an_orderly_stop_keeps_everything_and_exits_0(start: Start, tmp_path: Path) -> None:
    """SIGTERM: the row is there, the write-ahead log is folded in, exit code 0."""
    lock = start("inventory_lock")
    path = tmp_path / "ledger.sqlite"
    checkout = start("checkout", **UNCONNECTED, inventory_lock_url=lock.url, ledger_path=str(path))
    checkout_id = checkout.post(START, CART).json()["checkout_id"]
    checkout.post(CONFIRM, {"checkout_id": checkout_id, "payment_id": "p"})
    checkout.process.terminate()
    assert checkout.process.wait(10) == 0
    assert order_ids(path) == {"ord-lt-00001"}
    assert not Path(f"{path}-wal").exists()


def test_without_a_path_the_ledger_is_temporary(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file named after the process, removed when it stops."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    checkout = start("checkout")
    path = tmp_path / f"loadgate-orders-{checkout.process.pid}.sqlite"
    assert path.exists()
    checkout.process.terminate()
    checkout.process.wait(10)
    assert list(tmp_path.glob("loadgate-orders-*")) == []


def test_orders_are_committed_in_groups(tmp_path: Path) -> None:
    """500 orders at once are all there when append() returns, in a few commits."""

    async def scenario() -> int:
        ledger = opened(tmp_path / "l.sqlite", 0.01)
        await asyncio.gather(*(ledger.write(order(n)) for n in range(500)))
        seen = len(order_ids(ledger.path))
        ledger.close()
        return seen

    assert asyncio.run(scenario()) == 500


def test_one_bad_order_does_not_take_its_group_along(tmp_path: Path) -> None:
    """A checkout that has an order already is an error for that one only."""

    async def scenario() -> list[BaseException | None]:
        ledger = opened(tmp_path / "l.sqlite", 0.05)
        await ledger.write(order(1))
        results = await asyncio.gather(
            *(ledger.write(order(n)) for n in (2, 1, 3)), return_exceptions=True
        )
        ledger.close()
        return list(results)

    first, second, third = asyncio.run(scenario())
    assert (first, third) == (None, None)
    assert isinstance(second, LedgerError)
    assert order_ids(tmp_path / "l.sqlite") == {"ord-1", "ord-2", "ord-3"}


def test_close_commits_what_is_queued(tmp_path: Path) -> None:
    """Appended but not awaited: in the file after close()."""

    async def scenario() -> None:
        ledger = opened(tmp_path / "l.sqlite", 1.0)
        task = asyncio.create_task(ledger.write(order(1)))
        await asyncio.sleep(0)
        ledger.close()
        await task

    asyncio.run(scenario())
    assert order_ids(tmp_path / "l.sqlite") == {"ord-1"}


def test_a_ledger_that_cannot_be_opened_says_which(tmp_path: Path) -> None:
    """The error names the file."""
    with pytest.raises(LedgerError, match=r"missing/l\.sqlite"):
        opened(tmp_path / "missing" / "l.sqlite", 0.01)
