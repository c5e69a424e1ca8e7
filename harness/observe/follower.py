"""Follows a run's recording and counts what is in it, for whoever scrapes it while it grows.

Everything is from the recorder's intervals, the events and the generator's series, none of it
from Locust's statistics. What was counted once stays: counters of a run never fall.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from analysis.limits.rules import Rule
from harness.observe.buckets import Buckets, harness_bounds_s, latency_bounds_s
from recording.events import PHASE_STARTED, PHASES_ENDED, RUN_ENDED
from recording.hlog import DISTORTION, GENERATOR, INTENDED, LATENCY, RETRY, Interval, parse_hlog
from recording.metric_names import LOCUST, USERS
from recording.outcomes import OK
from recording.profile import Profile
from recording.rundir import RunDir
from recording.series import SeriesRows
from recording.tail import Tail
from recording.text import plain

MOST_EVENTS = 200
"""Kinds of event that are told apart, by source and details; the rest is counted only."""
_DETAIL_CHARS = 120
_UNTOLD = {"t_s", "source", "event", "body", "request_id"}
"""Of an event: what is a label already, or is another one each time."""

Key = tuple[str, str, bool]
"""Step, outcome, and whether the phase is measured."""


class Follower:
    """What a recording holds so far; `follow` reads what is new. For one thread at a time."""

    def __init__(self, run: RunDir, profile: Profile, rules: Iterable[Rule]) -> None:
        self._run = run
        self._log, self._load, self._events = map(Tail, (run.latency, run.load, run.events))
        self._rows = SeriesRows()
        self._latency = INTENDED if profile.load.model == "arrivals" else LATENCY
        bounds_s = latency_bounds_s(rules, profile.load.request_timeout)
        distortion_s = harness_bounds_s(profile.validity.distortion_p99)
        self.requests: Counter[Key] = Counter()
        self.retries: Counter[str] = Counter()
        self.durations = defaultdict[Key, Buckets](lambda: Buckets(bounds_s))
        self.distortions = defaultdict[tuple[str, bool], Buckets](lambda: Buckets(distortion_s))
        self.lag = Buckets(harness_bounds_s(profile.validity.generator_lag_p99))
        self.users: float | None = None
        self.workers: dict[tuple[str, str], float] = {}
        self.phases: list[tuple[float, str, bool]] = []
        """When each began, s since the run's epoch, its name, and whether it is measured."""
        self.event_counts: Counter[tuple[str, str]] = Counter()
        self.event_times_s: dict[tuple[str, str, str], float] = {}
        self.stopping = self.ended = False
        self.verdict = ""

    def follow(self) -> None:
        """Count what was recorded since the last call. Raises OSError and ValueError."""
        for row in self._events.rows():
            self._take_event(row)
        for interval in parse_hlog(self._log.lines().encode().splitlines(keepends=True)).intervals:
            self._take(interval)
        for sample in self._rows.samples(self._load.lines()):
            if (sample.subject, sample.metric) == (LOCUST, USERS):
                self.users = sample.value
            else:
                self.workers[sample.subject, sample.metric] = sample.value
        if self.ended and not self.verdict and self._run.verdict.exists():
            self.verdict = str(orjson.loads(self._run.verdict.read_bytes())["verdict"])

    @property
    def confirmed(self) -> int:
        """Orders that clients saw confirmed."""
        return sum(n for (step, outcome, _), n in self.requests.items()
                   if (step, outcome) == ("confirm", OK))  # fmt: skip

    @property
    def phase(self) -> str:
        """The newest; "" before the first."""
        return self.phases[-1][1] if self.phases else ""

    def _take(self, interval: Interval) -> None:
        tag, values = interval.tag, interval.histogram
        if tag.step == GENERATOR:
            self.lag.add(values)
            return
        key = (tag.step, tag.outcome, self._is_measured(interval.start_s))
        if tag.kind == LATENCY:
            self.requests[key] += values.n
        if tag.kind == self._latency:
            self.durations[key].add(values)
        if tag.kind == DISTORTION:
            self.distortions[tag.step, key[2]].add(values)
        if tag.kind == RETRY:
            self.retries[tag.step] += values.n

    def _is_measured(self, start_s: float) -> bool:
        """By the phase in which an interval begins; its event is always recorded before it."""
        place = bisect_right(self.phases, start_s, key=lambda phase: phase[0])
        return place > 0 and self.phases[place - 1][2]

    def _take_event(self, row: Mapping[str, Any]) -> None:
        event, at_s = str(row.get("event")), float(row.get("t_s", 0.0))
        if event == PHASE_STARTED:
            self.phases.append((at_s, str(row.get("phase")), bool(row.get("measured"))))
        elif event == PHASES_ENDED:
            self.phases.append((at_s, "", False))
            self.stopping = True
        self.ended |= event == RUN_ENDED
        source = plain(str(row.get("source", "")), _DETAIL_CHARS)
        event = plain(event, _DETAIL_CHARS)
        self.event_counts[event, source] += 1
        named = (event, source, _detail(row))
        if named in self.event_times_s or len(self.event_times_s) < MOST_EVENTS:
            self.event_times_s[named] = at_s


def _detail(row: Mapping[str, Any]) -> str:
    """What an event says beside its name: ``replicas_before=2 replicas_after=3``."""
    said = (f"{key}={value}" for key, value in row.items()
            if key not in _UNTOLD and isinstance(value, str | int | bool))  # fmt: skip
    return plain(" ".join(said), _DETAIL_CHARS)
