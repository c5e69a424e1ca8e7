"""What may be called enough: only what a minute bore out, in equilibrium."""

from types import SimpleNamespace
from typing import Any

import pytest

from analysis.levels.seen import Seen
from analysis.limits.thresholds import parse_thresholds
from analysis.tuning.asked import Asked, Setting
from analysis.tuning.confirmed import Confirmed
from analysis.tuning.judge import _Case
from analysis.words.values import Check, Measurement, Outcome, RuleRow
from recording.levels import Level

LIMITS = parse_thresholds('[journey]\nlatency = ["p99 < 1000 ms"]')
POOL = Setting("inventory_lock.pool_max", 50, 400, 64, " connections", whole=True)
SHORT = {"inventory_lock": {"hold": "transaction", "lock_ttl_s": 300.0}, "checkout": {}}
HELD = {"inventory_lock": {"hold": "until_release", "lock_ttl_s": 300.0},
        "checkout": {"lock_ttl_s": 300.0}}  # fmt: skip


def row(outcome: Outcome) -> RuleRow:
    measured = Measurement("charge", "p99", 900.0, "ms", 4000)
    return RuleRow("p99 < 1000 ms", "journey", measured, outcome, "as it was", kind="latency")


def case(confirmation: Confirmed, services: Any = SHORT, urls: Any = ()) -> _Case:
    """After a confirmation of 60 s that began to count after 3 s."""
    asked = Asked((POOL,), 60.0, services=services)
    target = SimpleNamespace(starts_mocks=not urls)
    evidence = SimpleNamespace(manifest=SimpleNamespace(profile=target, ended="completed"))
    made = _Case(evidence, LIMITS, asked)  # type: ignore[arg-type]
    level = Level(9, 100.0, 103.0, 163.0, 60.0, {POOL.key: confirmation.levels[0]})
    last = Seen(level, None, (), ())  # type: ignore[arg-type]
    made.__dict__.update(confirmed=confirmation, last=last)  # as if they had been asked for
    return made


@pytest.mark.parametrize(
    ("outcome", "spoilt", "sure"),
    [
        (Outcome.PASS, (), True),
        (Outcome.FAIL, (), False),
        (Outcome.INCONCLUSIVE, (), False),
        (Outcome.PASS, (Check("lag", "9 ms", "1 ms", ok=False),), False),
    ],
)
def test_only_what_passed_a_minute_is_enough(
    outcome: Outcome, spoilt: tuple[Check, ...], sure: bool
) -> None:
    """Of the rest it is said what it is."""
    made = case(Confirmed((96.0,), 60.0, (row(outcome),), spoilt))
    assert made.is_sure is sure
    assert ("it takes 96" in made._enough()) is sure
    assert ("no confirmation bears out" in made._enough()) is not sure


@pytest.mark.parametrize(
    ("services", "urls", "sure"),
    [(SHORT, (), True), (HELD, (), False), (HELD, ("http://shop.example",), True)],
)
def test_locks_that_outlive_a_confirmation_leave_it_open(
    services: Any, urls: Any, sure: bool
) -> None:
    """What was in use was still rising; of somebody else's services nobody knows."""
    made = case(Confirmed((96.0,), 60.0, (row(Outcome.PASS),), ()), services, urls)
    assert made.is_sure is sure
    assert ("300 s" in made._held_longer()) is not sure
