"""recording/levels.py: slots of a search as its events tell them."""

from typing import Any

import pytest

from recording.events import LEVEL_ENDED, LEVEL_STARTED
from recording.levels import levels_of


def started(number: int, start_s: float, end_s: float) -> dict[str, Any]:
    times = {"start_s": start_s, "counted_from_s": start_s + 1.0, "end_s": end_s}
    return {"event": LEVEL_STARTED, "number": number, **times, "load": 9.0, "settings": {}}


ONE, TWO = started(0, 5.0, 13.0), started(1, 14.5, 22.5)


def test_slots_follow_each_other() -> None:
    """One that was ended early makes room for the next."""
    ended = {"event": LEVEL_ENDED, "number": 0, "end_s": 9.0}
    assert [level.number for level in levels_of([ONE, TWO])] == [0, 1]
    assert [level.end_s for level in levels_of([ONE, ended, started(1, 9.5, 17.0)])] == [9.0, 17.0]


@pytest.mark.parametrize(
    "events", [[ONE, ONE], [ONE, started(1, 9.5, 17.0)], [TWO, ONE], [ONE, {**TWO, "number": 0}]]
)
def test_slots_that_are_told_twice_or_overlap_are_spoilt(events: list[dict[str, Any]]) -> None:
    """What they hold would be counted twice."""
    with pytest.raises(ValueError, match="do not follow each other"):
        levels_of(events)
