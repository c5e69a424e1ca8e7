"""payment-gateway and the checkout it asks; kill -9 under load."""

from __future__ import annotations

import itertools
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakes import Fake
from mock_process import Running, Start, wait_until

CHARGE = "/api/v2/payments/charge"
CHECKOUT = "/api/v2/checkout/chk-1"
OTHER = {"authorization": "Bearer lt-user-token-00002"}
SERVICE = {"authorization": "Bearer lt-svc-token-test"}
BODY = {"checkout_id": "chk-1", "payment_method": "card", "card_token": "tok_test_visa_4242"}
DECLINE = {**BODY, "card_token": "tok_test_decline_0002"}
QUICK = {"gateway_timeout_share": 0.0, "rate_limit_per_s": 0.0, "ledger_commit_interval_s": 0.001}
KILLS = (1, pytest.param(6, marks=pytest.mark.long))


def refusal(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake().serving() as serving:
        serving.quote("chk-1", 6749)
        yield serving


@pytest.fixture
def open_payment(start: Start, fake: Fake, tmp_path: Path) -> Callable[..., Running]:
    """open_payment(**settings): a gateway that asks `fake`; again: with the same ledger."""
    path = str(tmp_path / "payments.sqlite")

    def opened(**settings: Any) -> Running:
        return start(
            "payment", **{"checkout_url": fake.url, "ledger_path": path} | QUICK | settings
        )

    return opened


def test_the_amount_is_checkouts_total(open_payment: Callable[..., Running], fake: Fake) -> None:
    """Asked for with a service token and the request's own id and trace."""
    trace = f"00-{7:032x}-{7:016x}-01"
    response = open_payment().post(CHARGE, BODY, **{"X-Request-ID": "r-1", "traceparent": trace})
    assert response.json()["amount"] == "$67.49"
    ((method, path, headers),) = fake.asked
    assert (method, path) == ("GET", CHECKOUT)
    assert headers["Authorization"] == "Bearer lt-svc-token-payment"
    assert headers["X-Request-ID"] == "r-1"
    assert headers["traceparent"] == trace


def test_an_unknown_checkout_and_a_foreign_one_are_refused(
    open_payment: Callable[..., Running],
) -> None:
    """404 and 403; services may pay for anybody, and so may all where no token is needed."""
    payment = open_payment()
    unknown = {**BODY, "checkout_id": "a/../b?c#d%2F"}
    assert refusal(payment.post(CHARGE, unknown)) == (404, "CheckoutNotFound")
    assert refusal(payment.post(CHARGE, BODY, **OTHER)) == (403, "Forbidden")
    assert payment.post(CHARGE, DECLINE, **SERVICE).status_code == 402
    payment.configure(require_auth=False)
    assert payment.post(CHARGE, BODY, **OTHER).status_code == 200


def test_a_checkout_is_charged_once_unless_that_failed(
    open_payment: Callable[..., Running],
) -> None:
    """A declined one can be charged, a paid one not, whatever the key; a replay is no charge."""
    payment = open_payment()
    assert payment.post(CHARGE, DECLINE).status_code == 402
    paid = payment.post(CHARGE, BODY, **{"Idempotency-Key": "k-1"})
    again = payment.post(CHARGE, BODY, **{"Idempotency-Key": "k-2"})
    assert (paid.status_code, *refusal(again)) == (200, 409, "AlreadyPaid")
    assert again.json()["payment_id"] == paid.json()["payment_id"]
    assert payment.post(CHARGE, BODY, **{"Idempotency-Key": "k-1"}).content == paid.content


def test_of_two_charges_at_once_one_wins(open_payment: Callable[..., Running]) -> None:
    """With keys of their own; the other is told that one is in flight."""
    table = {"p50_ms": 300, "p95_ms": 300, "p99_ms": 300, "max_ms": 300}
    payment = open_payment(latency={"charge": table}, latency_scale=1.0)
    with ThreadPoolExecutor(2) as threads:
        answers = list(
            threads.map(lambda key: payment.post(CHARGE, BODY, **{"Idempotency-Key": key}), "ab")
        )
    lost = max(answers, key=lambda answer: answer.status_code)
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert refusal(lost) == (409, "ChargeInFlight")


def test_a_late_charge_holds_its_checkout(open_payment: Callable[..., Running]) -> None:
    """After a 504 a retry with a new key does not charge again: the customer pays once."""
    payment = open_payment(
        gateway_timeout_share=1.0, gateway_timeout_s=0.1, gateway_completes_s=0.5
    )
    assert payment.post(CHARGE, BODY, **{"Idempotency-Key": "k-1"}).status_code == 504
    payment.configure(gateway_timeout_share=0.0)
    assert refusal(payment.post(CHARGE, BODY)) == (409, "ChargeInFlight")
    wait_until(lambda: refusal(payment.post(CHARGE, BODY)) == (409, "AlreadyPaid"))
    assert payment.post(CHARGE, BODY, **{"Idempotency-Key": "k-1"}).status_code == 200


def test_the_switch_plants_the_double_charge(open_payment: Callable[..., Running]) -> None:
    """A retry with a new key charges again."""
    payment = open_payment(one_charge_per_checkout=False)
    ids = {payment.post(CHARGE, BODY).json()["payment_id"] for _ in range(2)}
    assert ids == {"pay-lt-00001", "pay-lt-00002"}


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ((500, {"error": "InternalError"}), "answered 500"),
        ((200, {"user_id": "lt-user-00001"}), "cannot be read"),
        ((200, {"user_id": "lt-user-00001", "total_cents": 2**63}), "cannot be read"),
        ((0, b""), "broke off the connection"),
    ],
)
def test_a_checkout_that_cannot_be_asked_is_503(
    open_payment: Callable[..., Running], fake: Fake, answer: tuple[int, Any], problem: str
) -> None:
    """Nothing is charged, and the key is free: it charges when checkout is back."""
    payment = open_payment(ask_retry_backoff_s=0.0)
    fake.scripts[CHECKOUT] = lambda _: answer
    response = payment.post(CHARGE, BODY, **{"Idempotency-Key": "k-1"})
    assert refusal(response) == (503, "CheckoutUnavailable")
    assert problem in response.json()["message"]
    fake.scripts.clear()
    assert payment.post(CHARGE, BODY, **{"Idempotency-Key": "k-1"}).status_code == 200


def test_a_payment_is_told_to_services_only(open_payment: Callable[..., Running]) -> None:
    """What confirm wants to know; 404 for one there is not, 403 for users."""
    payment = open_payment()
    payment_id = payment.post(CHARGE, BODY).json()["payment_id"]
    path = f"/api/v2/payments/{payment_id}"
    told = payment.get(path, **SERVICE)
    assert told.json() == {
        "payment_id": payment_id,
        "checkout_id": "chk-1",
        "status": "succeeded",
        "amount_cents": 6749,
    }
    assert float(told.headers["x-modelled-time"]) < 1
    assert refusal(payment.get(path)) == (403, "Forbidden")
    none = payment.get("/api/v2/payments/pay-lt-99999", **SERVICE)
    assert refusal(none) == (404, "PaymentNotFound")


class Shopper:
    """Pays for one checkout after the other, and asks again with the same key until it is told."""

    def __init__(self, number: int, gateway: Callable[[], Running], fake: Fake) -> None:
        self.answers: dict[str, dict[str, Any]] = {}
        self._number = number
        self._gateway = gateway
        self._fake = fake

    def shop(self, closing_time: threading.Event) -> None:
        for purchase in itertools.count():
            if closing_time.is_set():
                return
            checkout_id = f"chk-{self._number}-{purchase}"
            self._fake.quote(checkout_id, 1000 + purchase)
            self.answers[checkout_id] = wait_until(lambda at=checkout_id: self.pay(at), 60.0)

    def pay(self, checkout_id: str) -> dict[str, Any] | None:
        """The answer; None while there is none, or an earlier request is under way."""
        body = {**BODY, "checkout_id": checkout_id}
        headers = {"Idempotency-Key": f"key-of-{checkout_id}"}
        try:
            response = self._gateway().post(CHARGE, body, **headers)
        except httpx.HTTPError:
            return None
        if response.status_code == 409:
            assert response.json()["error"] == "IdempotencyKeyInUse", response.text
            return None
        assert response.status_code == 200, response.text
        return dict(response.json())


@pytest.mark.parametrize("kills", KILLS)
@pytest.mark.parametrize("connected", [True, False])
def test_kills_under_load_charge_nobody_twice(
    open_payment: Callable[..., Running], fake: Fake, tmp_path: Path, connected: bool, kills: int
) -> None:
    """Retrying clients: one payment per checkout, the one they were told of; no id twice, and
    every key answers after the last restart as it did before."""
    running = [open_payment(check_checkout=connected)]
    shoppers = [Shopper(number, lambda: running[-1], fake) for number in range(8)]
    closing_time = threading.Event()
    with ThreadPoolExecutor(len(shoppers)) as threads:
        shopping = [threads.submit(shopper.shop, closing_time) for shopper in shoppers]
        for _ in range(kills):
            told = sum(len(shopper.answers) for shopper in shoppers)
            wait_until(lambda n=told: sum(len(s.answers) for s in shoppers) >= n + 40, 60.0)
            running[-1].process.kill()
            running.append(open_payment(check_checkout=connected))
        closing_time.set()
        for one in shopping:
            one.result()
    told = {k: answer for shopper in shoppers for k, answer in shopper.answers.items()}
    with closing(sqlite3.connect(tmp_path / "payments.sqlite")) as ledger:
        rows = ledger.execute("SELECT checkout_id, payment_id, status FROM payments").fetchall()
    assert all(status == "succeeded" for *_, status in rows)
    assert sorted(rows) == sorted((k, a["payment_id"], "succeeded") for k, a in told.items())
    assert len({payment_id for _, payment_id, _ in rows}) == len(rows)
    assert {checkout_id: shoppers[0].pay(checkout_id) for checkout_id in told} == told
