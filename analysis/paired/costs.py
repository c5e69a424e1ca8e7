"""What head costs beside time: errors, CPU, connections and memory, each against base.

Pure, and a family of its own: the chance that any of these rows FAILs between equal arms is at
most ``CostSettings.alpha``, over all looks. Method and figures: ``docs/statistics.md``, "Costs".
A metric that a system does not export has no row, and one with holes says "no data": never FAIL.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.evidence.requests import judged_kind
from analysis.limits.regression import CostSettings
from analysis.paired.cost_rows import CostRow, Measured, compared
from analysis.paired.memory import memory_row
from analysis.paired.rounds import Rounds
from analysis.paired.slot_samples import growth, highest, idle_growth, labels_of, services_of
from analysis.regression.rows import Stakes, corrected
from analysis.statistics.looks import LookPlan
from analysis.statistics.percentiles import quantile
from recording.arrays import Floats
from recording.metric_names import CPU, HTTP_REQUESTS, POOL_ACTIVE, POOL_TIMEOUTS, POOL_WAITING, RSS
from recording.outcomes import is_failure
from recording.slots import ARMS

# A PASS excludes changes of this many times the smallest that may FAIL, as with latency (10 and
# 5 %): were both the same, a change of just that size could only ever be undecided.
TOLERATED = 2.0
# Without a single event in n trials the share may still be up to 3.7 / n: the upper end of the
# exact (Clopper-Pearson) 95 % interval, -log(0.025) / n.
UNSEEN = 3.7
# The slowest requests that are compared, as a share of all: beyond p99.5.
SLOWEST = 0.005
# With fewer of them than this in either arm nothing is said of them.
FEWEST_SLOWEST = 20
# With fewer events than this in both arms together, that is added to what their scatter says.
FEW = 10


def cost_rows(
    rounds: Rounds, plan: LookPlan, settings: CostSettings, control: tuple[str, ...] = ()
) -> tuple[CostRow, ...]:
    """Every cost that an arm shows, judged at the look after these rounds.

    How slow the steps of `control` are is not judged.

    Raises ValueError when no look was declared at that number of rounds.
    """
    measured = list(_measured(rounds, settings, control))
    growing = services_of(rounds.series, RSS)
    stakes = Stakes.at(plan, rounds.count, settings, len(measured) + len(growing))
    stretches, limit = plan.stretches(rounds.count), settings.memory_mb_per_h
    rows = compared(measured, rounds.head_first, stretches, settings.seed, stakes)
    return corrected([*rows, *(memory_row(rounds, name, limit, stakes) for name in growing)])


def cpu_per_request_us(rounds: Rounds, service: str) -> Floats:
    """CPU time of a service per request, µs, [arm, round]; NaN where it is not known.

    The CPU of a window beyond what the service takes when idle, over the requests that began in
    its slot, cut and all: a slow arm answers fewer, and its idle time is not their cost. Services
    that users never call are counted by their own request counters.
    """
    cpu_s = growth(rounds, service, CPU, steady=True) - idle_growth(rounds, service, CPU)
    requests = np.zeros((2, rounds.count))
    steps = rounds.evidence.services.steps_of(service)
    for (step, _), n in rounds.requests.items():
        requests += n.sum(axis=0) if step in steps else 0
    for label in () if steps else labels_of(rounds.series, service, HTTP_REQUESTS):
        requests += growth(rounds, service, f"{HTTP_REQUESTS}/{label}")
    return per(1e6 * cpu_s, requests)


def per(total: Floats, n: NDArray[Any]) -> Floats:
    """What comes to one of them; NaN where there is none."""
    return np.asarray(np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0))


def _measured(
    rounds: Rounds, settings: CostSettings, control: tuple[str, ...]
) -> Iterator[Measured]:
    for step in rounds.steps:
        yield _errors(rounds, step, settings.error_rate)
        if step not in control:
            yield from _slowest(rounds, step, settings.slowest)
    for service in services_of(rounds.series, CPU):
        cpu_us = cpu_per_request_us(rounds, service)
        limits = np.log1p(settings.cpu), np.log1p(TOLERATED * settings.cpu)
        yield Measured(service, "cpu_per_request", "µs", cpu_us, *limits, is_ratio=True)
    for service in services_of(rounds.series, POOL_ACTIVE):
        yield from _pools(rounds, service, settings)


def _errors(rounds: Rounds, step: str, points: float) -> Measured:
    """The share of requests with an outcome that the plan did not ask for, %."""
    nothing = np.zeros((2, rounds.count))
    of_step = {how: n[0] for (name, how), n in rounds.requests.items() if name == step}
    total = sum(of_step.values(), nothing)
    unexpected = sum((n for outcome, n in of_step.items() if is_failure(outcome)), nothing)
    share = per(100 * unexpected, total)
    fewest = max(1.0, float(total.sum(axis=1).min()))
    unseen = 100 * UNSEEN / fewest if unexpected.sum() < FEW else 0.0
    limits = points, TOLERATED * points
    return Measured(step, "error_rate", "%", share, *limits, unseen, 100 / fewest)


def _slowest(rounds: Rounds, step: str, share: float) -> Iterator[Measured]:
    """The geometric mean of the slowest requests, ms: what is so rare that no percentile which is
    compared hears of it. Nothing where too few are that slow.

    By slots: the threshold beyond which both arms together have that share of all requests, times
    what theirs beyond it are slower, by the share of one slot's requests that it should be.
    """
    values_us, counts = rounds.histograms(step, judged_kind(rounds.evidence))
    requests = counts.sum(axis=2)
    if requests.sum(axis=1).min() * SLOWEST < FEWEST_SLOWEST:
        return
    threshold_us = quantile(values_us, counts.sum(axis=(0, 1)), 1 - SLOWEST)
    beyond = np.log(np.maximum(values_us / threshold_us, 1.0))
    slow_ms = threshold_us / 1000 * np.exp(per((counts * beyond).sum(axis=2), SLOWEST * requests))
    limits = np.log1p(share), np.log1p(TOLERATED * share)
    yield Measured(step, "slowest_half_percent", "ms", slow_ms, *limits, is_ratio=True)


def _has(rounds: Rounds, subject: str, metric: str) -> bool:
    """Whether it was ever said; a counter that stands still is told once."""
    return bool(rounds.series.get(subject, metric)[0].size)


def _pools(rounds: Rounds, service: str, settings: CostSettings) -> Iterator[Measured]:
    """For each pool its high-water mark, and how often callers had to wait for it."""
    for label in labels_of(rounds.series, service, POOL_ACTIVE):
        subject = f"{service} {label}"
        active = highest(rounds, service, f"{POOL_ACTIVE}/{label}")
        mean = float(np.nan_to_num(active[0]).mean())
        least = max(settings.pool_connections, settings.pool * mean)
        yield Measured(subject, "pool_high_water", "connections", active, least, TOLERATED * least)
        waiting = highest(rounds, service, f"{POOL_WAITING}/{label}")
        timeouts = growth(rounds, service, f"{POOL_TIMEOUTS}/{label}")
        counted = [_has(rounds, f"{service}@{arm}", f"{POOL_TIMEOUTS}/{label}") for arm in ARMS]
        known = ~np.isnan(waiting) & np.array(counted)[:, np.newaxis] | (timeouts > 0)
        starved = np.where(known, 100.0 * ((waiting > 0) | (timeouts > 0)), np.nan)
        share = settings.starved_slots
        unseen = 0.0 if np.nansum(starved) else 100 * UNSEEN / rounds.count
        limits = share, TOLERATED * share
        yield Measured(subject, "starved_slots", "%", starved, *limits, unseen, 100 / rounds.count)
