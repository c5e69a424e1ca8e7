"""locustfiles/retries.py: who asks again, when, and as whom."""

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from loadgate_scenario import Request
from locustfiles.client import Answer
from locustfiles.outcomes import classify
from locustfiles.retries import LONGEST_WAIT_S, asked_again, retry_wait_s
from locustfiles.steps import SCENARIO

steps = SimpleNamespace(**{step.name: step for step in SCENARIO.steps})
PROFILE = """
name = "retries"
[load]
phases = [{{ name = "p", duration = "1s", users = 1, measured = true }}]
[journey]
think = {{ min = "0s", max = "0s" }}
retries = 2
retry_key = "{key}"
retry_backoff = "1s"
decline_share = 0
funnel = {{ detail = 1, add_to_cart = 1, start_checkout = 1, charge = 1 }}
"""
JOURNEY = """
import json, sys
from locust.env import Environment
from locustfiles import listeners
from locustfiles.checkout_flow import CheckoutUser
from locustfiles.client import Answer
script = json.loads(sys.argv[1])
asked, given_up = [], []
def answer(user, step, what, headers, context):
    request = what.request
    asked.append((step.name, request.headers.get("Idempotency-Key")))
    told = script.get(step.name, [])
    status = told.pop(0) if told else step.status
    good = {"products": [1], "id": request.sent.get("id"), "checkout_id": "c", "payment_id": "p"}
    good |= {"status": "succeeded"} if step.name == "charge" else {}
    body = json.dumps({**(request.body or {}), **good, "order_id": "o"}).encode()
    error = None if status else ConnectionResetError("reset")
    return Answer(status, body if status in (200, 201) else b"", b"", error, 0.0, 1.0)
CheckoutUser._exchange = answer
listeners.base_url = lambda user, service, arm: "http://127.0.0.1:1"
listeners.give_up = lambda context, body: given_up.append(dict(body))
user = CheckoutUser(Environment(user_classes=[CheckoutUser]))
user._pause = lambda seconds: None
user.on_start()
user.journey()
print(json.dumps([asked, given_up]))
"""


def journey(folder: Path, script: dict[str, list[int]], key: str = "same") -> Any:
    """What a user asked, with which key, and what it gave up, whose shop answers by a script."""
    profile = folder / "retries.toml"
    profile.write_text(PROFILE.format(key=key))
    command = [sys.executable, "-c", f"import locust\n{JOURNEY}", json.dumps(script)]
    environment = {**os.environ, "LOADGATE_PROFILE": str(profile)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def answer(status: int, head: bytes = b"") -> Answer:
    return Answer(status, b"", head, None, 0.0, 1.0)


@pytest.mark.parametrize(("key", "keys"), [("same", 1), ("new", 3)])
def test_a_charge_is_asked_for_again_by_the_key_that_the_profile_says(
    tmp_path: Path, key: str, keys: int
) -> None:
    """No answer, then a 500, then good: three charges of one checkout, and then its order."""
    asked, given_up = journey(tmp_path, {"charge": [0, 500]}, key)
    charges = [key for step, key in asked if step == "charge"]
    assert len(charges) == 3
    assert len(set(charges)) == keys
    assert asked[-1][0] == "confirm"
    assert not given_up


def test_an_order_that_a_retry_hears_of_is_confirmed(tmp_path: Path) -> None:
    """201 got lost, and the shop says 200 to who asks again."""
    asked, given_up = journey(tmp_path, {"confirm": [0, 200]})
    assert [step for step, _ in asked].count("confirm") == 2
    assert not given_up


def test_who_gives_up_leaves_what_it_asked_to_confirm(tmp_path: Path) -> None:
    """After two retries; an error that does not pass is not asked for again."""
    asked, given_up = journey(tmp_path, {"confirm": [500, 503, 0, 201]})
    assert [step for step, _ in asked].count("confirm") == 3
    assert given_up == [{"checkout_id": "c", "payment_id": "p"}]
    asked, given_up = journey(tmp_path, {"confirm": [404, 201]})
    assert [step for step, _ in asked].count("confirm") == 1
    assert len(given_up) == 1


def test_200_confirms_only_what_was_asked_before() -> None:
    """An order that the first request already finds is not this user's doing."""
    body = {"order_id": "o"}
    assert classify(steps.confirm, 200, body, {}, decline_card=False) == "unexpected_status 200"
    assert classify(steps.confirm, 200, body, {}, decline_card=False, again=True) == "ok"
    assert classify(steps.charge, 201, {}, {}, decline_card=False, again=True) != "ok"


@pytest.mark.parametrize(("status", "asks"), [
    (0, True), (409, True), (429, True), (500, True), (503, True), (504, True),
    (200, False), (400, False), (402, False), (403, False), (404, False),
])  # fmt: skip
def test_only_what_may_pass_is_asked_for_again(status: int, asks: bool) -> None:
    """What the request itself is wrong about stays wrong."""
    wait_s = retry_wait_s(1, 0.5, answer(status), 1, Random(1))
    assert (wait_s is not None) is asks


def test_without_retries_nothing_is_asked_for_again() -> None:
    """As ever, and the default."""
    assert retry_wait_s(0, 0.5, answer(500), 1, Random(1)) is None


@pytest.mark.parametrize(("asked", "bound_s"), [(1, 0.5), (2, 1.0), (4, 4.0), (10, LONGEST_WAIT_S)])
def test_waits_are_drawn_below_a_bound_that_doubles(asked: int, bound_s: float) -> None:
    """Evenly: half of it on average, and near both ends at times."""
    draw = Random(3)
    waits = [retry_wait_s(10, 0.5, answer(500), asked, draw) or 0.0 for _ in range(2000)]
    assert 0 <= min(waits) < 0.01 * bound_s
    assert 0.99 * bound_s < max(waits) <= bound_s
    assert sum(waits) / len(waits) == pytest.approx(bound_s / 2, rel=0.05)


@pytest.mark.parametrize(
    ("said", "least_s"),
    [("7", 7.0), ("0", 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0), ("-1", 0.0), ("31", None)],
)
def test_who_is_told_when_to_come_back_does_not_come_before(
    said: str, least_s: float | None
) -> None:
    """Seconds only; whoever is told to wait for longer than half a minute gives up."""
    head = f"HTTP/1.1 429 Too Many Requests\r\nRetry-After: {said}\r\n\r\n".encode()
    wait_s = retry_wait_s(1, 0.5, answer(429, head), 1, Random(1))
    if least_s is None:
        assert wait_s is None
    else:
        assert wait_s is not None
        assert least_s <= wait_s <= least_s + 0.5


def test_a_request_stays_the_same_unless_it_says_what_comes_in_its_place() -> None:
    """Another key, for example."""
    request = Request(body={"cart_id": "c"})
    assert asked_again(request) is request
    again = request._replace(again=lambda first: first._replace(path="/again"))
    assert asked_again(again).path == "/again"
