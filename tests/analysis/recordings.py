"""Recordings made to order: a healthy one, and every way it can be spoilt."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

from analysis.evidence.begun import recorded as begun_in
from recording.closing import close_run
from recording.flow import FLOW, STEPS, Services
from recording.histogram import Histogram
from recording.hlog import DISTORTION, OPENING, RETRY, HistogramLogWriter, Interval, Tag
from recording.journey import Journey, Range
from recording.jsonl import JsonLinesWriter
from recording.load import Load, Phase
from recording.manifest import Manifest
from recording.orders import ConfirmedOrdersWriter
from recording.outcomes import LOWER_BOUNDS
from recording.profile import Profile, Target
from recording.rundir import RunDir
from recording.series import Sample, SeriesWriter
from tests.analysis.books import Books

USERS = 100
THINK_S = 0.9
LATENCY_S = 0.1
RATE = USERS / (THINK_S + LATENCY_S)
START_S, END_S = 10.0, 40.0
STALL_S = range(20, 23)
STALLED_MS = 3000.0
SERVICES = ("checkout-service", "payment-gateway", "inventory-lock-service", "cart-service")
DISTORTION_EVERY_S = 4
"""It is judged over the whole run: fewer lines, which are what writing and reading take."""
SMALL: dict[str, Any] = {
    "start_s": 1.0,
    "end_s": 5.0,
    "steps": ("charge",),
    "ledger": ((2.0, "ord-1"), (3.0, "ord-2")),
}
"""A healthy recording of five seconds and one step, for whoever needs no more."""
JOURNEY = Journey(think=Range(min=THINK_S, max=THINK_S))


def load_for(ramp_s: float, measured_s: float) -> Load:
    """All users from the end of the ramp to the end."""
    return Load(
        phases=(
            Phase(name="ramp-up", duration=ramp_s, users=USERS),
            Phase(name="sustained", duration=measured_s, users=USERS, measured=True),
        )
    )


LOAD = load_for(START_S, END_S - START_S)


@dataclass
class Recording:
    """What to write; each field is one thing a test may spoil."""

    latency_ms: Mapping[str, float] = field(default_factory=dict)
    outcomes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    breaks: Mapping[str, str] = field(default_factory=dict)
    """The outcome of all requests of a step during `breaks_s`."""
    breaks_s: range = range(0)
    late_ms: float = 30_000.0
    """Latency of what never ended: timeouts, and the age of what was cut off."""
    distortion_ms: float = 1.0
    distortion_every_s: int = DISTORTION_EVERY_S
    opening_ms: float = 0.0
    """What requests wait for a connection of their own; 0: theirs are kept."""
    lag_ms: float = 1.0
    users: float = USERS
    rate: float = RATE
    cpu: Mapping[str, float] = field(default_factory=dict)
    cpu_wait: float = 0.0
    stolen_cores: float = 0.0
    foreign_cores: float = 0.1
    rss_mb_per_h: float = 0.0
    restarted_s: Mapping[str, Sequence[int]] = field(default_factory=dict)
    pool: Sequence[tuple[float, float, float, float]] = ((0.0, 10.0, 2.0, 0.0),)
    timeouts: float = 0.0
    events: Sequence[Mapping[str, Any]] = ()
    ended: str = "completed"
    closing: Mapping[str, Any] = field(default_factory=dict)
    orders: Sequence[str] = ("ord-1", "ord-2")
    ledger: Sequence[tuple[float, str]] | None = ((20.0, "ord-1"), (30.0, "ord-2"))
    books: Books | None = None
    """Ledgers that know of money, in place of `ledger`."""
    without: tuple[str, ...] = ()
    """Metrics that no service exports."""
    samples: Sequence[Sample] = ()
    """More of them."""
    said: Callable[[Sample], float | None] = attrgetter("value")
    """What a service says in place of a sample's value; None: nothing."""
    urls: bool = False
    """Whether the services were there already and the run only knew their urls."""
    stalled: tuple[str, ...] = ()
    """Services that stand still during `STALL_S`; their requests wait as long."""
    silent: tuple[str, ...] | None = None
    """Services that give no metrics then; None: those that stand still."""
    seconds_lost: frozenset[int] = frozenset()
    judged: tuple[str, ...] = ("latency", "errors", "pool", "orders")
    again_s: Mapping[str, float] = field(default_factory=dict)
    """Waits before a retry, by step: every failure of it is asked again."""
    steps: Sequence[str] = STEPS
    journey: Journey = JOURNEY
    services: Services = FLOW
    begins_s: float = 0.0
    """When the first phase begins."""
    start_s: float = START_S
    end_s: float = END_S
    load: Load | None = None
    """In place of the usual, with the same phases at the same times."""

    def write(self, root: Path) -> RunDir:
        """The run directory."""
        run = RunDir(root)
        run.ledger.mkdir(parents=True)
        intervals = [i for i in self._intervals() if int(i.start_s) not in self.seconds_lost]
        with HistogramLogWriter(run.latency, 0.0) as log:
            log.write(intervals)
        events = self._events(begun_in(tuple(intervals)))
        _write(run, self._exported(), self._load(), events, self.orders)
        self._write_ledger(run)
        if self.books is not None:
            self.books.write(run)
        urls = dict.fromkeys(("checkout", "payment", "cart"), "http://127.0.0.1:9")
        target = Target(**urls) if self.urls else Target()
        load = self.load or load_for(self.start_s, self.end_s - self.start_s)
        profile = Profile(name="made", load=load, journey=self.journey, target=target)
        judge = profile.judge.model_copy(update={"required": self.judged})
        close_run(
            run,
            Manifest(
                run_id="made",
                profile=profile.model_copy(update={"judge": judge}),
                started_utc="2025-09-22T08:00:00+00:00",
                epoch_wall_s=0.0,
                host={"cores": 2},
                ended=self.ended,  # type: ignore[arg-type]
                services=self.services.all,
                steps=self.services.order,
            ),
        )
        return run

    def _intervals(self) -> Iterator[Interval]:
        for second in range(int(self.end_s)):
            for step in self.steps:
                if not (n := _whole(self.rate / len(self.steps), second)):
                    continue
                waits = self._waits(step, second)
                ms = STALLED_MS if waits else self.latency_ms.get(step, 1000 * LATENCY_S)
                for outcome, share in self._outcomes(step, second).items():
                    count = _whole(n * share, second)
                    took_ms = self.late_ms if outcome in LOWER_BOUNDS else ms
                    yield _interval(Tag(step, outcome), second, took_ms, count)
                    if step in self.again_s and outcome != "ok":
                        again = Tag(step, outcome, kind=RETRY)
                        yield _interval(again, second, 1000 * self.again_s[step], count)
                if waits or second % self.distortion_every_s == 0:
                    tag = Tag(step, "ok", kind=DISTORTION)
                    yield _interval(tag, second, STALLED_MS if waits else self.distortion_ms, n)
                    if self.opening_ms:
                        yield _interval(replace(tag, kind=OPENING), second, self.opening_ms, n)
            yield _interval(Tag("generator", "lag"), second, self.lag_ms, 20)

    def _outcomes(self, step: str, second: int) -> Mapping[str, float]:
        if second in self.breaks_s and step in self.breaks:
            return {self.breaks[step]: 1.0}
        return self.outcomes.get(step, {"ok": 1.0})

    def _waits(self, step: str, second: int) -> bool:
        return second in STALL_S and self.services.service_of(step) in self.stalled

    def _answers(self, subject: str, second: int) -> bool:
        silent = self.stalled if self.silent is None else self.silent
        return second not in STALL_S[1:] or subject not in silent

    def _exported(self) -> Iterator[Sample]:
        for sample in (*self._samples(), *self.samples):
            value = self.said(sample)
            if sample.metric.partition("/")[0] not in self.without and value is not None:
                yield replace(sample, value=value)

    def _samples(self) -> Iterator[Sample]:
        for second in range(int(self.end_s) + 1):
            for subject in self.services.subjects:
                cpu = self.cpu.get(subject, 0.2)
                rss = 100 * 2**20 * (1 + second % 2 * 1e-4)
                rss += self.rss_mb_per_h * 2**20 * second / 3600
                yield Sample(second, subject, "up", float(self._answers(subject, second)))
                begun = max(
                    (s for s in self.restarted_s.get(subject, ()) if s <= second), default=0
                )
                cpu_s = cpu * (second - begun)
                yield Sample(second, subject, "process_cpu_seconds_total", cpu_s)
                yield Sample(second, subject, "process_resident_memory_bytes", rss)
                for name, value in self._pool_at(second).items():
                    yield Sample(second, subject, f"connection_pool_{name}/p/0", value)
            busy = (1.0 + self.foreign_cores) * second
            yield Sample(second, "host", "cpu_busy_seconds_total", busy)
            yield Sample(second, "host", "own_cpu_seconds_total", 1.0 * second)
            yield Sample(second, "host", "cpu_steal_seconds_total", self.stolen_cores * second)
            yield Sample(second, "cart-service", "container_spec_memory_limit_bytes", 2.0 * 2**30)

    def _pool_at(self, second: float) -> dict[str, float]:
        _, maximum, active, waiting = next(row for row in reversed(self.pool) if row[0] <= second)
        timeouts = self.timeouts if waiting else 0.0
        return {"max": maximum, "active": active, "waiting": waiting, "timeouts_total": timeouts}

    def _load(self) -> Iterator[Sample]:
        for second in range(int(self.end_s) + 1):
            users = self.users * min(1.0, second / self.start_s)
            yield Sample(second, "locust", "users", users)
            worker = "locust-worker-01"
            cpu = self.cpu.get("locust", 0.3)
            yield Sample(second, worker, "process_cpu_seconds_total", cpu * second)
            yield Sample(second, worker, "run_queue_wait_seconds", self.cpu_wait * second)

    def _events(self, begun: Mapping[str, int]) -> Iterator[Mapping[str, Any]]:
        yield _event(self.begins_s, "phase_started", phase="ramp-up", measured=False)
        yield _event(self.start_s, "phase_started", phase="sustained", measured=True)
        yield from self.events
        yield _event(self.end_s, "phases_ended", early=False)
        if self.ended == "running":
            return
        recorded = sum(begun.values())
        counts: dict[str, Any] = {"recorded": recorded, "orders": len(self.orders), "errors": 0}
        counts |= {"begun": begun, "cut_off": 0}
        counts |= {"locust_requests": recorded, "locust_failures": 0} | dict(self.closing)
        yield _event(self.end_s + 1, "generator_ended", **counts, last_error="")
        yield _event(self.end_s + 2, "run_ended", how=self.ended)

    def _write_ledger(self, run: RunDir) -> None:
        if self.ledger is None:
            return
        connection = sqlite3.connect(run.orders)
        connection.execute("CREATE TABLE orders(created_t_s REAL, order_id TEXT)")
        connection.executemany("INSERT INTO orders VALUES (?, ?)", self.ledger)
        connection.commit()
        connection.close()


def _whole(per_s: float, second: int) -> int:
    """Whole requests of one second, of the whole run adding up to the rate."""
    return int((second + 1) * per_s) - int(second * per_s)


def _interval(tag: Tag, second: int, ms: float, n: int) -> Interval:
    return Interval(tag, float(second), 1.0, _spread(ms, n))


@lru_cache(1000)
def _spread(ms: float, n: int) -> Histogram:
    values_ms = np.linspace(0.9, 1.1, max(n, 1))[:n] * ms
    return Histogram.from_values(np.rint(values_ms * 1000))


def _event(t_s: float, event: str, **details: Any) -> dict[str, Any]:
    return {"t_s": t_s, "source": "locust", "event": event, **details}


def _write(
    run: RunDir,
    samples: Iterator[Sample],
    load: Iterator[Sample],
    events: Iterator[Mapping[str, Any]],
    orders: Sequence[str],
) -> None:
    for path, rows in ((run.resources, samples), (run.load, load)):
        series = SeriesWriter(path)
        series.write(rows)
        series.close()
    log = JsonLinesWriter(run.events)
    log.write(*events)
    log.close()
    confirmed = ConfirmedOrdersWriter(run.confirmed)
    confirmed.write((20.0, order, "") for order in orders)
    confirmed.close()
