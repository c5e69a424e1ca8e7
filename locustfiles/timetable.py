"""When an arm of a paired run has its turn, known once Locust's master has said when it begins."""

from gevent.event import Event

from locustfiles.plan import PLAN
from recording.profile import Gate
from recording.slots import Arm, Slots

AFTER_THE_END_S = 3600.0


class Timetable:
    """The slots of this run; every Locust process has one and is told the same start."""

    def __init__(self, gate: Gate, head_first: tuple[bool, ...]) -> None:
        self._gate = gate
        self._head_first = head_first
        self._known = Event()
        self.slots: Slots | None = None

    def begin(self, start_s: float) -> None:
        """The first slot begins at ``start_s``, s since the run's epoch."""
        self.slots = self._gate.slots(start_s, self._head_first)
        self._known.set()

    def seconds_to(self, arm: Arm, pause_s: float) -> float:
        """How long a user of ``arm`` who pauses for ``pause_s`` of its arm's time waits, s.

        After the last slot that is until it is told to leave.
        """
        self._known.wait()
        assert self.slots is not None
        now_s = PLAN.clock.now_s()
        return min(self.slots.wake_s(arm, now_s, pause_s) - now_s, AFTER_THE_END_S)


_GATE = PLAN.profile.gate if PLAN.arms else None
TIMETABLE = Timetable(_GATE, PLAN.head_first) if _GATE else None
"""None unless this is a paired run."""
