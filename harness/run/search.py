"""Runs a search: announces one level after the other, each chosen from what those before it saw.

The load follows (``locustfiles/levels.py``). What was seen is what the judge sees in the same
recording later, so a search can be judged again from its run directory alone.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Protocol

from analysis.evidence.run import load_evidence
from analysis.evidence.window import recorded_until_s
from analysis.levels.seen import Seen, see
from analysis.limits.thresholds import Thresholds
from harness.run.events import write_event
from harness.scene.scene import Scene
from recording.clock import RunClock
from recording.errors import LoadgateError
from recording.events import LEVEL_ENDED, LEVEL_STARTED, PHASE_STARTED
from recording.levels import Level
from recording.manifest import Searched
from recording.profile import Profile
from recording.rundir import RunDir
from recording.tail import Tail

LOOKS_EVERY_S = 0.1
LEAD_S = 0.5
"""Between the announcement of a level, or of its end, and the moment itself: every worker knows."""
RECORDED_WITHIN_S = 15.0
"""After a slot. Intervals wait for slow requests, and for a busy machine."""

log = logging.getLogger(__name__)
Latest = Mapping[str, Mapping[str, float]]
"""The newest sampled values of each subject."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A level to try: what of ``seconds`` is cut, and what the services are told before it."""

    load: float
    seconds: float
    cut_s: float
    settings: Mapping[str, Any]
    why: str = ""


class Chooser(Protocol):
    """Knows what a search is looking for."""

    def next(self, seen: Sequence[Seen]) -> Wanted | None:
        """The level after these; None when they are enough."""

    def hopeless(self, wanted: Wanted, latest: Latest) -> bool:
        """Whether a slot that is under way need not be waited for: it fails by far."""


Apply = Callable[[Mapping[str, Any], threading.Event], None]
"""Tells the services; returns when it is in force, or the search is over. Raises LoadgateError."""


@dataclass(frozen=True, slots=True)
class Search:
    """What an order looks for. ``apply`` makes, of a scene that is up, what tells its services."""

    facts: Searched
    chooser: Chooser
    thresholds: Thresholds
    apply: Callable[[Scene], Apply]


class Searcher(threading.Thread):
    """``finished`` says that enough is known, ``problem`` why it cannot go on; "" until then."""

    def __init__(
        self,
        search: Search,
        profile: Profile,
        scene: Scene,
        latest: Callable[[], Latest],
        run: RunDir,
        clock: RunClock,
    ) -> None:
        super().__init__(name="search", daemon=True)
        self.finished = ""
        self.problem = ""
        self._search = search
        self._grid_s = profile.recording.interval
        self._apply = search.apply(scene)
        self._latest = latest
        self._run = run
        self._clock = clock
        self._over = threading.Event()
        self._events = Tail(run.events)

    def stop(self) -> None:
        """Announce no further level."""
        self._over.set()
        if self.is_alive():
            self.join()

    def run(self) -> None:
        """The thread."""
        try:
            self._search_on()
        except LoadgateError as error:
            self.problem = str(error)
        except Exception as error:  # a thread that dies unheard would leave the run waiting
            log.exception("the search cannot go on")
            self.problem = f"the search cannot go on: {type(error).__name__}: {error}"

    def _search_on(self) -> None:
        seen: list[Seen] = []
        told: Mapping[str, Any] | None = None
        if not self._until(self._load_began):
            return
        while (wanted := self._search.chooser.next(seen)) is not None:
            if wanted.settings != told:
                self._apply(wanted.settings, self._over)
                told = wanted.settings
            level = self._slot(wanted, number=len(seen))
            if level is None:
                return
            seen.append(self._seen(level))
        self.finished = f"the search needed {len(seen)} levels"

    def _load_began(self) -> bool:
        return any(row["event"] == PHASE_STARTED for row in self._events.rows())

    def _slot(self, wanted: Wanted, number: int) -> Level | None:
        """The level when its slot is over; None when the search was stopped before."""
        level = self._announced(wanted, number)
        while not self._over.wait(LOOKS_EVERY_S):
            now_s = self._clock.now_s()
            if now_s >= level.end_s:
                return level
            counts = now_s >= level.counted_from_s + self._grid_s
            if counts and self._search.chooser.hopeless(wanted, self._latest()):
                return self._ended_early(level)
        return None

    def _announced(self, wanted: Wanted, number: int) -> Level:
        """On the grid of the recording's intervals, so that each belongs to one level."""
        start_s = self._on_grid(self._clock.now_s() + LEAD_S)
        counted_s, end_s = (
            start_s + max(1, round(s / self._grid_s)) * self._grid_s
            for s in (wanted.cut_s, wanted.seconds)
        )
        end_s = max(end_s, counted_s + self._grid_s)
        settings = dict(wanted.settings)
        level = Level(number, start_s, counted_s, end_s, wanted.load, settings, wanted.why)
        write_event(self._run, self._clock, LEVEL_STARTED, **level.told())
        return level

    def _on_grid(self, t_s: float) -> float:
        return ceil(t_s / self._grid_s) * self._grid_s

    def _ended_early(self, level: Level) -> Level:
        end_s = min(level.end_s, self._on_grid(self._clock.now_s() + LEAD_S))
        write_event(self._run, self._clock, LEVEL_ENDED, number=level.number, end_s=end_s)
        self._until(lambda: self._clock.now_s() >= end_s)
        return Level.of(level.told() | {"end_s": end_s})

    def _seen(self, level: Level) -> Seen:
        """What was recorded of it, once all of it is, but for what is still under way."""
        deadline_s = self._clock.now_s() + RECORDED_WITHIN_S
        evidence = load_evidence(self._run)
        while recorded_until_s(evidence) < level.end_s and self._clock.now_s() < deadline_s:
            if self._over.wait(self._grid_s):
                break
            evidence = load_evidence(self._run)
        return see(evidence, level, self._search.thresholds)

    def _until(self, holds: Callable[[], bool]) -> bool:
        while not holds():
            if self._over.wait(LOOKS_EVERY_S):
                return False
        return True


@contextlib.contextmanager
def searching(
    search: Search | None,
    profile: Profile,
    scene: Scene,
    latest: Callable[[], Latest],
    run: RunDir,
    clock: RunClock,
) -> Iterator[Searcher | None]:
    """Searches meanwhile; None where nothing is searched for."""
    if search is None:
        yield None
        return
    searcher = Searcher(search, profile, scene, latest, run, clock)
    searcher.start()
    try:
        yield searcher
    finally:
        searcher.stop()
