"""What the twin says of other loads, and of a recording without any search: a prediction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, isfinite, nan

from analysis.evidence.run import Evidence
from analysis.levels.margins import UPPER, UTILIZATION
from analysis.limits.thresholds import Thresholds
from analysis.statistics.distributions import normal_quantile
from analysis.tuning.asked import Asked
from analysis.tuning.demand import CONFIDENCE
from analysis.tuning.slot import tightened
from analysis.twin.from_recording import NoWorkloadError, workload_of
from analysis.twin.simulate import Prediction, predict
from analysis.twin.theory import doubts
from analysis.twin.workload import Workload
from recording.metric_names import POOL_ACTIVE

P99 = 2.326
"""Normal score of the 99th percentile."""
SAMPLED_EVERY_S = 0.5
ROOMY = 2
"""Times the mean that is in use: hardly anybody waits, so what is in use is what is wanted."""
UNPROVEN = (
    "its connections share a database, and no prediction with one has been held against the truth "
    "yet: measure other loads (--at 1.5x)"
)
BUCKET, NOTHING_MS = 2.0, 5.0
"""Waits are recorded in buckets as wide as this, and less than that is none worth telling."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """At a load: the smallest pool that holds, nan where none does up to the end of the range, or
    today's."""

    load: float
    pool_max: float
    at: Prediction
    """Of that pool, or of the largest."""


@dataclass(frozen=True, slots=True)
class Twin:
    """What it was made of, in words, and what it says."""

    rows: tuple[Predicted, ...]
    curve: tuple[Prediction, ...]
    doubts: tuple[str, ...]
    missing: str = ""


def twin(
    evidence: Evidence,
    asked: Asked,
    thresholds: Thresholds,
    loads: Sequence[float],
    within: tuple[float, float] | None,
    sizes: Sequence[int] = (),
) -> Twin:
    """Of the pool that is tuned; ``missing`` says why there is none."""
    key, _, name = asked.setting.key.partition(".")
    service = next((s for s in evidence.manifest.services if s.key == key), None)
    if name != "pool_max" or service is None:
        return Twin((), (), (), f"the twin is of pools, and {asked.setting.key} is no pool's size")
    subject = service.subject
    try:
        pool = _pool_of(evidence, subject)
        workload = workload_of(evidence, subject, pool, within, asked.services or None)
    except NoWorkloadError as error:
        return Twin((), (), (), str(error))
    if workload.contention.cores:
        return Twin((), (), (), UNPROVEN)
    if unlike := unlike_the_recording(workload):
        return Twin((), (), doubts=tuple(doubts(workload)), missing=unlike)
    limit = _limit(tightened(thresholds, asked.headroom), subject)
    rows = tuple(_smallest(workload, asked, limit, load) for load in loads)
    curve = tuple(predict(workload, size) for size in sizes)
    of_rows = [row.at for row in rows]
    said = (*workload.assumed, *doubts(workload), *(t for p in of_rows for t in p.extrapolated))
    return Twin(rows, curve, tuple(dict.fromkeys(said)))


def unlike_the_recording(workload: Workload) -> str:
    """That the twin does not do what the pool did at the size it had; "" where it does, or nobody
    knows what that was.

    Who cannot tell what was can still less tell what would be.
    """
    size, was_ms = workload.recorded.size, workload.recorded.wait_p99_ms
    if not (isfinite(size) and isfinite(was_ms)):
        return ""
    played = predict(workload, int(size))
    low_ms, high_ms = played.wait_p99_low_ms, played.wait_p99_high_ms
    if low_ms / BUCKET - NOTHING_MS <= was_ms <= high_ms * BUCKET + NOTHING_MS:
        return ""
    return (
        f"of the {size:.0f} connections that there were, the twin's callers wait {low_ms:.3g} to "
        f"{high_ms:.3g} ms (p99), those that were recorded {was_ms:.3g} ms: it is not asked further"
    )


def _pool_of(evidence: Evidence, subject: str) -> str:
    prefix = f"{POOL_ACTIVE}/"
    for metric in evidence.resources.metrics(subject):
        if metric.startswith(prefix):
            return metric.removeprefix(prefix).partition("/")[0]
    raise NoWorkloadError(f"{subject} exports no pool")


def _limit(thresholds: Thresholds, subject: str) -> float:
    """Share of the connections that may be in use at the peak."""
    rules = (rule for own, rule in thresholds if own == subject and rule.op in UPPER)
    limits = [rule.limit / 100 for rule in rules if rule.metric.name == UTILIZATION]
    return min(limits, default=1.0)


def _smallest(workload: Workload, asked: Asked, limit: float, load: float) -> Predicted:
    """From what is in use where there is room for all; the largest pool where there never is."""
    most = round(max(asked.setting.high, asked.setting.present))
    mean = load * workload.rate_per_s * workload.holds.mean_s / workload.replicas
    roomy = min(most, max(1, ceil(ROOMY * mean)))
    free, peak = _roomy(workload, roomy, load, asked.confirm_s)
    while peak > limit and roomy < most:  # of few connections a peak is many times the mean
        roomy = min(most, ROOMY * roomy)
        free, peak = _roomy(workload, roomy, load, asked.confirm_s)
    size = max(1, ceil(peak * roomy / limit))
    if not isfinite(free.wait_p99_ms) or peak > limit or size > most:
        return Predicted(load, nan, free)
    return Predicted(load, size, predict(workload, size, load))


def _roomy(workload: Workload, size: int, load: float, run_s: float) -> tuple[Prediction, float]:
    """What a pool of this size does, and the share of it in use at the peak of such a run."""
    free = predict(workload, size, load)
    z = normal_quantile(CONFIDENCE ** (SAMPLED_EVERY_S / run_s)) / P99
    return free, free.occupancy_mean + z * (free.occupancy_p99 - free.occupancy_mean)


def in_words(rows: Sequence[Predicted]) -> Iterator[str]:
    """One line for each load."""
    for row in rows:
        found = f"{row.pool_max:.0f} connections" if isfinite(row.pool_max) else "no size holds"
        wait = f"{row.at.wait_p99_ms:.3g} ms" if isfinite(row.at.wait_p99_ms) else "without end"
        yield (
            f"at {row.load:g}x the load: {found} (at {row.at.size}: wait p99 {wait}, "
            f"{100 * row.at.timeouts_share:.2g} % in vain, {row.at.throughput_per_s:.0f}/s)"
        )
