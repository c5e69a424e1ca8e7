"""The open model: journeys begin when they are due, whatever the shop does.

A fixed set of users stands by. An arrival takes one that is idle; when none is, it waits and is
late, which its latency from the *intended* start shows (G. Tene, "How NOT to Measure Latency":
coordinated omission). What never began is counted and judged.
"""

import time
from collections import deque
from collections.abc import Iterator
from typing import Protocol

import gevent


class StandBy(Protocol):
    """A user that waits for its next arrival."""

    def begin(self, due_s: float) -> None:
        """Start a journey that was due at ``due_s``."""


class Dispatcher:
    """Matches arrivals with idle users, first come first served."""

    def __init__(self) -> None:
        self._idle: deque[StandBy] = deque()
        self._late: deque[float] = deque()
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
        if self._late:
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

    def run(self, dues_s: Iterator[float]) -> None:
        """Let journeys arrive at these moments of the monotonic clock; returns after the last."""
        for due_s in dues_s:
            gevent.sleep(max(0.0, due_s - time.monotonic()))
            self.arrive(due_s)


DISPATCHER = Dispatcher()
"""One per Locust process: its users share its arrivals."""
