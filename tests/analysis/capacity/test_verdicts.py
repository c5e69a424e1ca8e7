"""What a search, or two of them, may be called: never more than was found."""

from dataclasses import replace
from math import nan
from types import SimpleNamespace
from typing import Any, cast

import pytest

from analysis.capacity.answer import Answer, nothing_held
from analysis.capacity.asked import CONFIRMATION, DOUBLING, Asked
from analysis.capacity.compare import compared
from analysis.capacity.judge import CapacityReport, _breach, _unsure
from analysis.capacity.slow import Limit
from analysis.capacity.words import found_in_words
from analysis.levels.seen import Seen
from analysis.words.values import Outcome

CONFIRMED = {
    "level": SimpleNamespace(why=CONFIRMATION), "spoilt": (), "holds": True, "rows": (),
}  # fmt: skip
ASKED = Asked("arrivals/s", 60.0, "--require", 300.0, 0.05, 60.0, 1)
FOUND = Answer(60.0, 59.0, 61.0, False, 59.0, None, None, 7.0)
LOW = Limit(4.0, 3.0, 5.0, "inventory-lock pool locks", "held for 5m")
ROUGH = replace(LOW, rough=True)
FILLS = Answer(4.0, 3.0, 5.0, False, 0.0, None, LOW, 7.0)


def report(found: Answer | None, outcome: Outcome = Outcome.PASS) -> CapacityReport:
    return CapacityReport("r", "p", outcome, "as it was", found=found, asked=ASKED)


@pytest.mark.parametrize("rough", [True, False])
def test_a_limit_that_counts_what_failed_starts_left_breaks_nothing(rough: bool) -> None:
    """It may be far too small: the required load is left open."""
    found = replace(FILLS, limit=replace(LOW, rough=rough))
    assert (_breach(found, ASKED) is None) is rough
    assert any("left behind" in text for text in _unsure(found, ASKED, ())) is rough


def test_a_load_above_what_a_run_held_at_is_not_called_safe() -> None:
    """Slots say that it fits; the confirmation was at less."""
    asked = replace(ASKED, required=58.5)
    found = replace(FOUND, held=58.0)
    seen = cast("list[Seen]", [SimpleNamespace(**CONFIRMED)])
    assert any("held at 58" in text for text in _unsure(found, asked, seen))
    assert not list(_unsure(found, replace(asked, required=58.0), seen))


@pytest.mark.parametrize(
    ("base", "head", "outcome"),
    [
        (report(FOUND), report(replace(FOUND, load=50.0, low=49.0, high=51.0)), Outcome.FAIL),
        (report(FOUND), report(FOUND), Outcome.PASS),
        (report(FOUND), report(replace(FOUND, low=50.0, high=70.0)), Outcome.INCONCLUSIVE),
        (report(FOUND), report(replace(FOUND, held=0.0)), Outcome.INCONCLUSIVE),
        (report(FOUND), report(FILLS), Outcome.FAIL),
        (report(FOUND), report(replace(FILLS, limit=ROUGH)), Outcome.INCONCLUSIVE),
        (report(replace(FILLS, limit=ROUGH)), report(FOUND), Outcome.INCONCLUSIVE),
        (report(None, Outcome.INVALID), report(FOUND), Outcome.INVALID),
        (report(FOUND), report(FOUND, Outcome.INVALID), Outcome.INVALID),
    ],
)
def test_head_is_less_only_where_both_are_known(
    base: CapacityReport, head: CapacityReport, outcome: Outcome
) -> None:
    """An arm whose search is no evidence makes none of the gate; a rough number proves nothing."""
    assert compared(base, head, 0.05).verdict is outcome


def level(load: float, **changes: Any) -> Seen:
    told = {"holds": False, "spoilt": (), "rows": (), "broken": (), "latency": nan, "full": {}}
    why = changes.pop("why", DOUBLING)
    made = SimpleNamespace(level=SimpleNamespace(load=load, why=why, number=0), **told | changes)
    made.broke_otherwise = True
    return cast(Seen, made)


def test_a_shop_that_breaks_at_every_load_is_evidence() -> None:
    """What it carries is less than the least that was tried, and what is required does not fit."""
    found = nothing_held([level(40.0), level(20.0), level(5.0, spoilt=("lag",))])
    assert found is not None
    assert (found.low, found.high, found.nothing_held) == (0.0, 20.0, True)
    assert found_in_words(found, ASKED).startswith("less than 20 arrivals/s")
    breach = _breach(found, replace(ASKED, required=30.0))
    assert breach is not None
    assert "every load that was tried broke a rule" in breach.because
    assert _breach(found, replace(ASKED, required=10.0)) is None
    assert any("no load is known" in text for text in _unsure(found, ASKED, ()))
    broke = report(found, Outcome.FAIL)
    assert compared(report(FOUND), broke, 0.05).verdict is Outcome.FAIL
    assert compared(broke, report(FOUND), 0.05).verdict is not Outcome.FAIL
    assert compared(broke, broke, 0.05).verdict is Outcome.INCONCLUSIVE


def test_a_confirmation_that_broke_is_a_load_that_was_tried() -> None:
    """The least of all; where a slot held, or none was evidence, nothing of the kind is said."""
    found = nothing_held([level(40.0), level(9.0, why=CONFIRMATION)])
    assert found is not None
    assert found.load == 9.0
    assert nothing_held([level(40.0), level(20.0, holds=True)]) is None
    assert nothing_held([level(40.0, spoilt=("lag",))]) is None
    assert nothing_held([]) is None
