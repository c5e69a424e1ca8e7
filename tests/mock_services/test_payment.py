"""payment-gateway."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from mock_process import ANY_CHARGE, Running, Start, Tune, wait_until

from mock_services.kit import money

CHARGE = "/api/v2/payments/charge"
GOOD = {
    "checkout_id": "chk-lt-00001",
    "payment_method": "card",
    "card_token": "tok_test_visa_4242",
}
QUIET: dict[str, Any] = {"gateway_timeout_share": 0.0, **ANY_CHARGE}


SERVICE = {"authorization": "Bearer lt-svc-token-test"}


def refusal(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


def constant(ms: float) -> dict[str, Any]:
    table = {"p50_ms": ms, "p95_ms": ms, "p99_ms": ms, "max_ms": ms}
    return {"latency": {"charge": table}, "latency_scale": 1.0}


def test_a_good_card_is_charged_what_checkout_quoted(start: Start) -> None:
    """The body of Appendix B, with the amount both services compute from the checkout id."""
    payment = start("payment", **QUIET)
    assert payment.post(CHARGE, GOOD).json() == {
        "payment_id": "pay-lt-00001",
        "status": "succeeded",
        "amount": "$89.99",
        "card_last_four": "4242",
    }
    other = payment.post(CHARGE, {**GOOD, "checkout_id": "chk-lt-00777"}).json()
    assert other["amount"] == money.dollars(money.checkout_total_cents("chk-lt-00777"))
    assert other["payment_id"] == "pay-lt-00002"


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ({"card_token": "tok_test_decline_0002"}, "generic_decline"),
        ({"card_token": "tok_test_insufficient_9995"}, "insufficient_funds"),
        ({"card_token": None, "card_number": "4000000000000002"}, "generic_decline"),
        ({"card_token": None, "card_number": "4000000000009995"}, "insufficient_funds"),
    ],
)
def test_decline_cards_decline(
    shared: dict[str, Running], card: dict[str, str | None], code: str
) -> None:
    """402 CardDeclined with the decline code, by token and by number."""
    response = shared["payment"].post(CHARGE, {**GOOD, **card})
    body = response.json()
    assert (response.status_code, body["error"]) == (402, "CardDeclined")
    assert body["decline_code"] == code
    assert body["message"]


def test_the_card_number_charges_too(shared: dict[str, Running]) -> None:
    """4242 4242 4242 4242 by number."""
    body = {**GOOD, "card_token": None, "card_number": "4242424242424242"}
    assert shared["payment"].post(CHARGE, body).json()["card_last_four"] == "4242"


def test_extra_declines_are_dealt_exactly(tune: Tune) -> None:
    """Of 100 good cards 10 % are declined, and 5 % of the rest have insufficient funds."""
    payment = tune("payment", decline_share=0.1, insufficient_funds_share=0.05, **QUIET)
    codes = [payment.post(CHARGE, GOOD).json().get("decline_code") for _ in range(100)]
    assert codes.count("generic_decline") == 10
    assert codes.count("insufficient_funds") == 5


def test_the_rate_limit_answers_429_with_its_headers(tune: Tune) -> None:
    """One per second: the second is refused with Retry-After; all answers carry X-RateLimit-*."""
    payment = tune("payment", rate_limit_per_s=1, **QUIET)
    before = payment.metric("http_requests_total", endpoint="charge", status="429")
    first, second = payment.post(CHARGE, GOOD), payment.post(CHARGE, GOOD)
    assert (first.status_code, second.status_code) == (200, 429)
    assert second.json()["error"] == "RateLimited"
    assert second.headers["retry-after"] == "1"
    for response in (first, second):
        assert response.headers["x-ratelimit-limit"] == "1"
        assert response.headers["x-ratelimit-remaining"] == "0"
        assert response.headers["x-ratelimit-reset"] == "1"
    assert payment.metric("http_requests_total", endpoint="charge", status="429") == before + 1


def test_invalid_charges_carry_the_limit_headers_too(tune: Tune) -> None:
    """They count against the limit as any other."""
    payment = tune("payment", rate_limit_per_s=100, **QUIET)
    response = payment.post(CHARGE, {})
    assert response.status_code == 400
    assert response.headers["x-ratelimit-remaining"] == "99"


def test_no_rate_limit_no_headers(shared: dict[str, Running]) -> None:
    """rate_limit_per_s = 0 switches it off."""
    assert "x-ratelimit-limit" not in shared["payment"].post(CHARGE, GOOD).headers


def test_only_charges_count_against_the_limit(tune: Tune) -> None:
    """What else is asked, and who may not ask, say what is left or nothing, and leave it there."""
    payment = tune("payment", rate_limit_per_s=1, **QUIET)
    left = [
        payment.get("/api/v2/payments/pay-none", **SERVICE),
        payment.get("/api/v2/nowhere"),
        payment.client.put(CHARGE),
    ]
    assert [answer.status_code for answer in left] == [404, 404, 405]
    assert [answer.headers["x-ratelimit-remaining"] for answer in left] == ["1", "1", "1"]
    assert payment.post(CHARGE, GOOD, Authorization="").status_code == 401
    assert payment.post(CHARGE, GOOD).status_code == 200


def test_a_charge_goes_on_after_its_504(tune: Tune, until: Callable[..., Any]) -> None:
    """Its key is in flight until the charge has ended, and then answers with what it came to."""
    payment = tune(
        "payment",
        **ANY_CHARGE,
        gateway_timeout_share=1.0,
        gateway_timeout_s=0.3,
        gateway_completes_s=0.5,
    )
    key = {"Idempotency-Key": "late"}
    late = payment.post(CHARGE, GOOD, **key)
    assert (late.status_code, late.json()["error"]) == (504, "GatewayTimeout")
    assert 300 <= int(late.headers["x-response-time"].removesuffix("ms")) < 1500
    assert refusal(payment.post(CHARGE, GOOD, **key)) == (409, "IdempotencyKeyInUse")
    until(lambda: payment.post(CHARGE, GOOD, **key).status_code != 409)
    ended = payment.post(CHARGE, GOOD, **key)
    assert (ended.status_code, ended.headers["idempotent-replayed"]) == (200, "true")
    assert payment.get(f"/api/v2/payments/{ended.json()['payment_id']}", **SERVICE).json() == {
        "payment_id": ended.json()["payment_id"],
        "checkout_id": "chk-lt-00001",
        "status": "succeeded",
        "amount_cents": 8999,
    }


def test_an_injected_500_is_replayed(tune: Tune) -> None:
    """As every answer of a charge that has started; nothing is charged."""
    payment = tune("payment", error_share=1.0, **QUIET)
    key = {"Idempotency-Key": "failed"}
    first = payment.post(CHARGE, GOOD, **key)
    payment.configure(error_share=0.0)
    again = payment.post(CHARGE, GOOD, **key)
    assert first.status_code == again.status_code == 500
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    assert payment.post(CHARGE, GOOD, **{"Idempotency-Key": "failed-2"}).status_code == 200


def test_what_did_not_start_is_not_kept(tune: Tune) -> None:
    """400, 429 and the pool's 503: the same key charges later."""
    payment = tune("payment", rate_limit_per_s=1, **QUIET)
    key = {"Idempotency-Key": "not-started"}
    assert payment.post(CHARGE, {**GOOD, "card_token": "x"}, **key).status_code == 400
    assert payment.post(CHARGE, GOOD, **key).status_code == 429
    payment.configure(rate_limit_per_s=0, pool_max=1, pool_wait_timeout_s=0.05, **constant(400))
    with ThreadPoolExecutor(1) as threads:
        holder = threads.submit(payment.post, CHARGE, GOOD)
        wait_until(lambda: payment.metric("connection_pool_active", pool="processor") == 1)
        assert payment.post(CHARGE, GOOD, **key).status_code == 503
        assert holder.result().status_code == 200
    charged = payment.post(CHARGE, GOOD, **key)
    assert charged.status_code == 200
    assert "idempotent-replayed" not in charged.headers


def test_a_key_is_its_callers_own(shared: dict[str, Running]) -> None:
    """Another user with the same key and body is charged, and not told of the first's payment."""
    key = {"Idempotency-Key": "shared-key"}
    mine = shared["payment"].post(CHARGE, GOOD, **key).json()
    other = shared["payment"].post(CHARGE, GOOD, Authorization="Bearer lt-user-token-2", **key)
    assert other.json()["payment_id"] != mine["payment_id"]


def test_fewer_keys_and_a_shorter_life_take_effect_at_once(tune: Tune) -> None:
    """Of three keys the last is in force when there may be one, and none when they have expired."""

    def replayed(number: int) -> bool:
        answer = payment.post(CHARGE, GOOD, **{"Idempotency-Key": f"bounded-{number}"})
        return "idempotent-replayed" in answer.headers

    payment = tune("payment", **QUIET)
    assert [replayed(number) for number in (1, 2, 3)] == [False] * 3
    payment.configure(idempotency_keys_max=1)
    assert (replayed(3), replayed(2), replayed(3)) == (True, False, False)
    payment.configure(idempotency_keys_max=10, idempotency_key_ttl_s=0.001)
    assert not replayed(3)


def test_same_key_same_body_same_answer(shared: dict[str, Running]) -> None:
    """A replay has the same status and bytes and says so; declines are replayed too."""
    for number, token in enumerate(("tok_test_visa_4242", "tok_test_decline_0002")):
        body = {**GOOD, "card_token": token}
        key = {"Idempotency-Key": f"replay-{number}"}
        first = shared["payment"].post(CHARGE, body, **key)
        again = shared["payment"].post(CHARGE, dict(reversed(body.items())), **key)
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["idempotent-replayed"] == "true"
        assert "idempotent-replayed" not in first.headers


def test_same_key_other_body_is_400(shared: dict[str, Running]) -> None:
    """IdempotencyKeyReused, and nothing is charged."""
    key = {"Idempotency-Key": "reused"}
    shared["payment"].post(CHARGE, GOOD, **key)
    response = shared["payment"].post(CHARGE, {**GOOD, "checkout_id": "chk-lt-00002"}, **key)
    assert refusal(response) == (400, "IdempotencyKeyReused")


def test_an_overlong_key_is_400(shared: dict[str, Running]) -> None:
    """Keys have 1 to 255 characters."""
    response = shared["payment"].post(CHARGE, GOOD, **{"Idempotency-Key": "k" * 256})
    assert response.status_code == 400
    assert response.json()["message"] == "Idempotency-Key: 1 to 255 characters"


def test_concurrent_requests_with_one_key_charge_once(tune: Tune) -> None:
    """Five at once: one payment, and four are told that it is in flight."""
    payment = tune("payment", **QUIET, **constant(200))
    key = {"Idempotency-Key": "at-once"}

    with ThreadPoolExecutor(5) as threads:
        answers = list(threads.map(lambda _: payment.post(CHARGE, GOOD, **key), range(5)))
    charged = [answer for answer in answers if answer.status_code == 200]
    assert len(charged) == 1
    refusals = {refusal(answer) for answer in answers if answer.status_code != 200}
    assert refusals == {(409, "IdempotencyKeyInUse")}
    assert payment.post(CHARGE, GOOD, **key).content == charged[0].content
    number = money.trailing_number(charged[0].json()["payment_id"])
    following = payment.post(CHARGE, GOOD).json()["payment_id"]
    assert money.trailing_number(following) == number + 1


def test_the_pool_towards_the_processor_runs_out(tune: Tune) -> None:
    """One connection, two charges at once: one waits in vain and gets 503 and an event."""
    payment = tune("payment", pool_max=1, pool_wait_timeout_s=0.1, **QUIET, **constant(500))
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda _: payment.post(CHARGE, GOOD), range(2)))
    refused = max(answers, key=lambda answer: answer.status_code)
    assert sorted(answer.status_code for answer in answers) == [200, 503]
    assert refused.json()["error"] == "ConnectionPoolExhausted"
    assert payment.events("pool_exhausted")[-1]["pool"] == "processor"
