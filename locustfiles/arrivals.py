"""The open model: journeys begin when they are due, whatever the shop does.

A fixed set of users stands by. An arrival takes one that is idle; when none is, it waits and is
late, which its latency from the *intended* start shows (G. Tene, "How NOT to Measure Latency":
coordinated omission). What never began is counted and judged.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol


class StandBy(Protocol):
    """A user that waits for its next arrival."""

    def begin(self, due_s: float) -> None:
        """Start a journey that was due at ``due_s``."""


class Dispatcher:
    """Matches arrivals with idle users, first come first served."""

    def __init__(self) -> None:
        self._idle: deque[StandBy] = deque()
        self._late: deque[float] = deque()
        self.held = False
        """No late arrival is given a user: the plan stands still."""
        self.planned = 0
        self.started = 0

    def arrive(self, due_s: float) -> None:
        """A journey is due now."""
        self.planned += 1
        if self._idle:
            self._start(self._idle.popleft(), due_s)
        else:
            self._late.append(due_s)

    def stand_by(self, user: StandBy) -> None:
        """The user is free: it gets the oldest late arrival, or waits for the next."""
        if self._late and not self.held:
            self._start(user, self._late.popleft())
        else:
            self._idle.append(user)

    def leave(self, user: StandBy) -> None:
        """The user waits no longer."""
        if user in self._idle:
            self._idle.remove(user)

    def _start(self, user: StandBy, due_s: float) -> None:
        self.started += 1
        user.begin(due_s)

    def release(self, later_s: float) -> None:
        """The plan goes on, so much later: what had been due before is due later too."""
        self.held = False
        self._late = deque(due_s + later_s for due_s in self._late)
        while self._late and self._idle:
            self._start(self._idle.popleft(), self._late.popleft())

    def run(self, dues_s: Iterator[float], until: Callable[[float], float]) -> None:
        """Let journeys arrive at these moments of the monotonic clock; returns after the last.

        ``until`` sleeps until what the plan has at a moment is due, and returns when that is.
        """
        for due_s in dues_s:
            self.arrive(until(due_s))


DISPATCHER = Dispatcher()
"""One per Locust process: its users share its arrivals."""
