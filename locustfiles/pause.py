"""A sleep that another greenlet can end.

``Event.wait(timeout)`` does the same, but throws and catches a Timeout whenever the time is up,
which for a pausing user is always: 18 µs of CPU instead of 8 (measured, gevent 26).
"""

from gevent import get_hub
from gevent.hub import Waiter


class Pause:
    """Of one greenlet; once ended, every later sleep is over at once."""

    __slots__ = ("_sleeper", "ended")

    def __init__(self) -> None:
        self.ended = False
        self._sleeper: Waiter | None = None

    def sleep(self, seconds: float) -> bool:
        """Let others run for a while; whether the pause was ended, before or meanwhile."""
        if self.ended:
            return True
        hub = get_hub()
        self._sleeper = Waiter(hub)
        hub.loop.update_now()  # a timer counts from when the loop last looked at the clock
        timer = hub.loop.timer(seconds)
        timer.start(self._sleeper.switch, None)
        try:
            self._sleeper.get()
        finally:
            timer.close()
            self._sleeper = None
        return self.ended

    def end(self) -> None:
        """Wake the sleeper; from any greenlet of the same thread."""
        self.ended = True
        if self._sleeper is not None:
            get_hub().loop.run_callback(self._sleeper.switch, None)
