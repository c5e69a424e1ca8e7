"""The guards of a run as whoever watches it sees them: what they say, and how a pause is ended."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from analysis.limits.guard import Guards
from harness.run.watchdog import Watchdog
from harness.screen.live import LiveView
from harness.system.keys import Enter
from recording.clock import RunClock
from recording.rundir import RunDir


class Guarded:
    """Of one run; asked by the thread that draws the screen, which owns the keyboard too."""

    def __init__(self, watchdog: Watchdog, run: RunDir) -> None:
        self._watchdog = watchdog
        self._run = run
        self._enter: Enter | None = None

    @property
    def stopped(self) -> str:
        """Why a guard ends the run; "" as long as none does."""
        return self._watchdog.stopped

    @property
    def spoilt(self) -> str:
        """Why the run is no evidence and is to end; "" as long as it goes on."""
        return self._watchdog.spoilt

    def heed(self, view: LiveView) -> None:
        """Say what is new, and resume where somebody asked for it."""
        while self._watchdog.news:
            view.say(self._watchdog.news.popleft())
        if self._watchdog.paused is None:
            self._enter = None
        elif self._enter is None:  # what was asked for before is not about this pause
            self._enter = Enter()
            self._run.resume.unlink(missing_ok=True)
        elif self._enter.pressed():
            self._watchdog.resume("Enter")
        elif self._run.resume.exists():
            self._run.resume.unlink(missing_ok=True)
            self._watchdog.resume("loadgate resume")


@contextmanager
def guarded(
    guards: Guards | None, run: RunDir, clock: RunClock, urls: Mapping[str, str]
) -> Iterator[Guarded | None]:
    """Guards the run meanwhile; None where nobody asked for it."""
    if guards is None:
        yield None
        return
    watchdog = Watchdog(guards, run, clock, urls)
    watchdog.start()
    try:
        yield Guarded(watchdog, run)
    finally:
        watchdog.stop()
