"""What a run looks like right now: tails the recording while it grows."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from typing import Any

from analysis.statistics.percentiles import quantile
from analysis.words.units import format_moment
from recording.durations import format_duration
from recording.events import (
    COOLING_DOWN,
    LEVEL_STARTED,
    PHASE_STARTED,
    PHASES_ENDED,
    SLOTS_STARTED,
    WORKER_JOINED,
)
from recording.histogram import Histogram, merge
from recording.hlog import Interval, of_requests, parse_hlog
from recording.manifest import PairedRun
from recording.metric_names import LOCUST, USERS
from recording.outcomes import is_failure
from recording.profile import Profile
from recording.rundir import RunDir
from recording.series import SeriesRows
from recording.slots import ARMS, Arm, Slots
from recording.tail import Tail
from recording.timetable import paused_s, pauses_of

WINDOW_S = 10.0


@dataclass(frozen=True, slots=True)
class StepNow:
    """One step over the last few seconds; latencies in ms, nan without requests.

    ``p95_ms`` has both arms of a paired run, and is empty outside one.
    """

    name: str
    rate_per_s: float
    p50_ms: float
    p99_ms: float
    failures: int
    p95_ms: Mapping[Arm, float]


@dataclass(frozen=True, slots=True)
class Now:
    """One frame of the live view."""

    t_s: float
    phase: str
    turn: str
    measured: bool
    left_s: float
    users: int
    rate_per_s: float
    failures: int
    steps: tuple[StepNow, ...]
    services: Mapping[str, Mapping[str, float]]
    told: str = ""
    """The moment of the story, ``T+6h14m (12m28s)``; "" where the run tells none."""

    @property
    def clock(self) -> str:
        """The moment in words."""
        return self.told or f"T+{format_duration(round(self.t_s))}"


class Progress:
    """Follows one run."""

    def __init__(
        self, run: RunDir, profile: Profile, paired: PairedRun | None = None, workers: int = 1
    ) -> None:
        self._profile = profile
        self._workers = workers
        self._joined: set[str] = set()
        self._paired = paired
        self._slots: Slots | None = None
        self._log = Tail(run.latency)
        self._load, self._rows = Tail(run.load), SeriesRows()
        self._events = Tail(run.events)
        self._phase = ""
        self._measured = False
        self._level = ""
        self._began_s: float | None = None
        self._turns: list[Mapping[str, Any]] = []
        self._recent: deque[Interval] = deque()
        self._failures = 0
        self._users = 0

    def now(self, run_s: float, services: Mapping[str, Mapping[str, float]]) -> Now:
        """The frame at ``run_s`` seconds since the run's epoch."""
        self._follow()
        steps = tuple(self._steps())
        t_s = 0.0 if self._began_s is None else run_s - self._began_s
        return Now(
            t_s=t_s,
            phase=self._phase if self._began_s is not None else self.waiting,
            turn=self._turn(run_s),
            measured=self._measured,
            left_s=max(0.0, self._profile.load.duration_s - t_s + self.paused_s(run_s)),
            users=self._users,
            rate_per_s=sum(step.rate_per_s for step in steps),
            failures=self._failures,
            steps=steps,
            services=services,
            told=self._told(t_s),
        )

    def _told(self, t_s: float) -> str:
        by_phases = self._paired is None and not self._level
        story = self._profile.load.story if by_phases else None
        return format_moment(t_s, story) if story else ""

    @property
    def began(self) -> bool:
        """Whether the first user was sent; until then there is nothing to end in good order."""
        self._follow_phases()
        return self._began_s is not None

    def paused_s(self, run_s: float) -> float:
        """How long the load stood still until now, s."""
        return paused_s(pauses_of(self._turns), run_s)

    @property
    def waiting(self) -> str:
        """How many workers have come, before the first user is sent."""
        return f"waiting for workers {len(self._joined)} of {self._workers}"

    @property
    def stopping(self) -> str:
        """How long requests under way are waited for."""
        longest = format_duration(self._profile.load.stop_patience_s)
        return f"stopping, up to {longest}"

    def _follow(self) -> None:
        for interval in of_requests(self._recorded()):
            self._recent.append(interval)
            if is_failure(interval.tag.outcome):
                self._failures += interval.histogram.n
        newest_s = max((i.start_s for i in self._recent), default=0.0)
        while self._recent and self._recent[0].start_s <= newest_s - WINDOW_S:
            self._recent.popleft()
        self._follow_phases()
        for sample in self._rows.samples(self._load.lines()):
            if (sample.subject, sample.metric) == (LOCUST, USERS):
                self._users = int(sample.value)

    def _recorded(self) -> tuple[Interval, ...]:
        return parse_hlog(self._log.lines().encode().splitlines(keepends=True)).intervals

    def _follow_phases(self) -> None:
        for event in self._events.rows():
            if event["event"] == WORKER_JOINED and self._began_s is None:
                self._joined.add(event["worker"])
            elif event["event"] == PHASE_STARTED:
                self._turns.append(event)
                self._phase, self._measured = event["phase"], event["measured"]
                self._began_s = event["t_s"] if self._began_s is None else self._began_s
            elif event["event"] == PHASES_ENDED:
                self._phase, self._measured, self._slots = self.stopping, False, None
            elif event["event"] == COOLING_DOWN:
                self._phase = f"cooling down {format_duration(self._profile.load.cooldown or 0)}"
            elif event["event"] == LEVEL_STARTED:
                self._level = f"level {event['number'] + 1}: {event['why']}"
            elif event["event"] == SLOTS_STARTED and self._paired and self._profile.gate:
                self._slots = self._profile.gate.slots(event["start_s"], self._paired.head_first)

    def _turn(self, run_s: float) -> str:
        """Which round of a paired run it is, and whose turn; or the level of a search."""
        if self._level:
            return self._level
        if self._slots is None or run_s < self._slots.start_s:
            return ""
        slot = min(self._slots.slot_at(run_s), self._slots.count - 1)
        number, arm = self._slots.round_of(slot), self._slots.arm_of(slot)
        if number < 0:
            return f"warm-up ({arm})"
        return f"round {number + 1} of {len(self._slots.head_first)} ({arm})"

    def _steps(self) -> list[StepNow]:
        span_s = sum({i.start_s: i.length_s for i in self._recent}.values()) or 1.0
        names = dict.fromkeys(interval.tag.step for interval in self._recent)
        return [self._step(name, span_s) for name in self._profile.flow.in_order(names)]

    def _step(self, name: str, span_s: float) -> StepNow:
        mine = [i for i in self._recent if i.tag.step == name]
        total = merge(i.histogram for i in mine)
        failures = sum(i.histogram.n for i in mine if is_failure(i.tag.outcome))
        by_arm = {
            arm: _quantile_ms(merge(i.histogram for i in mine if i.tag.arm == arm), 0.95)
            for arm in (ARMS if self._paired else ())
        }
        p50_ms, p99_ms = _quantile_ms(total, 0.5), _quantile_ms(total, 0.99)
        return StepNow(name, total.n / span_s, p50_ms, p99_ms, failures, by_arm)


def _quantile_ms(histogram: Histogram, q: float) -> float:
    return quantile(histogram.values_us, histogram.counts, q) / 1000 if histogram.n else nan
