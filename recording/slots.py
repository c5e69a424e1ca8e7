"""Slots of a paired run: which arm is loaded when, and what of it counts.

A round is one slot of load on base and one on head. Both arms' services are up all the time, and
one arm is loaded at a time. The start of each slot is cut, because the requests of the slot before
are still being finished then. A request belongs to the slot in which it began.
"""

from dataclasses import dataclass
from math import floor, inf
from typing import Literal

Arm = Literal["base", "head"]
BASE: Arm = "base"
HEAD: Arm = "head"
ARMS: tuple[Arm, Arm] = (BASE, HEAD)


@dataclass(frozen=True, slots=True)
class Slots:
    """The timetable of a paired run; all times are seconds since the run's epoch.

    ``head_first[r]`` is True where round r loads head before base. The ``warmup_rounds`` before
    round 0 are loaded in turn and never counted.
    """

    start_s: float
    slot_s: float
    cut_s: float
    head_first: tuple[bool, ...]
    warmup_rounds: int = 0

    @property
    def count(self) -> int:
        """Slots in the whole run, warm-up included."""
        return 2 * (self.warmup_rounds + len(self.head_first))

    @property
    def end_s(self) -> float:
        """When the last slot ends."""
        return self.start_of(self.count)

    def start_of(self, slot: int) -> float:
        """When a slot starts (slot ``count``: when the last one ends)."""
        return self.start_s + slot * self.slot_s

    def counted_from(self, slot: int) -> float:
        """When requests begin to count in a slot."""
        return self.start_of(slot) + self.cut_s

    def slot_at(self, t_s: float) -> int:
        """The slot at a moment: -1 before the first, ``count`` after the last."""
        return max(-1, min(self.count, floor((t_s - self.start_s) / self.slot_s)))

    def round_of(self, slot: int) -> int:
        """The round of a slot; negative for the warm-up."""
        return slot // 2 - self.warmup_rounds

    def slots_of(self, round_number: int) -> tuple[int, int]:
        """The base slot and the head slot of a round."""
        first = 2 * (round_number + self.warmup_rounds)
        return (first + 1, first) if self._head_first(round_number) else (first, first + 1)

    def arm_of(self, slot: int) -> Arm:
        """The arm that is loaded in a slot."""
        return ARMS[(slot % 2 == 1) != self._head_first(self.round_of(slot))]

    def wake_s(self, arm: Arm, now_s: float, pause_s: float) -> float:
        """When an arm's user who pauses now goes on: its time stands still in the other's slots.

        So the users of an arm pick up where they stopped, and do not all come at once at the
        start of its next slot. Infinity when the run is over before that.
        """
        left_s = max(0.0, pause_s)
        for slot in range(max(0, self.slot_at(now_s)), self.count):
            if self.arm_of(slot) != arm:
                continue
            from_s = max(now_s, self.start_of(slot))
            to_s = self.start_of(slot + 1)
            if from_s + left_s < to_s:
                return from_s + left_s
            left_s -= max(0.0, to_s - from_s)
        return inf

    def _head_first(self, round_number: int) -> bool:
        return self.head_first[round_number] if round_number >= 0 else round_number % 2 == 0
