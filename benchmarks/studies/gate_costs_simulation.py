"""How often the gate's cost rows are wrong: simulated recordings, judged by the gate's own code.

Prints the tables of docs/statistics.md, "Costs"; the same seed gives the same figures.
"""

from __future__ import annotations

import argparse
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from functools import partial
from types import MappingProxyType
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.stats import beta

from analysis.evidence.run import Evidence
from analysis.limits.regression import CostSettings
from analysis.paired.cost_rows import CostRow
from analysis.paired.costs import cost_rows
from analysis.paired.rounds import Rounds
from analysis.statistics.looks import LookPlan, balanced_order
from analysis.words.values import Outcome
from recording.flow import FLOW, STEPS
from recording.histogram import Histogram
from recording.hlog import HistogramLog, Interval, Tag
from recording.load import Load, Phase
from recording.manifest import Manifest
from recording.profile import Gate, Profile
from recording.series_reader import Series
from recording.slots import ARMS, Slots

Floats = NDArray[np.float64]
Values = dict[tuple[str, str], tuple[Floats, Floats]]
Draw = Callable[[np.random.Generator, int], Floats]

PLAN: Final = LookPlan((24, 40))
GATE: Final = Gate(looks=PLAN.rounds)
POOLED: Final = ("checkout-service", "payment-gateway", "inventory-lock-service")
SAMPLED_S: Final = 0.5
PER_SLOT: Final = 500  # requests of a step, cut included
CPU_S: Final = 350e-6
IDLE_CORES: Final = 0.015  # being sampled, timers
LATE_S: Final = 0.3  # work for requests that began before
MB: Final = 2**20
SIGMA: Final = 0.6
SLOWEST_Z: Final = 2.5758  # beyond it lies 0.5 % of a normal distribution
STALLED, STALL_US = 0.1, 500_000.0


@dataclass(frozen=True, slots=True)
class Host:
    """What both arms suffer alike: log CPU cost and log error rate of each slot."""

    cpu: Draw
    errors: Draw
    error_rate: float = 0.0005
    bursts: float = 0.0  # chance that a slot's pools see three times as many connections
    outages: float = 0.0  # chance that a slot of a step is hit by an outage, in either arm
    outage_share: float = 0.0  # share of that slot's requests that fail
    stalls: float = (
        0.0  # chance that a tenth of a slot's requests of a step waits 0.5 s, either arm
    )
    exports: bool = True  # whether services export metrics; without them errors are all there is


@dataclass(frozen=True, slots=True)
class Change:
    """What head does differently."""

    what: str = "nothing"
    cpu: float = 1.0
    error_rate: float = 0.0
    active: float = 1.0
    mb_per_h: float = 0.0
    slowest: float = 1.0  # times as slow, the slowest 0.5 % of requests


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts over gates: any FAIL, and which metrics FAILed.

    `proven` are gates with any proof, whatever its size, by p-values counted over orders; `grew`
    those in which head's memory grew surely faster: where arms fill up differently it did.
    """

    gates: int = 0
    fail: int = 0
    proven: int = 0
    grew: int = 0
    rounds: int = 0
    metrics: Counter[str] = field(default_factory=Counter)


def _flat(rng: np.random.Generator, slots: int) -> Floats:
    return np.zeros(slots)


def _ar1(sd: float) -> Draw:
    def draw(rng: np.random.Generator, slots: int) -> Floats:
        shocks = rng.normal(0.0, sd * 0.6, slots + 20)
        return np.asarray(lfilter([1.0], [1.0, -0.8], shocks)[20:], dtype=np.float64)

    return draw


def _drift(rng: np.random.Generator, slots: int) -> Floats:
    return np.linspace(0.0, rng.choice([-0.3, 0.3]), slots)


def _steps(rng: np.random.Generator, slots: int) -> Floats:
    switches = np.cumsum(rng.random(slots) < 1 / 12)
    return np.asarray(0.25 * ((switches + rng.integers(2)) % 2), dtype=np.float64)


HOSTS: Final = MappingProxyType(
    {
        "quiet": Host(_flat, _flat),
        "drift": Host(_drift, _drift),
        "steps": Host(_steps, _ar1(1.0), bursts=0.1),
        "ar1-0.8": Host(_ar1(0.1), _ar1(1.0), error_rate=0.005),
        "bursts": Host(_ar1(0.05), _ar1(1.5), error_rate=0.002, bursts=0.2),
        "outages": Host(_flat, _flat, outages=0.1, outage_share=0.3, exports=False),
        "one-slot": Host(
            _flat, _flat, error_rate=0.0, outages=1 / 80, outage_share=1.0, exports=False
        ),
        "stalls": Host(_ar1(0.05), _flat, stalls=0.05, exports=False),
        "hiccups": Host(
            _flat, _flat, error_rate=0.0, outages=0.5, outage_share=0.02, exports=False
        ),
    }
)
CHANGES: Final = (
    Change("CPU +15 % of one service", cpu=1.15),
    Change("CPU +25 % of one service", cpu=1.25),
    Change("errors +0.3 points of one step", error_rate=0.003),
    Change("errors of one step only", error_rate=1.0),
    Change("slowest 0.5 % x 1.5 of one step", slowest=1.5),
    Change("slowest 0.5 % x 4 of one step", slowest=4.0),
    Change("pool +50 % of one service", active=1.5),
    Change("memory +60 MB/h of one service", mb_per_h=60.0),
    Change("memory +150 MB/h of one service", mb_per_h=150.0),
)


def main() -> None:
    """Parse, simulate, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gates", type=int, default=1000, help="per line of the null table")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--jobs", type=int, default=1, help="processes (default 1)")
    parser.add_argument("--only", default="*", help="pattern of 'alpha host change': '0.002 *'")
    arguments = parser.parse_args()
    print(
        f"{'host':8} {'head is':31} {'alpha':>5} {'gates':>5} FAIL %   (<=) proven %"
        " grew % rounds  rows"
    )
    chosen = [line for line in _lines(arguments.gates) if fnmatch(str(line), arguments.only)]
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for text in pool.map(partial(_figures, seed=arguments.seed), chosen):
            print(text, flush=True)


@dataclass(frozen=True, slots=True)
class Line:
    """So many gates of one kind."""

    alpha: float
    host: str
    change: Change
    gates: int

    def __str__(self) -> str:
        return f"{self.alpha} {self.host} {self.change.what}"


def _lines(gates: int) -> Iterator[Line]:
    # At 5 % a wrong p-value shows with few gates; 0.2 % is what the gate spends.
    for alpha in (0.05, 0.002):
        for host in HOSTS:
            yield Line(alpha, host, Change(), gates)
    for change in CHANGES:
        yield Line(0.002, "drift", change, max(20, gates // 5))


def _figures(line: Line, seed: int) -> str:
    gates = line.gates
    found = run(line.host, line.change, CostSettings(alpha=line.alpha), gates, seed)
    upper = beta.ppf(0.95, found.fail + 1, gates - found.fail) if found.fail < gates else 1.0
    rows = ", ".join(f"{metric} {n}" for metric, n in found.metrics.most_common())
    return (
        f"{line.host:8} {line.change.what:31} {line.alpha:5} {gates:5} "
        f"{100 * found.fail / gates:6.2f} {100 * upper:6.2f} {100 * found.proven / gates:8.2f} "
        f"{100 * found.grew / gates:6.2f} {found.rounds / gates:6.1f}  {rows}"
    )


def run(host: str, change: Change, settings: CostSettings, gates: int, seed: int) -> Tally:
    """So many gates, each with a seed of its own; a gate stops at its first FAIL."""
    key = zlib.crc32(f"{host} {change}".encode())
    total = Tally()
    for gate in range(gates):
        draw = int(np.random.SeedSequence([seed, key, gate]).generate_state(1)[0])
        slots = timetable(draw)
        evidence = simulate(HOSTS[host], change, slots, draw)
        total = _add(total, evidence, slots, settings)
    return total


def _add(total: Tally, evidence: Evidence, slots: Slots, settings: CostSettings) -> Tally:
    failed: list[CostRow] = []
    proven: set[bool] = set()
    for rounds in PLAN.rounds:
        rows = cost_rows(Rounds(evidence, slots, rounds), PLAN, settings)
        share = PLAN.share(settings.alpha, rounds)
        sure = (r.metric for r in rows if r.p_holm <= share)
        proven |= {metric == "memory_slope" for metric in sure}
        failed = [row for row in rows if row.verdict is Outcome.FAIL]
        if failed:
            break
    return replace(
        total,
        gates=total.gates + 1,
        fail=total.fail + bool(failed),
        proven=total.proven + (False in proven),
        grew=total.grew + (True in proven),
        rounds=total.rounds + rounds,
        metrics=total.metrics + Counter({row.metric for row in failed}),
    )


def timetable(seed: int) -> Slots:
    """The slots of ``profiles/gate.toml``."""
    order = balanced_order(PLAN, seed)
    return Slots(5.0, GATE.slot, GATE.cut, order, GATE.warmup_rounds)


def simulate(host: Host, change: Change, slots: Slots, seed: int) -> Evidence:
    """One recording, in memory. Only the first step and checkout-service change."""
    rng = np.random.default_rng(seed)
    loaded = np.array([ARMS.index(slots.arm_of(s)) for s in range(slots.count)])
    values: Values = {}
    slow = np.exp(host.cpu(rng, slots.count))
    for service in FLOW.subjects if host.exports else ():
        jitter = np.exp(rng.normal(0.0, 0.03, slots.count))
        changed = change if service == "checkout-service" else Change()
        for arm in range(2):
            name = f"{service}@{ARMS[arm]}"
            applied = changed if arm else Change()
            _processor(values, rng, name, slots, (loaded == arm) * slow * jitter * applied.cpu)
            _memory(values, rng, name, slots, applied.mb_per_h)
            if service in POOLED:
                _pool(values, rng, name, slots, loaded == arm, host.bursts, applied.active)
    log = HistogramLog(tuple(_requests(rng, host, change, slots)), 0)
    empty = Series({}, 0)
    return Evidence(manifest(), log, Series(values, 0), empty, (), (), pl.DataFrame(), {}, ())


def manifest() -> Manifest:
    """The least a recording has to say of itself."""
    phase = Phase(name="rounds", duration=GATE.duration_s, users=1, measured=True)
    profile = Profile(name="simulated", load=Load(phases=(phase,)), gate=GATE)
    return Manifest(run_id="simulated", profile=profile, started_utc="", epoch_wall_s=0.0)


def _requests(
    rng: np.random.Generator, host: Host, change: Change, slots: Slots
) -> Iterator[Interval]:
    for number, step in enumerate(STEPS):
        rate = np.minimum(1.0, host.error_rate * np.exp(host.errors(rng, slots.count)))
        if host.outages:
            rate = np.maximum(rate, host.outage_share * (rng.random(slots.count) < host.outages))
        stalled = rng.random(slots.count) < host.stalls
        for slot in range(slots.count):
            arm = slots.arm_of(slot)
            extra = change.error_rate if arm == "head" and number == 0 else 0.0
            counts = rng.multinomial(PER_SLOT, (1 / 7, 6 / 7))
            edges = (slots.start_of(slot), slots.counted_from(slot), slots.start_of(slot + 1))
            for n, start_s, end_s in zip(counts, edges, edges[1:], strict=False):
                bad = int(rng.binomial(n, min(1.0, rate[slot] + extra)))
                slower = change.slowest if arm == "head" and number == 0 else 1.0
                took_us = _latencies_us(rng, n, slower)
                if host.stalls and stalled[slot]:
                    took_us[rng.random(n) < STALLED] += STALL_US
                for outcome, some in (("error", took_us[:bad]), ("ok", took_us[bad:])):
                    if some.size:
                        histogram = Histogram.from_values(some)
                        yield Interval(Tag(step, outcome, arm), start_s, end_s - start_s, histogram)


def _latencies_us(rng: np.random.Generator, n: int, slower: float) -> Floats:
    """Lognormal around 100 ms, as those of the latency tables; the slowest 0.5 % so much slower."""
    z = rng.standard_normal(n)
    return np.rint(1e5 * np.exp(SIGMA * z) * np.where(z > SLOWEST_Z, slower, 1.0))


def _times(rng: np.random.Generator, slots: Slots) -> Floats:
    start_s = float(rng.uniform(0.0, SAMPLED_S))
    return np.arange(start_s, slots.end_s + slots.slot_s, SAMPLED_S, dtype=np.float64)


def _processor(
    values: Values, rng: np.random.Generator, name: str, slots: Slots, work: Floats
) -> None:
    """CPU and request counters: work goes on evenly through a slot, a little late."""
    t_s = _times(rng, slots)
    steps = max(1, len(FLOW.steps_of(name.partition("@")[0])))
    edges = slots.start_s + slots.slot_s * np.arange(slots.count + 1)
    spent = np.concatenate([[0.0], np.cumsum(work * steps * PER_SLOT * CPU_S)])
    asked = np.concatenate([[0.0], np.cumsum((work > 0) * steps * float(PER_SLOT))])
    cpu_s = np.interp(t_s - LATE_S, edges, spent) + IDLE_CORES * t_s
    values[name, "process_cpu_seconds_total"] = (t_s, cpu_s)
    values[name, "http_requests_total/x/GET/200"] = (t_s, np.interp(t_s - LATE_S, edges, asked))


def _memory(
    values: Values, rng: np.random.Generator, name: str, slots: Slots, mb_per_h: float
) -> None:
    """Warms up by some MB within a minute or two, then moves in steps of the allocator."""
    t_s = _times(rng, slots)
    filled = rng.uniform(2.0, 12.0) * (1 - np.exp(-t_s / rng.uniform(10.0, 90.0)))
    grain = np.cumsum(
        rng.choice([-0.25, 0.0, 0.0, 0.0, 0.25], t_s.size) * (rng.random(t_s.size) < 0.02)
    )
    mb = 90 + filled + np.abs(grain) + mb_per_h * t_s / 3600
    values[name, "process_resident_memory_bytes"] = (t_s, np.round(mb * MB / 4096) * 4096)


def _pool(
    values: Values,
    rng: np.random.Generator,
    name: str,
    slots: Slots,
    own: NDArray[np.bool_],
    bursts: float,
    times: float,
) -> None:
    """Connections in use while loaded; now and then a burst, and callers who wait in it."""
    t_s = _times(rng, slots)
    slot = np.floor((t_s - slots.start_s) / slots.slot_s).astype(int)
    inside = (slot >= 0) & (slot < slots.count)
    at = np.clip(slot, 0, slots.count - 1)
    burst = (rng.random(slots.count) < bursts)[at]
    busy = inside & own[at]
    active = rng.poisson(60 * times * (1 + 2 * burst)) * busy
    waiting = (active > 150) * 1.0
    for metric, value in (("active", active), ("waiting", waiting)):
        values[name, f"connection_pool_{metric}/p/0"] = (t_s, value.astype(np.float64))


if __name__ == "__main__":
    main()
