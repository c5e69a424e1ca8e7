"""The timetable of a paired run."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording.slots import BASE, HEAD, Slots

SLOTS = Slots(start_s=10.0, slot_s=4.0, cut_s=1.0, head_first=(False, True, True), warmup_rounds=1)


def test_every_round_loads_each_arm_once_in_its_own_order() -> None:
    """Warm-up, base first, head first, head first; 8 slots of 4 s."""
    arms = [SLOTS.arm_of(slot) for slot in range(SLOTS.count)]
    assert arms[2:] == [BASE, HEAD, HEAD, BASE, HEAD, BASE]
    assert sorted(arms[:2]) == [BASE, HEAD]
    assert SLOTS.end_s == 42.0
    assert [SLOTS.round_of(slot) for slot in range(8)] == [-1, -1, 0, 0, 1, 1, 2, 2]
    assert [SLOTS.slots_of(r) for r in range(3)] == [(2, 3), (5, 4), (7, 6)]


def test_slots_of_a_round_are_loaded_with_the_arm_they_are_named_for() -> None:
    """The judge's view (round to slots) and the loader's (slot to arm) agree."""
    for number in range(3):
        base, head = SLOTS.slots_of(number)
        assert (SLOTS.arm_of(base), SLOTS.arm_of(head)) == (BASE, HEAD)


def test_an_arms_time_stands_still_in_the_others_slots() -> None:
    """3 s of pause that start 1 s before the end of base's slot end 2 s into its next one."""
    assert SLOTS.wake_s(BASE, 21.0, 0.5) == 21.5
    assert SLOTS.wake_s(BASE, 21.0, 3.0) == SLOTS.start_of(5) + 2.0
    assert SLOTS.wake_s(HEAD, 18.5, 1.0) == SLOTS.start_of(3) + 1.0
    assert SLOTS.wake_s(BASE, 0.0, 0.0) >= SLOTS.start_s
    assert SLOTS.wake_s(BASE, 41.0, 100.0) == inf


@given(
    arm=st.sampled_from((BASE, HEAD)),
    now_s=st.floats(0, 42),
    pauses=st.lists(st.floats(0, 3), min_size=1, max_size=20),
)
def test_users_only_wake_in_their_own_slots(arm: str, now_s: float, pauses: list[float]) -> None:
    """Whatever they do, time never runs backwards and nobody wakes in the other arm's slot."""
    for pause_s in pauses:
        woken_s = SLOTS.wake_s(arm, now_s, pause_s)  # type: ignore[arg-type]
        assert woken_s >= now_s
        if woken_s == inf:
            break
        assert SLOTS.arm_of(SLOTS.slot_at(woken_s)) == arm
        now_s = woken_s


def test_moments_outside_belong_to_no_slot() -> None:
    """-1 before the first slot, `count` after the last."""
    assert (SLOTS.slot_at(9.9), SLOTS.slot_at(10.0), SLOTS.slot_at(41.9)) == (-1, 0, 7)
    assert SLOTS.slot_at(42.0) == SLOTS.count
    assert SLOTS.counted_from(2) == pytest.approx(19.0)
