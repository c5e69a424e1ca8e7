"""How far what a slot measured is from the limits of rules, as numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite, log

import numpy as np

from analysis.evidence.pool_series import PoolSeries
from analysis.evidence.resources import Pool
from analysis.limits.rules import Rule
from analysis.limits.thresholds import Thresholds
from analysis.metrics.case import Case
from analysis.words.values import RuleRow
from recording.arrays import Floats

UPPER = ("<", "<=")
UTILIZATION = "utilization"


@dataclass(frozen=True, slots=True, eq=False)
class Fullness:
    """Of a service's fullest pool: in use over what the rule on its utilization allows.

    ``samples`` are those of each replica, ``per_s`` as many of all a second. ``room`` is how many
    connections may be in use, on all replicas together. ``starved``: callers waited, or all of a
    replica's were in use, so it says less than was asked of the pool.
    """

    samples: Floats
    per_s: float
    room: float
    starved: bool

    @property
    def broke(self) -> bool:
        """Whether it was fuller than it may be."""
        return self.starved or bool(self.samples.max() >= 1.0)


def latency_margins(
    rows: Sequence[RuleRow], thresholds: Thresholds
) -> Iterator[tuple[RuleRow, float]]:
    """Logarithm of value over limit, above zero where the rule is broken."""
    limits = {(subject, str(rule)): rule for subject, rule in thresholds}
    for row in rows:
        if row.kind == "latency":
            rule, value = limits[row.subject, row.rule], row.measurement.value
            if rule.op in UPPER and rule.limit > 0 and isfinite(value) and value > 0:
                yield row, log(value / rule.limit)


def fullnesses(case: Case, thresholds: Thresholds) -> Iterator[tuple[str, Fullness]]:
    """By service, where a rule on utilization is asked of pools that were sampled."""
    for subject, rule in thresholds:
        if rule.metric.name == UTILIZATION and rule.op in UPPER:
            found = _fullness(case.pools.get(subject, ()), rule, case.evidence.measured_s)
            if found is not None:
                yield subject, found


def _fullness(pools: Sequence[Pool], rule: Rule, seconds: float) -> Fullness | None:
    """Of the pool that was fuller than the service's others."""
    by_name: dict[str, list[PoolSeries]] = {}
    for pool in pools:
        if pool.series.t_s.size:
            by_name.setdefault(pool.label.partition("/")[0], []).append(pool.series)
    waited = any(
        pool.windows or np.nanmax(np.append(pool.series.waiting, 0.0)) > 0 for pool in pools
    )
    every = (_of_replicas(own, rule.limit / 100, seconds, waited) for own in by_name.values())
    found = [full for full in every if full is not None]
    return max(found, key=lambda full: float(full.samples.max()), default=None)


def _of_replicas(
    replicas: Sequence[PoolSeries], limit: float, seconds: float, waited: bool
) -> Fullness | None:
    """None where one was unlimited, or of no size that is known, or nothing was ever in use."""
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.concatenate([series.active / series.size for series in replicas])
    if not np.isfinite(shares).all() or not shares.any():
        return None
    passes = np.unique(np.concatenate([series.t_s for series in replicas]).round(2)).size
    connections = sum(float(series.size.sum()) for series in replicas) / passes
    starved = waited or bool(shares.max() >= 1.0)
    return Fullness(shares / limit, shares.size / seconds, connections * limit, starved)
