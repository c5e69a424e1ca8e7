"""benchmarks/figures/traffic.py: requests that a mock accepts, in the right proportions."""

import itertools
import json
from collections import Counter

import pytest

from benchmarks.figures.appendix_a import PEAK_RATES
from benchmarks.figures.traffic import CHECKOUT_STEPS, PLANS, CheckoutPlan, LockPlan, Request


@pytest.mark.parametrize("name", list(PLANS))
def test_a_body_is_as_long_as_its_header_says(name: str) -> None:
    """Or the next request on the connection would be read out of step."""
    plan = PLANS[name]("127.0.0.1:1")
    for request in itertools.islice(iter(plan.next, None), 50):
        head, _, body = request.data.partition(b"\r\n\r\n")
        length = next((x for x in head.split(b"\r\n") if x.startswith(b"Content-Length")), b": 0")
        assert len(body) == int(length.split(b":")[1])


def test_a_confirm_uses_each_started_checkout_once() -> None:
    """No confirm before a start was answered, and none twice."""
    plan = CheckoutPlan("127.0.0.1:1")
    confirmed: list[str] = []
    for number in range(2000):
        request = plan.next()
        if request.kind == "start_checkout":
            body = json.dumps({"checkout_id": f"chk-{number}"}).encode()
            plan.learn(request, 200, body)
        elif request.kind == "confirm":
            confirmed.append(json.loads(request.data.partition(b"\r\n\r\n")[2])["checkout_id"])
    assert confirmed
    assert len(set(confirmed)) == len(confirmed)


def test_checkouts_mix_is_appendix_as() -> None:
    """Within 10 % over 20,000 requests, when every start is answered at once."""
    plan = CheckoutPlan("127.0.0.1:1")
    kinds: Counter[str] = Counter()
    for number in range(20_000):
        request = plan.next()
        kinds[request.kind] += 1
        plan.learn(request, 200, json.dumps({"checkout_id": f"chk-{number}"}).encode())
    total = sum(PEAK_RATES[step] for step in CHECKOUT_STEPS)
    for step in CHECKOUT_STEPS:
        assert kinds[step] / 20_000 == pytest.approx(PEAK_RATES[step] / total, rel=0.1)


def test_a_failed_acquire_is_not_released() -> None:
    """Only locks that were given come back."""
    plan = LockPlan("127.0.0.1:1")
    plan.learn(Request("acquire", b""), 503, b"{}")
    assert plan.next().kind == "acquire"
