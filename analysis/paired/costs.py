"""What head costs beside time: errors, CPU, connections and memory, each against base.

Pure, and a family of its own: the chance that any of these rows FAILs between equal arms is at
most ``CostSettings.alpha``, over all looks. Method and figures: ``docs/statistics.md``, "Costs".
A metric that a system does not export has no row, and one with holes says "no data": never FAIL.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.evidence.run import Evidence
from analysis.paired.cost_rows import CostRow, CostStakes, Measured, compared
from analysis.paired.memory import memory_costs
from analysis.paired.slot_requests import request_counts, steps_seen
from analysis.paired.slot_samples import (
    growth,
    highest,
    idle_growth,
    labels_of,
    services_of,
    total_growth,
)
from analysis.statistics.crossover import holm
from analysis.statistics.looks import LookPlan
from recording.flow import SERVICE_STEPS, STEPS
from recording.outcomes import is_failure
from recording.series_reader import Series
from recording.slots import Slots

__all__ = ["CostRow", "CostSettings", "cost_rows", "cpu_per_request_us"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# A PASS excludes changes of this many times the smallest that may FAIL, as with latency (10 and
# 5 %): were both the same, a change of just that size could only ever be undecided.
TOLERATED = 2.0
# Without a single event in n trials the share may still be up to 3.7 / n: the upper end of the
# exact (Clopper-Pearson) 95 % interval, -log(0.025) / n.
UNSEEN = 3.7
# With fewer events than this in both arms together, that is added to what their scatter says.
FEW = 10


@dataclass(frozen=True, slots=True)
class CostSettings:
    """Which change of a cost matters; a smaller one is never a FAIL.

    `alpha` is the chance of any FAIL between equal arms, beside that of the latency rows.
    `error_rate` and `starved_slots` are percentage points, `cpu` and `pool` shares of base,
    `pool_connections` the least number of connections, `memory_mb_per_h` the growth beyond
    base's. `seed` draws the orders that p-values are counted over. Raises ValueError for numbers
    out of range.
    """

    alpha: float = 0.002
    confidence: float = 0.95
    error_rate: float = 0.1
    cpu: float = 0.10
    pool: float = 0.20
    pool_connections: float = 5.0
    starved_slots: float = 10.0
    memory_mb_per_h: float = 10.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not (0 < self.alpha < 0.5 < self.confidence < 1):
            raise ValueError("need alpha in (0, 0.5) and confidence in (0.5, 1)")
        limits = (self.error_rate, self.cpu, self.pool, self.pool_connections)
        if min(*limits, self.starved_slots, self.memory_mb_per_h) <= 0:
            raise ValueError("every smallest change must be above 0")


def cost_rows(
    evidence: Evidence, slots: Slots, rounds: int, plan: LookPlan, settings: CostSettings
) -> tuple[CostRow, ...]:
    """Every cost that both arms show, judged at the look after `rounds` rounds.

    Raises ValueError when no look was declared at that number of rounds.
    """
    head_first = np.array(slots.head_first[:rounds])
    measured = list(_measured(evidence, slots, rounds, settings))
    memory = memory_costs(evidence.resources, slots, rounds, settings.memory_mb_per_h)
    stakes = CostStakes(
        alpha=plan.share(settings.alpha, rounds),
        pass_error=plan.share(1 - settings.confidence, rounds),
        confidence=settings.confidence,
        tests=len(measured) + len(memory),
    )
    smallest_p = stakes.alpha / max(1, stakes.tests)
    stretches = plan.stretches(rounds)
    costs = [*compared(measured, head_first, stretches, settings.seed, smallest_p), *memory]
    p_holm = holm(np.array([cost.p_value for cost in costs]))
    return tuple(cost.row(stakes, float(p)) for cost, p in zip(costs, p_holm, strict=True))


def cpu_per_request_us(evidence: Evidence, slots: Slots, rounds: int, service: str) -> Floats:
    """CPU time of a service per request, µs, [arm, round]; NaN where it is not known.

    The CPU of a window beyond what the service takes when idle, over the requests that began in
    its slot, cut and all: a slow arm answers fewer, and its idle time is not their cost. Services
    that users never call are counted by their own request counters.
    """
    counts = request_counts(evidence, slots, rounds, cut_too=True)
    return _cpu_us(evidence.resources, slots, rounds, service, counts)


def _cpu_us(
    series: Series, slots: Slots, rounds: int, service: str, counts: Mapping[tuple[str, str], Ints]
) -> Floats:
    metric = "process_cpu_seconds_total"
    cpu_s = growth(series, service, metric, slots, rounds, steady=True)
    cpu_s -= idle_growth(series, service, metric, slots, rounds)
    requests = _requests(series, slots, rounds, service, counts)
    nothing = np.full_like(cpu_s, np.nan)
    return np.divide(1e6 * cpu_s, requests, out=nothing, where=requests > 0)


def _requests(
    series: Series, slots: Slots, rounds: int, service: str, counts: Mapping[tuple[str, str], Ints]
) -> Floats:
    if steps := SERVICE_STEPS.get(service):
        mine = [n for (step, _), n in counts.items() if step in steps]
        return np.sum(mine, axis=0, dtype=float) if mine else np.zeros((2, rounds))
    labels = labels_of(series, service, "http_requests_total")
    metrics = [f"http_requests_total/{label}" for label in labels]
    return total_growth(series, service, metrics, slots, rounds)


def _measured(
    evidence: Evidence, slots: Slots, rounds: int, settings: CostSettings
) -> Iterator[Measured]:
    yield from _errors(evidence, slots, rounds, settings)
    counts = request_counts(evidence, slots, rounds, cut_too=True)
    for service in services_of(evidence.resources, "process_cpu_seconds_total"):
        cpu_us = _cpu_us(evidence.resources, slots, rounds, service, counts)
        limits = np.log1p(settings.cpu), np.log1p(TOLERATED * settings.cpu)
        yield Measured(service, "cpu_per_request", "µs", cpu_us, *limits, is_ratio=True)
    for service in services_of(evidence.resources, "connection_pool_active"):
        yield from _pools(evidence, slots, rounds, settings, service)


def _errors(
    evidence: Evidence, slots: Slots, rounds: int, settings: CostSettings
) -> Iterator[Measured]:
    """The share of requests with an outcome that the plan did not ask for, %."""
    counts = request_counts(evidence, slots, rounds)
    seen = steps_seen(evidence)
    for step in [s for s in STEPS if s in seen] + sorted(seen - set(STEPS)):
        nothing = np.zeros((2, rounds))
        of_step = {outcome: n for (name, outcome), n in counts.items() if name == step}
        total = sum(of_step.values(), nothing)
        unexpected = sum((n for outcome, n in of_step.items() if is_failure(outcome)), nothing)
        share = np.divide(100 * unexpected, total, out=nothing + np.nan, where=total > 0)
        fewest = max(1.0, float(total.sum(axis=1).min()))
        unseen = 100 * UNSEEN / fewest if unexpected.sum() < FEW else 0.0
        limits = settings.error_rate, TOLERATED * settings.error_rate
        yield Measured(step, "error_rate", "%", share, *limits, unseen, 100 / fewest)


def _pools(
    evidence: Evidence, slots: Slots, rounds: int, settings: CostSettings, service: str
) -> Iterator[Measured]:
    """For each pool its high-water mark, and how often callers had to wait for it."""
    series = evidence.resources
    for label in labels_of(series, service, "connection_pool_active"):
        subject = f"{service} {label}"
        active = highest(series, service, f"connection_pool_active/{label}", slots, rounds)
        least = max(
            settings.pool_connections, settings.pool * float(np.nan_to_num(active[0]).mean())
        )
        yield Measured(subject, "pool_high_water", "connections", active, least, TOLERATED * least)
        waiting = highest(series, service, f"connection_pool_waiting/{label}", slots, rounds)
        timeouts = growth(series, service, f"connection_pool_timeouts_total/{label}", slots, rounds)
        starved = np.where(np.isnan(waiting), np.nan, 100.0 * ((waiting > 0) | (timeouts > 0)))
        share = settings.starved_slots
        unseen = 0.0 if np.nansum(starved) else 100 * UNSEEN / rounds
        limits = share, TOLERATED * share
        yield Measured(subject, "starved_slots", "%", starved, *limits, unseen, 100 / rounds)
