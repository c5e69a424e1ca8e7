"""Payments and idempotency keys of record."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from mock_services.payment.bodies import ChargeRequest
from mock_services.payment.charges import Charge, UnderWay
from mock_services.payment.payments import PRUNE_EVERY, Key, Payment, Payments

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


class Clock:
    now_s = 1e9

    def __call__(self) -> float:
        return self.now_s


def opened(path: Path, clock: Clock, keys_max: int = 1_000_000) -> Payments:
    payments = Payments(path, 0.0, clock)
    payments.keys_max, payments.key_ttl_s = keys_max, DAY_S
    payments.open()
    return payments


async def charge(payments: Payments, number: int, status: str = "succeeded") -> Payment:
    payment = Payment(payments.new_id(), f"chk-{number}", status, 8999, 1.5, f"req-{number}")
    await payments.record(payment, Key(f"key-{number}", f"body-{number}"), "4242")
    return payment


def count(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as ledger:
        return int(ledger.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_a_payment_comes_back_as_it_was(tmp_path: Path) -> None:
    """By its id, its checkout and its key, before and after the file is opened again."""
    path, clock = tmp_path / "p.sqlite", Clock()

    async def scenario() -> None:
        payments = opened(path, clock)
        made = [await charge(payments, 1), await charge(payments, 2, "generic_decline")]
        for _ in range(2):
            assert [payments.find(one.payment_id) for one in made] == made
            assert (payments.paid("chk-1"), payments.paid("chk-2")) == ("pay-lt-00001", None)
            kept = payments.kept("key-2")
            assert kept is not None
            assert (kept.request, kept.card_last_four, kept.payment) == ("body-2", "4242", made[1])
            assert payments.kept("key-3") is None
            payments.close()
            payments = opened(path, clock)
        assert payments.new_id() == "pay-lt-00003"
        payments.close()

    asyncio.run(scenario())


def test_amounts_and_ids_of_any_size_come_back(tmp_path: Path) -> None:
    """The largest amount, and letters beyond ASCII."""

    async def scenario() -> None:
        payments = opened(tmp_path / "p.sqlite", Clock())
        big = Payment(payments.new_id(), "chk-é€'\"", "succeeded", 2**63 - 1, 0.1, 'r"1')
        await payments.record(big, None, "4242")
        assert payments.find(big.payment_id) == big
        payments.close()

    asyncio.run(scenario())


def test_what_is_queued_is_committed_at_the_end(tmp_path: Path) -> None:
    """close() while a charge waits for its group: the row is there, and the charge is told."""
    path = tmp_path / "p.sqlite"

    async def scenario() -> None:
        payments = opened(path, Clock())
        task = asyncio.create_task(charge(payments, 1))
        await asyncio.sleep(0)
        payments.close()
        await task

    asyncio.run(scenario())
    assert count(path, "payments") == 1


def test_two_days_of_keys_are_one_day_of_keys(tmp_path: Path) -> None:
    """48 hours in virtual time, 180 charges an hour: each key is in force for 24 hours, none is
    found later, and the table holds a day of them and those since it was last pruned."""
    path, clock = tmp_path / "p.sqlite", Clock()
    per_hour = 180

    async def scenario() -> list[int]:
        payments, held = opened(path, clock), []
        for hour in range(48):
            first = hour * per_hour
            await asyncio.gather(*(charge(payments, first + n) for n in range(per_hour)))
            clock.now_s += HOUR_S
            oldest = max(0, (hour + 2 - 24) * per_hour)
            assert payments.kept(f"key-{oldest}") is not None
            assert oldest == 0 or payments.kept(f"key-{oldest - 1}") is None
            held.append(count(path, "idempotency_keys"))
        payments.close()
        return held

    held = asyncio.run(scenario())
    assert max(held) <= 24 * per_hour + 2 * PRUNE_EVERY
    assert count(path, "payments") == 48 * per_hour


def test_the_table_of_keys_is_bounded_by_their_number_too(tmp_path: Path) -> None:
    """Lowered from 1,000 to 10: the next charges bring the table down to that."""
    path = tmp_path / "p.sqlite"

    async def scenario() -> None:
        payments = opened(path, Clock(), keys_max=1000)
        await asyncio.gather(*(charge(payments, n) for n in range(500)))
        payments.keys_max = 10
        assert payments.kept("key-489") is None
        assert payments.kept("key-490") is not None
        for n in range(500, 1000):
            await charge(payments, n)
        payments.close()

    asyncio.run(scenario())
    assert count(path, "idempotency_keys") <= 10 + PRUNE_EVERY


def test_charges_under_way_leave_nothing_behind() -> None:
    """Neither key nor checkout."""
    under_way = UnderWay()
    body = ChargeRequest(checkout_id="c", payment_method="card", card_token="tok_test_visa_4242")
    one = Charge(body, "r-1", Key("k", "b"))
    under_way.begin(one)
    under_way.hold_checkout(one)
    assert (under_way.request_of("k"), under_way.is_charged("c")) == ("b", True)
    under_way.end(one)
    assert (under_way.request_of("k"), under_way.is_charged("c")) == (None, False)
