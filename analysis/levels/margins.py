"""How far what a slot measured is from the limits of rules, as numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite, log

import numpy as np

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
    """Of a service's fullest pool at each sample, over what the rule on its utilization allows.

    ``room`` is how many connections that is, of all replicas together. ``starved``: callers waited,
    or all was in use, so it says less than was asked of the pool.
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
    there = [pool.series for pool in pools if pool.series.t_s.size]
    n = min((series.t_s.size for series in there), default=0)
    if not n:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.array([100 * series.active[-n:] / series.size[-n:] for series in there])
    fullest = shares.max(axis=0)
    if not np.isfinite(fullest).all() or not fullest.any():
        return None
    waited = any(
        pool.windows or np.nanmax(np.append(pool.series.waiting, 0.0)) > 0 for pool in pools
    )
    return Fullness(
        fullest / rule.limit,
        n / seconds,
        room=sum(float(series.size[-1]) for series in there) * rule.limit / 100.0,
        starved=waited or float(fullest.max()) >= 100.0,
    )
