"""What may be called enough: only what a minute bore out, in equilibrium."""

from math import ceil, isnan, nan
from types import SimpleNamespace
from typing import Any

import pytest

from analysis.levels.seen import Seen
from analysis.limits.thresholds import parse_thresholds
from analysis.tuning.answer import Answer
from analysis.tuning.asked import Asked, Setting
from analysis.tuning.border import Border
from analysis.tuning.confirmed import Confirmed
from analysis.tuning.judge import _Case
from analysis.words.values import Check, Measurement, Outcome, RuleRow
from recording.levels import Level

LIMITS = parse_thresholds('[journey]\nlatency = ["p99 < 1000 ms"]')
POOL = Setting("inventory_lock.pool_max", 50, 400, 64, " connections", whole=True)
SHORT = {"inventory_lock": {"hold": "transaction", "lock_ttl_s": 300.0}, "checkout": {}}
HELD = {"inventory_lock": {"hold": "until_release", "lock_ttl_s": 300.0},
        "checkout": {"lock_ttl_s": 300.0}}  # fmt: skip

SAID = Answer((96.0,), ((1.0, Border(95.4, 88.0, 104.0, "full", "")),))


def row(outcome: Outcome) -> RuleRow:
    measured = Measurement("charge", "p99", 900.0, "ms", 4000)
    return RuleRow("p99 < 1000 ms", "journey", measured, outcome, "as it was", kind="latency")


def case(
    confirmation: Confirmed, services: Any = SHORT, urls: Any = (), said: Answer = SAID
) -> _Case:
    """After a confirmation of 60 s that began to count after 3 s; ``said`` is what slots say."""
    asked = Asked((POOL,), 60.0, services=services)
    target = SimpleNamespace(starts_mocks=not urls)
    evidence = SimpleNamespace(manifest=SimpleNamespace(profile=target, ended="completed"))
    made = _Case(evidence, LIMITS, asked)  # type: ignore[arg-type]
    level = Level(9, 100.0, 103.0, 163.0, 60.0, {POOL.key: confirmation.levels[0]})
    last = Seen(level, None, (), ())  # type: ignore[arg-type]
    made.__dict__.update(
        confirmed=confirmation, last=last, answer=said
    )  # as if they had been asked for
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


@pytest.mark.parametrize(
    ("value", "low", "high", "of_it"),
    [
        (95.4, 88.0, 104.0, True),
        (97.2, 88.0, 104.0, True),  # a confirmation within what the slots can tell
        (89.0, nan, nan, True),  # one step safer, as after a confirmation that failed
        (123.4, 111.5, 137.6, False),
        (64.0, 60.0, 68.0, False),
        (nan, nan, nan, False),
    ],
)
@pytest.mark.parametrize("outcome", [Outcome.PASS, Outcome.FAIL])
def test_a_confirmation_of_other_limits_bears_nothing_out(
    value: float, low: float, high: float, of_it: bool, outcome: Outcome
) -> None:
    """Where slots are judged by other limits than those of the search, that minute is elsewhere."""
    levels = () if isnan(value) else (float(ceil(value)),)
    said = Answer(levels, ((1.0, Border(value, low, high, "full", "" if levels else "above")),))
    made = case(Confirmed((96.0,), 60.0, (row(outcome),), ()), said=said)
    assert made.is_sure is (of_it and outcome is Outcome.PASS)
    assert made.levels == ((96.0,) if of_it else levels)
    made.__dict__.update(slots=(object(),), curve=(), seen=())
    elsewhere = any("and by these limits" in why for why in made._unsure())
    assert elsewhere is bool(levels and not of_it)
    assert ("nothing that was tried holds" in made._enough()) is not bool(levels)
