"""analysis/tuning: the least that holds, from slots whose truth is known."""

from math import isnan, log

import numpy as np
import pytest

from analysis.levels.margins import Fullness
from analysis.tuning.answer import answered, rounded, safer
from analysis.tuning.asked import Asked, Setting
from analysis.tuning.border import border
from analysis.tuning.slot import Slot

POOL = Setting("inventory_lock.pool_max", 50, 400, 64, "connections")
TTL = Setting("checkout.lock_ttl_s", 1, 100, 30, "s", whole=False, cheaper="more")
RUN_S, PER_S = 60.0, 2.0
MEAN = 60.0
TRUTH = MEAN * (1 + 3.335 / MEAN**0.5) / 0.81
"""Of 120 samples of a Poisson number none is above 81 % of it, with 95 %."""


def full(size: float, rng: np.random.Generator) -> Fullness:
    wanted, room = rng.poisson(MEAN, 12).astype(float), 0.81 * size
    starved = bool((wanted >= size).any())
    return Fullness(np.minimum(wanted, size) / room, PER_S, room, starved)


def slot(size: float, rng: np.random.Generator) -> Slot:
    return Slot((size,), 60.0, {}, frozenset(), {"locks": full(size, rng)})


def latency(level: float, p99_over_limit: float) -> Slot:
    broken = frozenset({"p99"} if p99_over_limit > 1 else ())
    return Slot((level,), 60.0, {"p99": log(p99_over_limit)}, broken, {})


def test_a_pools_peak_is_found_from_short_slots_in_ten_of_ten_seeds() -> None:
    """Within 10 % of the truth, with an interval that is no wider than 20 %."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        levels = [50, 64, 64, 76, 115, 175, 264, 400, 82, 90, 99, 82, 90, 99]
        found = border([slot(size, rng) for size in levels], POOL, RUN_S)
        assert found.edge == ""
        assert found.value == pytest.approx(TRUTH, rel=0.10)
        assert found.low < found.value < found.high < 1.2 * found.low
        assert found.rule == "locks is full"


def test_latency_crosses_its_limit_between_two_levels() -> None:
    """Where its logarithm does, on a line in the logarithm of the level."""
    slots = [latency(50, 4.0), latency(100, 2.0), latency(200, 0.5), latency(400, 0.5)]
    found = border(slots, POOL, RUN_S)
    assert found.value == pytest.approx(100 * 2**0.5)
    assert found.rule == "p99"


def test_where_more_hurts_the_rules_break_again_and_that_is_said() -> None:
    """The levels past the plateau tell nothing of the least."""
    slots = [latency(50, 4.0), latency(100, 0.5), latency(200, 0.5), latency(400, 3.0)]
    found = border(slots, POOL, RUN_S)
    assert 50 < found.value < 100
    assert found.again == pytest.approx(400)


@pytest.mark.parametrize(("over", "edge"), [(0.5, "below"), (2.0, "above")])
def test_a_range_in_which_all_or_none_holds_has_no_border(over: float, edge: str) -> None:
    """It lies beyond, and no number is made up for it."""
    found = border([latency(level, over) for level in (50, 100, 200)], POOL, RUN_S)
    assert found.edge == edge
    assert found.value == pytest.approx(50) if edge == "below" else isnan(found.value)


def test_of_a_time_to_live_the_most_that_holds_is_the_answer() -> None:
    """Cheaper is more, and rounding goes towards what holds."""
    slots = [latency(level, level / 10) for level in (1.0, 3.0, 9.0, 11.0, 30.0, 90.0)]
    asked = Asked((TTL,), load=60.0)
    (value,) = answered(slots, asked).levels
    assert 9.9 <= value <= 10.0
    assert safer(TTL, value) < value


def test_the_answer_holds_at_every_load_that_was_asked_about() -> None:
    """And there is none where one load has none."""
    one = [latency(50, 2.0), latency(100, 0.5), latency(200, 0.5)]
    other = [Slot(s.levels, 90.0, {"p99": s.margins["p99"] + log(2)}, s.broken, {}) for s in one]
    asked = Asked((POOL,), load=60.0, loads=(1.0, 1.5))
    at_both = answered([*one, *other], asked)
    assert [round(found.value) for _, found in at_both.borders] == [71, 100]
    assert at_both.levels == (100,)
    assert answered(one, asked).levels == ()


def test_of_two_settings_the_cheapest_cell_that_holds_is_the_answer() -> None:
    """Cells of which most slots break are none."""
    replicas = Setting("inventory_lock.replicas", 1, 4, 2, "replicas")
    asked = Asked((POOL, replicas), load=60.0)
    slots = [
        Slot((a, b), 60.0, {}, frozenset({"full"} if a * b < 150 else ()), {})
        for a in (50.0, 100.0, 200.0)
        for b in (1.0, 2.0, 4.0)
    ]
    assert answered(slots, asked).levels in {(50.0, 4.0), (100.0, 2.0), (200.0, 1.0)}


def test_values_are_rounded_to_what_can_be_set() -> None:
    """Connections up, within the range."""
    assert rounded(POOL, 88.2) == 89
    assert rounded(POOL, 89.0000000001) == 89
    assert rounded(POOL, 4000) == 400
    assert rounded(TTL, 9.876) == pytest.approx(9.87)


def count(level: float, breaks: bool) -> Slot:
    return Slot((level,), 60.0, {}, frozenset({"count"} if breaks else ()), {})


def waited(level: float, waits: bool) -> Slot:
    room = 0.81 * level
    seen = Fullness(np.full(10, 20.0 / room), PER_S, room, starved=waits)
    return Slot((level,), 60.0, {}, frozenset(), {"locks": seen})


def test_a_rule_that_holds_or_not_says_nothing_of_what_lies_between() -> None:
    """64 breaks each time and 90 never: where between them is not known."""
    slots = [
        *[count(64, breaks=True)] * 3,
        *[count(90, breaks=False)] * 3,
        count(400, breaks=False),
    ]
    found = border(slots, POOL, RUN_S)
    assert found.low <= 64.001
    assert found.high >= 89.999


def test_a_level_at_which_callers_waited_is_not_enough() -> None:
    """Though what was in use would have fitted; what is lies beyond it."""
    slots = [*[waited(64, waits=True)] * 3, waited(90, waits=False), waited(400, waits=False)]
    found = border(slots, POOL, RUN_S)
    assert found.edge == ""
    assert 64 < found.value <= 90


def test_of_several_replicas_the_fullest_is_not_underestimated() -> None:
    """Ten pools of a Poisson number each: 95 % of minutes keep all of them within their limit."""
    rng, each = np.random.default_rng(2), 10
    peaks = rng.poisson(9.8, (4000, 120, each)).max(axis=(1, 2))
    needed = float(np.quantile(peaks, 0.95))
    off = []
    for _ in range(60):
        slots = []
        for level in (18.0, 20.0, 22.0, 24.0, 28.0, 34.0):
            shares = rng.poisson(9.8, 10 * each) / (0.9 * level)
            seen = Fullness(shares, PER_S * each, each * 0.9 * level, starved=False)
            slots.append(Slot((level,), 60.0, {}, frozenset(), {"locks": seen}))
        found = border(slots, POOL, RUN_S)
        assert found.edge == ""
        off.append(found.value * 0.9 / needed - 1)
    assert abs(np.mean(off)) < 0.04


def test_the_next_level_to_confirm_stays_in_the_range() -> None:
    """At its end there is none."""
    assert safer(POOL, 400) == 400
    assert safer(TTL, 1.0) == 1.0
