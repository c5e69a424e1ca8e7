"""locustfiles/shares.py: who goes on, by chance or dealt."""

import json
import os
import random
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from locustfiles.shares import Shares

PROFILE = """
[load]
model = "arrivals"
phases = [{ name = "p", duration = "1s", arrivals_per_s = 1, measured = true }]
[journey]
decline_share = 0.05
shares = "dealt"
funnel = { detail = 1, add_to_cart = 1, apply_coupon = 0.3, start_checkout = 1, charge = 0.9091 }
"""
JOURNEYS = """
import json, locust
from collections import Counter
from locust.env import Environment
from locustfiles import checkout_flow, listeners
from locustfiles.client import Answer
listeners.base_url = lambda user, service, arm: "http://127.0.0.1:1"
taken = Counter()
cards = []
def answer(user, step, what, headers, context):
    request = what.request
    taken[step.name] += 1
    cards.extend([request.declines] if step.name == "charge" else [])
    if request.declines:
        return Answer(402, b'{"error": "card_declined"}', b"", None, 0.0, 1.0)
    good = {"products": [1], "id": request.sent.get("id"), "checkout_id": "c", "payment_id": "p"}
    good |= {"status": "succeeded"} if step.name == "charge" else {}
    body = json.dumps({**(request.body or {}), **good, "order_id": "o"}).encode()
    return Answer(step.status, body, b"", None, 0.0, 1.0)
user_class = checkout_flow.CheckoutUser
user_class._exchange, user_class._wait_for_arrival = answer, lambda user: None
user_class._pause = lambda user, seconds: None
users = [user_class(Environment(user_classes=[user_class])) for _ in range(7)]
for user in users:
    user.on_start()
for number in range(220):
    users[number % 7].journey()
print(json.dumps({**taken, "declined": sum(cards)}))
"""


def test_dealt_the_count_is_exact_at_any_moment() -> None:
    """Every eleventh is abandoned, of any 88 eight, whatever the random numbers."""
    shares, chance = Shares(dealt=True), random.Random(1)
    on = [shares.hit("charge", 80 / 88, chance) for _ in range(880)]
    left = [number for number, goes_on in enumerate(on) if not goes_on]
    assert len(left) == 80
    assert {later - earlier for earlier, later in pairwise(left)} == {11}


def test_each_question_is_dealt_by_itself() -> None:
    """Coupons do not decide who pays."""
    shares, chance = Shares(dealt=True), random.Random(1)
    answers = [(shares.hit("a", 0.5, chance), shares.hit("b", 0.25, chance)) for _ in range(8)]
    assert [sum(one) for one in zip(*answers, strict=True)] == [4, 2]


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_drawn_it_takes_one_random_number_each(share: float) -> None:
    """As a seed has always made them."""
    same, chance = random.Random(7), random.Random(7)
    shares = Shares(dealt=False)
    drawn = [shares.hit("x", share, chance) for _ in range(100)]
    assert drawn == [same.random() < share for _ in range(100)]


def test_all_users_of_a_process_share_the_deal(tmp_path: Path) -> None:
    """220 journeys of seven users: exactly 66 coupons, 200 charges, ten of them declined."""
    profile = tmp_path / "dealt.toml"
    profile.write_text(PROFILE)
    done = subprocess.run(
        [sys.executable, "-c", JOURNEYS], capture_output=True, text=True, check=False,
        env={**os.environ, "LOADGATE_PROFILE": str(profile)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    taken = json.loads(done.stdout)
    told = [taken[name] for name in ("apply_coupon", "start_checkout", "charge", "confirm")]
    assert (told, taken["declined"]) == ([66, 220, 200, 190], 10)
