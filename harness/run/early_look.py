"""Judges a paired run at its declared looks while it goes on, so that it can end early."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from harness.run.events import write_event
from recording.clock import RunClock
from recording.events import LOOK_FAILED, SLOTS_STARTED
from recording.manifest import PairedRun
from recording.profile import Gate
from recording.rundir import RunDir
from recording.slots import Slots
from recording.tail import Tail

Decide = Callable[[RunDir, int], str]
"""What the first n rounds of a recording decide, in words; "" when they leave it open."""


class EarlyLooks:
    """``enough`` for a paired run.

    Rounds that pass while a look is judged count only when it leaves the verdict open. A look that
    cannot be judged is an event and leaves it open too: the whole recording is judged at the end.
    """

    def __init__(self, gate: Gate, paired: PairedRun, settle_s: float, decide: Decide) -> None:
        """``settle_s``: how long after a round its last requests may still come in, s."""
        self._gate = gate
        self._paired = paired
        self._settle_s = settle_s
        self._decide = decide
        self._open = list(gate.looks[:-1])
        self._slots: Slots | None = None
        self._events: Tail | None = None
        self._judging: Future[str] | None = None
        self._judge = ThreadPoolExecutor(1, thread_name_prefix="look")

    def enough(self, run: RunDir, clock: RunClock) -> str:
        """Why the run may end now; "" as long as it may not."""
        if self._judging is not None and self._judging.done():
            judged, self._judging = self._judging, None
            if error := judged.exception():
                said = f"{type(error).__name__}: {error}"
                write_event(run, clock, LOOK_FAILED, error=said)
            elif why := judged.result():
                return why
        if self._judging is None and self._open and self._is_over(run, clock, self._open[0]):
            self._judging = self._judge.submit(self._decide, run, self._open.pop(0))
        return ""

    def _is_over(self, run: RunDir, clock: RunClock, rounds: int) -> bool:
        slots = self._slots or self._find_slots(run)
        if slots is None:
            return False
        last = max(slots.slots_of(rounds - 1))
        return clock.now_s() > slots.start_of(last + 1) + self._settle_s

    def _find_slots(self, run: RunDir) -> Slots | None:
        self._events = self._events or Tail(run.events)
        for row in self._events.rows():
            if row["event"] == SLOTS_STARTED:
                self._slots = self._gate.slots(row["start_s"], self._paired.head_first)
        return self._slots
