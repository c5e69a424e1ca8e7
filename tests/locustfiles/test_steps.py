"""locustfiles/steps.py: the journey as the shop's tables have it, and what an arm does not have."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from locustfiles.steps import SCENARIO
from mock_services.table import SERVICES
from recording.flow import FLOW
from recording.flow import STEPS as IN_REPORTS

PROFILE = """
name = "all"
[load]
phases = [{ name = "p", duration = "1s", users = 1, measured = true }]
[journey]
think = { min = "0s", max = "0s" }
decline_share = 0
[journey.funnel]
detail = 1
add_to_cart = 1
apply_coupon = 1
start_checkout = 1
charge = 1
"""
JOURNEY = """
import json, sys
from locust.env import Environment
from locustfiles import listeners
from locustfiles.checkout_flow import CheckoutUser
from locustfiles.client import Answer
absent = sys.argv[1:]
listeners.base_url = lambda user, service, arm: "" if service in absent else "http://127.0.0.1:1"
asked = []
def answer(user, step, what, headers, context):
    request = what.request
    asked.append((step.name, dict(request.body or {})))
    good = {"products": [1], "id": request.sent.get("id"), "checkout_id": "c", "payment_id": "p"}
    good |= {"status": "succeeded"} if step.name == "charge" else {}
    body = json.dumps({**(request.body or {}), **good, "order_id": "o"}).encode()
    return Answer(step.status, body, b"", None, 0.0, 1.0)
CheckoutUser._exchange = answer
user = CheckoutUser(Environment(user_classes=[CheckoutUser]))
paused = []
user._pause = paused.append
user.on_start()
user.journey()
assert len(paused) > 1, "it would spin"
print(json.dumps(asked))
"""


def journey(folder: Path, *absent: str) -> list[tuple[str, dict[str, str]]]:
    """The requests of a user who takes every step, where these services are not there."""
    profile = folder / "all.toml"
    profile.write_text(PROFILE)
    done = subprocess.run(
        [sys.executable, "-c", f"import locust\n{JOURNEY}", *absent], capture_output=True,
        text=True, check=False, env={**os.environ, "LOADGATE_PROFILE": str(profile)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [(name, body) for name, body in json.loads(done.stdout)]


def test_a_journey_takes_every_step_in_order_with_what_the_earlier_ones_said(
    tmp_path: Path,
) -> None:
    """The ids that one answer gives are what the next request asks with."""
    asked = journey(tmp_path)
    assert [name for name, _ in asked] == list(IN_REPORTS)
    assert asked[-1] == ("confirm", {"checkout_id": "c", "payment_id": "p"})


@pytest.mark.parametrize(
    ("absent", "left_out"),
    [
        ("cart", {"add_to_cart"}),
        ("payment", {"charge", "confirm"}),
        ("checkout", {*IN_REPORTS}),
    ],
)
def test_a_service_that_is_not_there_is_left_out(
    tmp_path: Path, absent: str, left_out: set[str]
) -> None:
    """Its steps, and those that need what it would have said; the others go on."""
    assert {name for name, _ in journey(tmp_path, absent)} == {*IN_REPORTS} - left_out


def test_steps_services_and_reports_tell_of_the_same() -> None:
    """Who asks, who answers and who reports have a table each, with one content."""
    asked = {step.name: SERVICES[step.service].subject for step in SCENARIO.steps}
    assert tuple(asked) == IN_REPORTS
    assert list(FLOW.subjects) == [mock.subject for mock in SERVICES.values()]
    for mock in SERVICES.values():
        steps = {name for name, subject in asked.items() if subject == mock.subject}
        assert steps == set(FLOW.steps_of(mock.subject))
        assert steps <= set(mock.settings.DEFAULT_LATENCY)
