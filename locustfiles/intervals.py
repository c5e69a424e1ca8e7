"""The intervals a recording is cut into: even ones, or the slots of a paired run.

A request belongs to the one in which it began. A rule by the end would lose just the slow ones:
those that end in the other arm's slot, after the measured phase, or never.
"""

from locustfiles.timetable import Timetable


class EvenIntervals:
    """All of one length."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s

    def index(self, t_s: float) -> int:
        """The number of the interval at a moment, s since the run's epoch."""
        return int(t_s // self._interval_s)

    def span_s(self, index: int) -> tuple[float, float]:
        """Start and length of an interval, s."""
        return index * self._interval_s, self._interval_s


class SlotIntervals:
    """Two in each slot of a paired run: its cut, and what counts; -1 is all the time before."""

    def __init__(self, timetable: Timetable) -> None:
        self._timetable = timetable

    def index(self, t_s: float) -> int:
        """The interval at a moment; -1 as long as nobody knows when the slots begin."""
        slots = self._timetable.slots
        if slots is None:
            return -1
        slot = slots.slot_at(t_s)
        if slot < 0:
            return -1
        return 2 * slot + (slot < slots.count and t_s >= slots.counted_from(slot))

    def span_s(self, index: int) -> tuple[float, float]:
        """Start and length."""
        slots = self._timetable.slots
        assert slots is not None  # nothing is closed before the slots are known
        slot, counted = divmod(index, 2)
        if index < 0:
            return 0.0, slots.start_s
        if counted:
            return slots.counted_from(slot), slots.slot_s - slots.cut_s
        return slots.start_of(slot), slots.cut_s if slot < slots.count else slots.slot_s


Intervals = EvenIntervals | SlotIntervals
