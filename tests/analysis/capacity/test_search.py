"""Whole searches of simulated shops: what they find, and what they must not call safe."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from analysis.capacity.answer import Answer, answer
from analysis.capacity.asked import CONFIRMATION, DOUBLING, Asked, stage_of
from analysis.capacity.compare import ratio_of
from analysis.capacity.trials import ceiling
from analysis.levels.seen import Seen
from analysis.words.values import Check
from benchmarks.studies.capacity import JOURNEY, STEPS, searched, thresholds
from benchmarks.studies.capacity_shop import Shop
from harness.run.capacity import CapacityChooser
from harness.run.search import Wanted

FULL = 0.9 * 64


def found_in(shop: Shop, holds_s: float | None = None) -> tuple[Answer, list[Seen]]:
    seen, asked = searched(shop, seed=1, holds_s=holds_s)
    found = answer(seen, asked, thresholds())
    assert found is not None
    return found, seen


def test_it_ends_with_a_confirmation_and_covers_the_border() -> None:
    """A pool of 64, held for 0.9 s: 90 % are in use at 64 journeys/s, at peaks of runs from 57."""
    found, seen = found_in(Shop(even=True))
    assert stage_of(seen[-1]) == CONFIRMATION
    assert seen[-1].level.counted_s >= 60
    assert 55 < found.low < 58 < found.high < 60
    assert not found.at_least
    assert found.held > 0
    assert found.gave is not None
    assert found.gave.resource.startswith("inventory-lock pool locks")
    span_s = seen[-1].level.end_s - seen[0].level.start_s
    assert span_s <= 310


def test_a_hold_of_five_minutes_is_extrapolated() -> None:
    """0.4 % of the locks are held for 300 s: slots know nothing of it, and the answer does."""
    found, _ = found_in(Shop(even=True, slow=0.004), holds_s=300.0)
    assert found.limit is not None
    carried = FULL / (0.9 + 0.004 * 300)
    assert found.load < 1.1 * carried
    assert "would be full" in found.limit.because


def test_what_never_came_back_bounds_from_above_only() -> None:
    """Nobody says how long it is held: at most so much, and perhaps nothing, is safe."""
    found, _ = found_in(Shop(even=True, slow=0.01, ttl_s=3600.0))
    assert found.limit is not None
    assert found.limit.at_most
    assert found.low == 0


def test_a_sweeper_that_is_too_slow_is_seen() -> None:
    """It frees 4/s of the 10 % that expire after 5 s: it keeps up with 40 journeys/s."""
    found, _ = found_in(Shop(size=100, even=True, slow=0.1, ttl_s=5.0, swept_per_s=4.0))
    assert found.high < 60
    assert found.low < 44


def test_levels_that_only_measured_the_harness_are_a_ceiling() -> None:
    """One may be a neighbour's doing; two from a load on are its own."""
    spoilt = (Check("CPU of the generator", "99 %", "90 %", ok=False),)

    def at(load: float, *checks: Check) -> Seen:
        level = SimpleNamespace(load=load, why=DOUBLING, number=0)
        return cast(Seen, SimpleNamespace(level=level, spoilt=checks, holds=True))

    assert ceiling([at(20.0), at(40.0, *spoilt)]) == float("inf")
    assert ceiling([at(20.0), at(40.0, *spoilt), at(45.0, *spoilt)]) == 40.0
    assert ceiling([at(20.0), at(40.0, *spoilt), at(45.0, *spoilt), at(50.0)]) == float("inf")


ANSWER = Answer(50.0, 49.0, 51.0, False, 49.0, None, None, 7.0)


def test_a_ratio_is_of_what_slots_say_and_not_of_where_a_run_was_tried() -> None:
    """Confirmations widen the interval of an answer downwards; a ratio has that of its slots."""
    sharp = replace(ANSWER, load=50.0, low=0.0, border=(50.0, 49.0, 51.0))
    assert ratio_of(sharp, sharp).low > 0.97


@pytest.mark.parametrize(
    ("head", "low", "high"),
    [
        pytest.param(ANSWER, 0.97, 1.03, id="equal"),
        pytest.param(replace(ANSWER, load=45.0, low=44.1, high=45.9), 0.87, 0.93, id="smaller"),
    ],
)
def test_a_ratio_has_the_intervals_of_both(head: Answer, low: float, high: float) -> None:
    """Each of 2 % makes one of 2.8 %."""
    ratio = ratio_of(ANSWER, head)
    assert low < ratio.low < ratio.ratio < ratio.high < high


def test_an_open_end_stays_open() -> None:
    """What base carries beyond what was measured may be more than head carries."""
    ratio = ratio_of(replace(ANSWER, high=float("inf"), at_least=True), ANSWER)
    assert ratio.low == 0


def test_waiting_callers_make_a_slot_hopeless_and_a_rest_go_on() -> None:
    """Half as many as there are connections; a rest ends when none waits and none is in use."""
    seen, asked = searched(Shop(even=True), seed=1)
    chooser = _chooser(asked)
    busy: Any = {"inventory-lock-service": _values(active=64, waiting=40)}
    idle: Any = {"inventory-lock-service": _values(active=2, waiting=0)}
    slot, rest = Wanted(80.0, 8.0, 3.0, {}, "x"), Wanted(0.0, 20.0, 0.0, {}, "rest")
    assert chooser.hopeless(slot, busy)
    assert not chooser.hopeless(slot, idle)
    assert not chooser.hopeless(rest, busy)
    assert chooser.hopeless(rest, idle)
    assert seen


def test_there_is_no_half_user() -> None:
    """A level is what runs, and what is recorded of it."""
    _, asked = searched(Shop(even=True), seed=1)
    for start, runs in ((0.3, 1.0), (7.8, 7.0)):
        users = replace(_chooser(replace(asked, unit="users")), start=start)
        first = users.next([])
        assert first is not None
        assert first.load == runs


def _chooser(asked: Asked) -> CapacityChooser:
    return CapacityChooser(asked, thresholds(), JOURNEY, STEPS, 20.0)


def _values(active: float, waiting: float) -> dict[str, float]:
    return {
        "connection_pool_active/locks/0": active,
        "connection_pool_waiting/locks/0": waiting,
        "connection_pool_max/locks/0": 64.0,
    }
