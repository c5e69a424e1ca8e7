"""Paired recordings with everything that services export: what a costlier head looks like there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from analysis.evidence.run import Evidence, load_evidence
from analysis.statistics.looks import LookPlan, balanced_order
from recording.closing import close_run
from recording.flow import FLOW, STEPS
from recording.histogram import Histogram
from recording.hlog import DISTORTION, HistogramLogWriter, Interval, Tag
from recording.jsonl import JsonLinesWriter
from recording.load import Load, Phase
from recording.manifest import ArmFacts, Manifest, PairedRun
from recording.profile import Gate, Profile
from recording.rundir import RunDir
from recording.series import Sample, SeriesWriter
from recording.slots import HEAD, Arm, Slots

SLOT_S, CUT_S, START_S = 2.0, 0.5, 3.0
SAMPLED_S, FIRST_SAMPLE_S = 0.5, 0.13
PER_SLOT = 60
"""Counted requests of each step in a slot; a third as many are in the cut."""
POOLS = {
    "checkout-service": "requests",
    "payment-gateway": "processor",
    "inventory-lock-service": "locks",
}
MB = 2**20
BUCKETS_MS = (1.0, 10.0, 100.0, np.inf)

Stretch = Callable[[str, int, np.ndarray], np.ndarray]
"""(step, round, ms) -> ms: what head does to the latencies of its requests."""


@dataclass
class MeteredRecording:
    """What to write; each field is one thing that head may do differently from base."""

    plan: LookPlan = field(default_factory=lambda: LookPlan((24,)))
    seed: int = 1
    head_ms: Stretch = lambda step, number, ms: ms
    head_errors: Mapping[str, float] = field(default_factory=dict)
    base_errors: Mapping[str, float] = field(default_factory=dict)
    head_distortion_ms: float = 0.0
    head_cpu: Mapping[str, float] = field(default_factory=dict)
    head_active: Mapping[str, float] = field(default_factory=dict)
    head_waiting: Mapping[str, float] = field(default_factory=dict)
    head_wait_ms: Mapping[str, float] = field(default_factory=dict)
    head_mb_per_h: Mapping[str, float] = field(default_factory=dict)
    host: Callable[[float], float] = lambda t_s: 1.0
    services: tuple[str, ...] = FLOW.subjects
    without: tuple[str, ...] = ()
    """Metrics that this system does not export."""

    @property
    def rounds(self) -> int:
        """Counted rounds."""
        return self.plan.rounds[-1]

    @property
    def slots(self) -> Slots:
        """The timetable."""
        return Slots(START_S, SLOT_S, CUT_S, balanced_order(self.plan, self.seed), 2)

    def write(self, root: Path) -> RunDir:
        """The run directory."""
        run = RunDir(root)
        run.root.mkdir(parents=True)
        with HistogramLogWriter(run.latency, 0.0) as log:
            log.write(self._intervals())
        series = SeriesWriter(run.resources)
        series.write(s for s in self._samples() if s.metric.partition("/")[0] not in self.without)
        series.close()
        events = JsonLinesWriter(run.events)
        events.write({"t_s": 0.0, "source": "locust", "event": "slots_started", "start_s": START_S})
        events.close()
        close_run(run, self._manifest())
        return run

    def evidence(self, root: Path) -> Evidence:
        """Written, and read back."""
        return load_evidence(self.write(root))

    def _manifest(self) -> Manifest:
        order = self.slots.head_first
        gate = Gate(slot=SLOT_S, cut=CUT_S, warmup_rounds=2, looks=self.plan.rounds)
        phase = Phase(name="rounds", duration=gate.duration_s, users=10, measured=True)
        return Manifest(
            run_id="paired",
            profile=Profile(name="made", load=Load(phases=(phase,)), gate=gate),
            started_utc="2026-11-21T08:00:00+00:00",
            epoch_wall_s=0.0,
            ended="completed",
            paired=PairedRun(
                base=ArmFacts(what="ref:main"),
                head=ArmFacts(what="."),
                seed=self.seed,
                head_first=order,
            ),
        )

    def _intervals(self) -> Iterator[Interval]:
        rng = np.random.default_rng(self.seed)
        for slot in range(self.slots.count):
            arm, number = self.slots.arm_of(slot), self.slots.round_of(slot)
            start_s = self.slots.start_of(slot)
            for at_s, length_s, n in ((0, CUT_S, PER_SLOT // 3), (CUT_S, SLOT_S - CUT_S, PER_SLOT)):
                for step in STEPS:
                    ms = 100 * np.exp(rng.normal(0.0, 0.3, n)) * self.host(start_s)
                    ms = self.head_ms(step, number, ms) if arm == HEAD else ms
                    extra_ms = self.head_distortion_ms if arm == HEAD else 0.0
                    bad = round(self._errors(arm).get(step, 0.0) * n)
                    for tag, values in (
                        (Tag(step, "error", arm), ms[:bad] + extra_ms),
                        (Tag(step, "ok", arm), ms[bad:] + extra_ms),
                        (Tag(step, "ok", arm, DISTORTION), rng.normal(1.0, 0.1, n) + extra_ms),
                    ):
                        if len(values):
                            histogram = Histogram.from_values(np.rint(1000 * values))
                            yield Interval(tag, start_s + at_s, length_s, histogram)

    def _errors(self, arm: Arm) -> Mapping[str, float]:
        return self.head_errors if arm == HEAD else self.base_errors

    def _samples(self) -> Iterator[Sample]:
        for service in self.services:
            for arm in ("base", "head"):
                yield from self._service(service, arm)

    def _service(self, service: str, arm: Arm) -> Iterator[Sample]:
        """Counters grow evenly over the slots of the arm, gauges stand up in them."""
        rng = np.random.default_rng([self.seed, len(service), len(arm), ord(arm[0])])
        head = arm == HEAD
        cpu_us = 400.0 * (self.head_cpu.get(service, 1.0) if head else 1.0)
        wait_ms = 0.5 + (self.head_wait_ms.get(service, 0.0) if head else 0.0)
        mb_per_h = self.head_mb_per_h.get(service, 0.0) if head else 0.0
        requests = cpu_s = 0.0
        name, label = f"{service}@{arm}", f"{POOLS.get(service, '')}/0"
        per_step_s = (PER_SLOT + PER_SLOT // 3) / SLOT_S
        rate = max(1, len(FLOW.steps_of(service))) * per_step_s
        t_s = FIRST_SAMPLE_S
        while t_s < self.slots.end_s + SLOT_S:
            loaded_s = self._loaded_s(arm, t_s - SAMPLED_S, t_s)
            requests += rate * loaded_s
            cpu_s += rate * loaded_s * cpu_us * 1e-6 * self.host(t_s) + 0.001
            busy = loaded_s > 0
            mb = 100 + mb_per_h * t_s / 3600 + rng.normal(0.0, 0.02)
            metrics = {
                "up": 1.0,
                "process_cpu_seconds_total": cpu_s,
                "http_requests_total/x/GET/200": requests,
                "process_resident_memory_bytes": mb * MB,
            }
            if service in POOLS:
                active = 20 * (self.head_active.get(service, 1.0) if head else 1.0)
                waiting = self.head_waiting.get(service, 0.0) if head else 0.0
                metrics |= {
                    f"connection_pool_active/{label}": busy * rng.poisson(active),
                    f"connection_pool_max/{label}": 200.0,
                    f"connection_pool_waiting/{label}": busy * waiting,
                    f"connection_pool_timeouts_total/{label}": 0.0,
                    f"connection_pool_acquire_seconds_sum/{label}": requests * wait_ms / 1000,
                    f"connection_pool_acquire_seconds_count/{label}": requests,
                }
                for bound_ms in BUCKETS_MS:
                    le = "+Inf" if bound_ms == np.inf else str(bound_ms / 1000)
                    metric = f"connection_pool_acquire_seconds_bucket/{label}/{le}"
                    metrics[metric] = requests * (bound_ms >= wait_ms)
            yield from (Sample(t_s, name, metric, float(v)) for metric, v in metrics.items())
            t_s += SAMPLED_S

    def _loaded_s(self, arm: Arm, from_s: float, to_s: float) -> float:
        """How long the arm was loaded between two moments less than a slot apart."""
        slots = {self.slots.slot_at(from_s), self.slots.slot_at(to_s)}
        own = [s for s in slots if 0 <= s < self.slots.count and self.slots.arm_of(s) == arm]
        return sum(
            max(0.0, min(to_s, self.slots.start_of(s + 1)) - max(from_s, self.slots.start_of(s)))
            for s in own
        )
