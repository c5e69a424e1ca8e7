"""What checkout-service remembers: for how long, and at what size."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mock_services.checkout.orders import COUPON_TTL_S, OrderDesk
from mock_services.checkout.settings import CheckoutSettings
from tests.postgres_server import Server

Kept = dict[str, Any]
HOUR_S = 3600.0
SKU = "SKU-28471"


@dataclass(slots=True)
class Clock:
    """Virtual time."""

    now_s: float = 1e9

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(params=["file", "postgres"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    """Where the ledger is, as settings."""
    if request.param == "file":
        return in_file(tmp_path)
    server: Server = request.getfixturevalue("postgres")
    return {"ledger": server.url, "ledger_schema": f"desk-{tmp_path.name}"}


def in_file(folder: Path) -> Kept:
    return {"ledger_path": folder / "l.sqlite", "ledger_commit_interval_s": 0.0}


async def desk(kept: Kept, clock: Clock, **told: float) -> OrderDesk:
    settings = CheckoutSettings.model_validate({**kept, **told})
    opened = OrderDesk(lambda: settings, clock, clock)
    await opened.open()
    return opened


async def ten_minutes(shop: OrderDesk, clock: Clock, round_: int) -> None:
    """Of a small shop: coupons, starts, and all but every eleventh confirmed."""
    await asyncio.gather(*(shop.keep_coupon(f"cart-{round_}-{n}") for n in range(50)))
    numbers = [shop.next_number() for _ in range(88)]
    await asyncio.gather(*(shop.start(n, "user", f"lock-{n}", {SKU: 1}, 8999) for n in numbers))
    paid = [await shop.checkout(f"chk-lt-{number:05d}") for number in numbers if number % 11]
    await asyncio.gather(*(shop.record(one, "pay", "req") for one in paid if one is not None))
    clock.now_s += 600
    await shop.sweep()


def test_48_hours_leave_nothing_but_orders(tmp_path: Path) -> None:
    """After half an hour no table but those of orders grows, and nothing is in memory."""
    clock = Clock()

    async def scenario() -> list[tuple[int, int]]:
        shop = await desk(in_file(tmp_path), clock)
        sizes = []
        for round_ in range(48 * 6):
            await ten_minutes(shop, clock, round_)
            assert shop.pending == await shop._ledger.pending()
            ((coupons,),) = await shop._ledger.store.read("SELECT count(*) FROM coupons")
            ((orders,),) = await shop._ledger.store.read("SELECT count(*) FROM orders")
            assert orders == 80 * (round_ + 1)
            sizes.append((coupons, shop.pending))
        assert not shop._turns
        assert not shop._stock.taken
        await shop.close()
        return sizes

    assert set(asyncio.run(scenario())[3:]) == {(3 * 50, 8)}


def test_a_coupon_is_remembered_as_long_as_a_cart(kept: Kept) -> None:
    """Half an hour, to the second."""
    clock = Clock()

    async def scenario() -> list[bool]:
        shop = await desk(kept, clock)
        await shop.keep_coupon("cart-1")
        clock.now_s += COUPON_TTL_S
        found = [await shop.has_coupon("cart-1")]
        clock.now_s += 1
        found.append(await shop.has_coupon("cart-1"))
        await shop.close()
        return found

    assert asyncio.run(scenario()) == [True, False]


def test_numbers_go_on_although_all_checkouts_are_forgotten(kept: Kept) -> None:
    """No id is given again by a later process, ordered or not."""
    clock = Clock()

    async def scenario() -> list[int]:
        numbers = []
        for _ in range(3):
            shop = await desk(kept, clock)
            numbers.append(shop.next_number())
            await shop.start(numbers[-1], "user", "lock", {SKU: 1}, 8999)
            clock.now_s += HOUR_S
            await shop.sweep()
            assert shop.pending == 0
            await shop.close()
        return numbers

    numbers = asyncio.run(scenario())
    assert numbers[0] == 1
    assert numbers == sorted({*numbers})


def test_what_is_being_confirmed_does_not_expire(kept: Kept) -> None:
    """Its stock is not given back under a sale: it is sold, and one is sold only."""
    clock = Clock()

    async def scenario() -> int:
        shop = await desk(kept, clock, stock_per_sku=1)
        shop.reserve({SKU: 1})
        await shop.start(1, "user", "lock", {SKU: 1}, 8999)
        async with shop.turn("chk-lt-00001"):
            checkout = await shop.checkout("chk-lt-00001")
            clock.now_s += HOUR_S
            await shop.sweep()
            assert checkout is not None
            await shop.record(checkout, "pay", "req")
        await shop.sweep()
        taken = shop._stock.taken[SKU]
        await shop.close()
        return taken

    assert asyncio.run(scenario()) == 1
