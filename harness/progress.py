"""What a run looks like right now: tails the recording while it grows."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from analysis.percentiles import quantile
from recording.flow import STEPS
from recording.histogram import Histogram, merge
from recording.hlog import LATENCY, Interval, parse_hlog
from recording.outcomes import EXPECTED_OUTCOMES
from recording.profile import Profile
from recording.rundir import RunDir

WINDOW_S = 10.0


@dataclass(frozen=True, slots=True)
class StepNow:
    """One step over the last few seconds; latencies in ms, nan without requests."""

    name: str
    rate_per_s: float
    p50_ms: float
    p99_ms: float
    failures: int


@dataclass(frozen=True, slots=True)
class Now:
    """One frame of the live view."""

    t_s: float
    phase: str
    measured: bool
    left_s: float
    users: int
    rate_per_s: float
    failures: int
    steps: tuple[StepNow, ...]
    services: Mapping[str, Mapping[str, float]]


class Tail:
    """Reads what was appended to a file since the last call, whole lines only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def lines(self) -> str:
        """The new whole lines; empty while the file does not exist."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                whole, newline, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return ""
        self._offset += len(whole) + len(newline)
        return (whole + newline).decode(errors="replace")


class Progress:
    """Follows one run."""

    def __init__(self, run: RunDir, profile: Profile) -> None:
        self._profile = profile
        self._log = Tail(run.latency)
        self._load = Tail(run.load)
        self._events = Tail(run.events)
        self._phase = "starting"
        self._measured = False
        self._began_s: float | None = None
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
            phase=self._phase,
            measured=self._measured,
            left_s=max(0.0, self._profile.load.duration_s - t_s),
            users=self._users,
            rate_per_s=sum(step.rate_per_s for step in steps),
            failures=self._failures,
            steps=steps,
            services=services,
        )

    def _follow(self) -> None:
        for interval in parse_hlog(self._log.lines()).intervals:
            if interval.tag.kind == LATENCY and interval.tag.step != "generator":
                self._recent.append(interval)
                if interval.tag.outcome not in EXPECTED_OUTCOMES:
                    self._failures += interval.histogram.n
        newest_s = max((i.start_s for i in self._recent), default=0.0)
        while self._recent and self._recent[0].start_s <= newest_s - WINDOW_S:
            self._recent.popleft()
        self._follow_phases()
        for line in self._load.lines().splitlines():
            parts = line.split(",")
            if parts[1:3] == ["locust", "users"]:
                self._users = int(float(parts[3]))

    def _follow_phases(self) -> None:
        for line in self._events.lines().splitlines():
            event = orjson.loads(line)
            if event["event"] == "phase_started":
                self._phase, self._measured = event["phase"], event["measured"]
                self._began_s = event["t_s"] if self._began_s is None else self._began_s
            elif event["event"] == "phases_ended":
                self._phase, self._measured = "stopping", False

    def _steps(self) -> list[StepNow]:
        starts = {interval.start_s for interval in self._recent}
        span_s = len(starts) * self._profile.recording.interval or 1.0
        names = dict.fromkeys(interval.tag.step for interval in self._recent)
        return [self._step(name, span_s) for name in sorted(names, key=_flow_order)]

    def _step(self, name: str, span_s: float) -> StepNow:
        mine = [i for i in self._recent if i.tag.step == name]
        total: Histogram = merge(i.histogram for i in mine)
        failures = sum(i.histogram.n for i in mine if i.tag.outcome not in EXPECTED_OUTCOMES)
        p50_us, p99_us = (quantile(total.values_us, total.counts, q) for q in (0.5, 0.99))
        return StepNow(name, total.n / span_s, p50_us / 1000, p99_us / 1000, failures)


def _flow_order(name: str) -> int:
    return STEPS.index(name) if name in STEPS else len(STEPS)
