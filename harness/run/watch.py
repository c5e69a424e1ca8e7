"""Watches a run until it ends, whatever ends it, and leaves no process of the generator behind."""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType

import psutil

from harness.generator.generator import Generator
from harness.run.events import write_event
from harness.run.guarded import Guarded
from harness.sampling.sampler import Sampler
from harness.scene.services import Services, tail
from harness.screen.live import LiveView
from harness.screen.progress import Progress
from harness.system.signals import stop_signals
from recording.clock import RunClock
from recording.events import COOLED_DOWN, COOLING_DOWN
from recording.load import Load
from recording.manifest import Ended
from recording.rundir import RunDir

TICK_S = 0.2
GIVE_UP_AFTER_S = 75.0
"""How long past its plan (plus the stop timeout) a generator may take before it is ended."""


STOPPED = "stopped by Ctrl-C, SIGTERM or a closed terminal"


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended; ``in_order``: the load is to stop as at its end, though it is no success."""

    how: Ended
    because: str = ""
    in_order: bool = False


class Interrupt:
    """Turns each of them into a request to stop; the second one stops at once.

    While nothing is under load yet (``at_once``) the first one ends whatever is waited for.
    """

    def __init__(self) -> None:
        self.count = 0
        self._at_once = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self._at_once:
            self._at_once = False  # a second one must not interrupt the tidying up
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Let the first one raise KeyboardInterrupt."""
        self._at_once = True
        try:
            yield
        finally:
            self._at_once = False

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Handle the signals for the duration of a run."""
        watched = stop_signals()
        before = [signal.signal(number, self) for number in watched]
        try:
            yield
        finally:
            for number, handler in zip(watched, before, strict=True):
                signal.signal(number, handler)


@dataclass(frozen=True, slots=True)
class Watch:
    """What is under way. ``patience_s`` is how long its workers may take to come.

    ``enough`` says why the run may end before its plan does, each of ``stops`` why it cannot go
    on: a worker takes no part, or a fault cannot be planted. "" as long as there is no reason.
    ``guarded`` is None where nothing guards the run.
    """

    generator: Generator
    services: Services | None
    sampler: Sampler
    interrupt: Interrupt
    patience_s: float
    enough: Callable[[], str] | None = None
    stops: Sequence[Callable[[], str]] = ()
    guarded: Guarded | None = None

    def until_end(self, load: Load, progress: Progress, view: LiveView, clock: RunClock) -> End:
        """Show the run while it lasts; afterwards the generator and its workers are gone."""
        began_s = clock.now_s()
        workers: list[psutil.Process] = []
        try:
            while (end := self._end()) is None:
                now_s = clock.now_s()
                if overdue := self._overdue(now_s, now_s - began_s, load, progress):
                    return overdue
                self._heed_guards(view)
                self._show(progress, view, clock)
                workers = self._workers() or workers
                time.sleep(TICK_S)
            self._heed_guards(view)
            if end.how == "interrupted" and progress.began:
                view.note(f"{progress.stopping}; again: at once")
            in_order = end.how == "completed" or end.in_order
            if in_order or (end.how == "interrupted" and progress.began):
                self._stop_in_order(load.stop_patience_s + GIVE_UP_AFTER_S)
            return (self._died() if end.how == "completed" else None) or end
        finally:
            self.generator.kill()
            psutil.wait_procs(workers, timeout=3.0)

    def _show(self, progress: Progress, view: LiveView, clock: RunClock) -> None:
        with view.harmless():
            view.show(progress.now(clock.now_s(), dict(self.sampler.latest)))

    def cool_down(
        self, run: RunDir, load: Load, progress: Progress, view: LiveView, clock: RunClock
    ) -> End:
        """Sample on after a load that was completed, as long as the profile says."""
        if load.cooldown is None:
            return End("completed")
        write_event(run, clock, COOLING_DOWN)
        until_s = clock.now_s() + load.cooldown
        while clock.now_s() < until_s:
            if (end := self._end()) is not None and end.how != "completed":
                return End("completed") if end.how == "interrupted" else end
            self._show(progress, view, clock)
            time.sleep(TICK_S)
        write_event(run, clock, COOLED_DOWN)
        return End("completed")

    def _heed_guards(self, view: LiveView) -> None:
        if self.guarded is not None:
            self.guarded.heed(view)

    def _end(self) -> End | None:
        if self.services is not None and (why := self.services.first_death()):
            return End("service_died", why)
        if self.sampler.broken is not None:
            why = self.sampler.broken.strerror or str(self.sampler.broken)
            return End("aborted", f"recording cannot be written: {why}")
        if self.interrupt.count:
            return End("interrupted", STOPPED)
        if self.guarded is not None and (why := self.guarded.stopped):
            return End("interrupted", why)
        if self.guarded is not None and (why := self.guarded.spoilt):
            return End("aborted", why, in_order=True)
        if why := next((why for reason in self.stops if (why := reason())), ""):
            return End("aborted", why)
        if self.enough is not None and (why := self.enough()):
            return End("completed", why)
        over = self.generator.process.poll() is not None
        return self._died() or (End("completed") if over else None)

    def _overdue(self, now_s: float, taken_s: float, load: Load, progress: Progress) -> End | None:
        if taken_s > self.patience_s and not progress.began:
            gave_up = f"{progress.waiting}, given up after {self.patience_s:g} s"
            return End("aborted", f"{gave_up}; Locust's log says:\n{tail(self.generator.log)}")
        limit_s = load.duration_s + load.stop_patience_s + GIVE_UP_AFTER_S + self.patience_s
        limit_s += progress.paused_s(now_s)
        return End("generator_died", "Locust did not end in time") if now_s > limit_s else None

    def _died(self) -> End | None:
        code = self.generator.process.poll()
        if not code:
            return None
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        log = tail(self.generator.log)
        return End("generator_died", f"Locust ended with {how}; its log says:\n{log}")

    def _stop_in_order(self, timeout_s: float) -> None:
        self.generator.stop()
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and self.interrupt.count < 2:
            if self.generator.wait(TICK_S):
                return

    def _workers(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self.generator.process.pid).children()
        except psutil.Error:
            return []
