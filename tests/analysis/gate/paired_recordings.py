"""Recordings of paired runs made to order: equal arms, a slower head, and ways to spoil them."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from analysis.evidence.begun import recorded as begun_in
from analysis.judge import judge
from analysis.limits.thresholds import Thresholds
from analysis.paired.cost_rows import CostRow
from analysis.paired.judge import GateReport
from analysis.regression.rows import Bound, Stakes
from analysis.statistics.looks import LookPlan, balanced_order
from analysis.words.values import Outcome
from recording.closing import close_run
from recording.flow import FLOW
from recording.histogram import Histogram
from recording.hlog import DISTORTION, HistogramLogWriter, Interval, Tag
from recording.journey import Journey, Range
from recording.jsonl import JsonLinesWriter
from recording.load import Load, Phase
from recording.manifest import ArmFacts, Manifest, PairedRun
from recording.orders import ConfirmedOrdersWriter
from recording.profile import Gate, Profile, Sampling
from recording.rundir import RunDir
from recording.series import Sample, SeriesWriter
from recording.slots import ARMS, Arm, Slots
from tests.analysis.books import Books

LOOKS = (16, 24)
ONE_LOOK = LOOKS[-1:]
"""A FAIL at its only look counts its small p-values once, which is what takes time."""
STEPS = ("browse", "start_checkout", "charge")
SERVICES = FLOW.subjects
START_S = 5.25
MEDIAN_MS = 100.0
SIGMA = 0.3
PER_SLOT = 400
"""Requests of each step in the counted part of each slot."""
THINK_S = 0.9


def users_for(per_slot: int, steps: Sequence[str] = STEPS) -> int:
    """Users of both arms that make these requests by Little's law."""
    mean_s = MEDIAN_MS / 1000 * float(np.exp(SIGMA**2 / 2))
    return round(2 * len(steps) * per_slot / 3.0 * (mean_s + THINK_S))


def judged(run: RunDir, thresholds: Thresholds) -> GateReport:
    """The verdict on a paired run."""
    report = judge(run, thresholds)
    assert isinstance(report, GateReport)
    return report


def cost_row(verdict: Outcome, *, lacks: str = "") -> CostRow:
    """CPU of the cart, a third more in head: proven or not, tolerated or not."""
    row = CostRow(
        "cart-service", "cpu_per_request", "us", Stakes(0.002, 0.05, 0.95, 10),
        base=300.0, head=400.0, found=Bound(100.0, 80.0, 120.0, 115.0, 10.0), minimum=30.0,
        degrees=20.0, p_value=1e-5, p_holm=1e-4 if verdict is Outcome.FAIL else 1.0,
        tolerated=200.0 if verdict is Outcome.PASS else 60.0, lacks=lacks,
    )  # fmt: skip
    assert row.verdict is (Outcome.INCONCLUSIVE if lacks else verdict)
    return row


@dataclass
class PairedRecording:
    """What to write; each field is one thing a test may change."""

    slower: Mapping[str, float] = field(default_factory=dict)
    per_slot: int = PER_SLOT
    rounds: int = LOOKS[-1]
    looks: tuple[int, ...] = LOOKS
    seed: int = 7
    head_first: tuple[bool, ...] | None = None
    ended: str = "completed"
    closing: Mapping[str, int] = field(default_factory=dict)
    users: float | None = None
    failed: Mapping[str, float] = field(default_factory=dict)
    distortion_ms: Mapping[str, float] = field(default_factory=dict)
    cpu: Mapping[str, float] = field(default_factory=dict)
    restarted_s: Mapping[str, float] = field(default_factory=dict)
    lag_ms: float = 1.0
    foreign_cores: float = 0.1
    strays: Sequence[Interval] = ()
    without_load: Sequence[tuple[int, str]] = ()
    failing: Sequence[tuple[int, str]] = ()
    failure: str = "http_500"
    orders: Mapping[str, tuple[Sequence[str], Sequence[str]]] = field(
        default_factory=lambda: dict.fromkeys(ARMS, ((), ()))
    )
    """By arm: what clients saw confirmed, and what is in the ledger."""
    books: Mapping[str, Books] = field(default_factory=dict)
    """By arm: ledgers that know of money, in place of ``orders``."""
    twins: bool = False
    """Both arms serve the same latencies in the same order."""
    seeds: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By arm: what its services drew from."""
    silent: str = ""
    unsampled: Sequence[str] = ()
    slots_started: bool = True
    steps: Sequence[str] = STEPS
    lacking: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By arm: steps that it is never asked for; it is asked the more often for the others."""
    at_urls: bool = False
    """Whether the run did not start the services itself."""

    @property
    def end_s(self) -> float:
        """When the last slot ends."""
        return self.slots.start_of(2 * (self.slots.warmup_rounds + self.rounds))

    @property
    def slots(self) -> Slots:
        """The timetable."""
        order = self.head_first or balanced_order(LookPlan(self.looks), self.seed)
        return Slots(START_S, 3.5, 0.5, order, 1)

    def write(self, root: Path) -> RunDir:
        """The run directory."""
        run = RunDir(root)
        run.ledger.mkdir(parents=True)
        intervals = [*self._intervals(), *self.strays]
        with HistogramLogWriter(run.latency, 0.0) as log:
            log.write(intervals)
        for path, rows in ((run.resources, self._samples()), (run.load, self._load())):
            series = SeriesWriter(path)
            series.write(rows)
            series.close()
        events = JsonLinesWriter(run.events)
        events.write(*self._events(begun_in(tuple(intervals))))
        events.close()
        self._write_orders(run)
        close_run(run, self._manifest())
        return run

    def _write_orders(self, run: RunDir) -> None:
        confirmed = ConfirmedOrdersWriter(run.confirmed)
        for arm, books in self.books.items():
            books.write(run, arm)
            confirmed.write((START_S, order, arm) for order, *_ in books.orders)
        for arm, (seen, ledger) in self.orders.items():
            if arm in self.books:
                continue
            confirmed.write((START_S, order, arm) for order in seen)
            connection = sqlite3.connect(run.orders_of(arm))
            connection.execute("CREATE TABLE orders (created_t_s REAL, order_id TEXT)")
            connection.executemany(
                "INSERT INTO orders VALUES (?, ?)", [(START_S, o) for o in ledger]
            )
            connection.commit()
            connection.close()
        confirmed.close()

    def _manifest(self) -> Manifest:
        slots, users = self.slots, users_for(self.per_slot, self.steps)
        measured_s = slots.count * slots.slot_s + 10
        profile = Profile(
            sampling=Sampling(interval=0.5),
            name="gate",
            load=Load(
                phases=(
                    Phase(name="ramp-up", duration=5, users=users),
                    Phase(name="rounds", duration=measured_s, users=users, measured=True),
                )
            ),
            journey=Journey(think=Range(min=THINK_S, max=THINK_S)),
            gate=Gate(slot=slots.slot_s, cut=slots.cut_s, warmup_rounds=1, looks=self.looks),
        )
        return Manifest(
            run_id="gated",
            profile=profile,
            started_utc="2026-11-21T08:00:00+00:00",
            epoch_wall_s=0.0,
            host={"cores": 2},
            ended=self.ended,  # type: ignore[arg-type]
            paired=PairedRun(
                base=ArmFacts(
                    what="url:base.toml" if self.at_urls else "ref:main",
                    revision="a" * 40,
                    seeds=self._seeds("base"),
                ),
                head=ArmFacts(
                    what="url:head.toml" if self.at_urls else ".",
                    revision="b" * 40,
                    dirty=True,
                    overrides=("x=1",),
                    seeds=self._seeds("head"),
                ),
                seed=self.seed,
                head_first=slots.head_first,
            ),
        )

    def _seeds(self, arm: str) -> dict[str, int]:
        return dict(self.seeds.get(arm, {}))

    def _intervals(self) -> Iterator[Interval]:
        slots, rng = self.slots, np.random.default_rng(self.seed)
        for slot in range(2 * (slots.warmup_rounds + self.rounds)):
            arm, where = slots.arm_of(slot), (slots.round_of(slot), slots.arm_of(slot))
            cut = (slots.start_of(slot), slots.cut_s)
            counted = (slots.counted_from(slot), slots.slot_s - slots.cut_s)
            yield Interval(Tag("generator", "lag"), *counted, _spread(self.lag_ms, 20))
            own = [step for step in self.steps if step not in self.lacking.get(arm, ())]
            per_slot = self.per_slot * len(self.steps) // len(own)
            for step in own if where not in self.without_load else ():
                factor = self.slower.get(step, 1.0) if arm == "head" else 1.0
                if self.twins:
                    rng = np.random.default_rng([self.steps.index(step), slots.round_of(slot) + 9])
                drawn = rng.lognormal(np.log(MEDIAN_MS * factor), SIGMA, per_slot) * 1000
                yield Interval(Tag(step, "ok", arm), *cut, _spread(3000.0, 30))
                yield from self._of_step(step, where, counted, drawn)

    def _of_step(
        self, step: str, where: tuple[int, Arm], counted: tuple[float, float], drawn: np.ndarray
    ) -> Iterator[Interval]:
        arm = where[1]
        share = 1.0 if where in self.failing else self.failed.get(arm, 0.0)
        failed = round(share * len(drawn))
        if failed:
            part = Histogram.from_values(drawn[:failed])
            yield Interval(Tag(step, self.failure, arm), *counted, part)
        # Two lines for one interval and tag, as two workers' late reports give.
        for part_us in np.array_split(drawn[failed:], 2):
            if len(part_us):
                yield Interval(Tag(step, "ok", arm), *counted, Histogram.from_values(part_us))
        distortion = _spread(self.distortion_ms.get(arm, 2.0), 20)
        yield Interval(Tag(step, "ok", arm, DISTORTION), *counted, distortion)

    def _samples(self) -> Iterator[Sample]:
        for second in np.arange(0.0, self.end_s + 3.0, 0.5).tolist():
            for subject in (f"{service}@{arm}" for service in SERVICES for arm in ARMS):
                if subject in self.unsampled:
                    continue
                if subject == self.silent and second > self.end_s / 2:
                    continue
                cpu = self.cpu.get(subject, 0.2)
                yield Sample(second, subject, "up", 1.0)
                born_s = self.restarted_s.get(subject, np.inf)
                lived_s = second - born_s if second >= born_s else second
                yield Sample(second, subject, "process_cpu_seconds_total", cpu * lived_s)
            busy = (1.0 + self.foreign_cores) * second
            yield Sample(second, "host", "cpu_busy_seconds_total", busy)
            yield Sample(second, "host", "own_cpu_seconds_total", second)

    def _load(self) -> Iterator[Sample]:
        users = users_for(self.per_slot, self.steps) if self.users is None else self.users
        for second in range(int(self.end_s) + 3):
            yield Sample(second, "locust", "users", float(users))
            cpu_s = self.cpu.get("locust", 0.3) * second
            yield Sample(second, "locust-worker-01", "process_cpu_seconds_total", cpu_s)

    def _events(self, begun: Mapping[str, int]) -> Iterator[Mapping[str, Any]]:
        yield _event(0.2, "phase_started", phase="ramp-up", measured=False)
        if self.slots_started:
            yield _event(0.2, "slots_started", start_s=START_S)
        yield _event(5.3, "phase_started", phase="rounds", measured=True)
        if self.ended == "running":
            return
        end_s = self.end_s + 1.0
        yield _event(end_s, "phases_ended", early=self.rounds < self.looks[-1])
        seen = {arm: seen for arm, (seen, _) in self.orders.items()}
        seen |= {arm: books.orders for arm, books in self.books.items()}
        orders = sum(map(len, seen.values()))
        recorded = sum(begun.values())
        counts: dict[str, Any] = {"recorded": recorded, "begun": begun, "cut_off": 0}
        counts |= {"orders": orders, "errors": 0, "locust_requests": recorded}
        yield _event(end_s + 1, "generator_ended", **counts | dict(self.closing), last_error="")
        yield _event(end_s + 2, "run_ended", how=self.ended)


@lru_cache(1000)
def _spread(ms: float, n: int) -> Histogram:
    return Histogram.from_values(np.rint(np.linspace(0.9, 1.1, n) * ms * 1000))


def _event(t_s: float, event: str, **details: Any) -> dict[str, Any]:
    return {"t_s": t_s, "source": "locust", "event": event, **details}
