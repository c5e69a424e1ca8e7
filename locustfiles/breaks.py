"""The pauses of a load, as every Locust process of the run knows them.

No journey begins in a pause, and those under way end. The plan stands still: what comes after it is
due later by as long as it took, so phases keep their length and no arrival is late.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import gevent
from gevent.event import Event

from locustfiles.plan import PLAN


class Breaks:
    """Of one process; moments are s on its monotonic clock."""

    def __init__(self) -> None:
        self.gate = Event()
        """Set while journeys may begin."""
        self.gate.set()
        self.journeys = 0
        """Those under way."""
        self.since: float | None = None
        """When the pause under way began."""
        self._lasted_s = 0.0
        self._goes_on = Event()

    def pause(self, at: float) -> None:
        """The plan stands still from a moment that is still to come."""
        self.since = at
        self._goes_on.clear()
        gevent.spawn_later(max(0.0, at - time.monotonic()), self.gate.clear)

    def come_back(self) -> None:
        """Journeys may begin; the plan stands still yet."""
        self.gate.set()

    def go_on(self, at: float) -> float:
        """The plan goes on at a moment that is still to come; how long it stood still, s."""
        took_s = 0.0 if self.since is None else at - self.since  # a worker may have come since
        self._lasted_s += took_s
        self.since = None
        self._goes_on.set()
        return took_s

    def without(self, moment: float) -> float:
        """A moment, less all the time before it in which the plan stood still."""
        return (moment if self.since is None else min(moment, self.since)) - self._lasted_s

    def until(self, due: float) -> float:
        """Sleep until what the plan has at ``due`` is due; returns when that is."""
        gevent.sleep(max(0.0, due + self._lasted_s - time.monotonic()))
        while self.since is not None and due + self._lasted_s >= self.since:
            self._goes_on.wait()
            gevent.sleep(max(0.0, due + self._lasted_s - time.monotonic()))
        return due + self._lasted_s

    @contextmanager
    def journey(self) -> Iterator[None]:
        """One is under way."""
        self.journeys += 1
        try:
            yield
        finally:
            self.journeys -= 1


BREAKS = Breaks()
"""Of this process."""


def moment_of(t_s: float) -> float:
    """Of s since the run's epoch, on the monotonic clock of this machine."""
    return PLAN.clock.epoch_s + t_s
