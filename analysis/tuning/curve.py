"""What every level did: throughput, tail, waits and timeouts, each with a 95 % interval.

Slots of one level are repeats. How far slots scatter is one number for all levels, so that a level
that was tried once has an interval as well: from repeats, and from how far each level lies off its
neighbours (Gasser, Sroka and Jennen-Steinmetz, 1986); in logarithms, unless some are zero.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import exp, isfinite, log, nan, sqrt

import numpy as np

from analysis.levels.seen import Seen
from analysis.metrics.pools import acquire_wait
from analysis.statistics.distributions import t_quantile
from recording.arrays import Floats
from recording.profile import JOURNEY

NORMAL = 1.4826
"""Of a normal quantity, its standard deviation over the median of its distance from the mean."""
NEAR = 1.10
"""A tail within a tenth of the least: more of the setting does not buy any of it."""


@dataclass(frozen=True, slots=True)
class Value:
    """nan where it is not known; the bounds too where there were no repeats."""

    value: float = nan
    low: float = nan
    high: float = nan


@dataclass(frozen=True, slots=True)
class Point:
    """One level at one load. Times in ms, rates per s."""

    levels: tuple[float, ...]
    load: float
    slots: int
    broken: int
    throughput: Value
    p99: Value
    wait_p50: Value
    wait_p99: Value
    timeouts: Value
    step: str = ""
    """Whose p99 it is: the slowest one's."""
    why: tuple[str, ...] = field(default=())
    """Rules that most of its slots broke."""


@dataclass(frozen=True, slots=True)
class Raw:
    """One slot's values of a `Point`."""

    throughput: float
    p99: float
    step: str
    wait_p50: float
    wait_p99: float
    timeouts: float


def raw_of(seen: Seen, subject: str) -> Raw:
    """Of the pools of one service, and of all steps."""
    seconds, pools = seen.level.counted_s, seen.case.pools.get(subject, [])
    tails = {name: sample.measure("p99").value for name, sample in seen.samples.items()
             if name != JOURNEY and sample.n}  # fmt: skip
    step = max(tails, key=lambda name: tails[name], default="")
    waits = [acquire_wait(seen.case.evidence, pools, q) for q in (0.5, 0.99)] if pools else [None]
    p50, p99 = (nan if wait is None else 1000 * wait.value for wait in (waits[0], waits[-1]))
    good = seen.samples[JOURNEY]
    timeouts = sum(pool.series.timeouts for pool in pools) if pools else nan
    return Raw(
        good.n * (1 - good.failure_share) / seconds, tails.get(step, nan), step, p50, p99,
        timeouts / seconds,
    )  # fmt: skip


def points(
    levels: Sequence[tuple[tuple[float, ...], float]],
    raws: Sequence[Raw],
    broken: Sequence[frozenset[str]],
) -> tuple[Point, ...]:
    """One for each (levels, load) that occurs, ascending."""
    places = {one: [i for i, own in enumerate(levels) if own == one] for one in sorted({*levels})}
    groups = list(places.values())
    columns = {
        name: _column(groups, [getattr(raw, name) for raw in raws])
        for name in ("throughput", "p99", "wait_p50", "wait_p99", "timeouts")
    }
    found = []
    for place, (one, own) in enumerate(places.items()):
        rules = sorted({rule for i in own for rule in broken[i]})
        mostly = tuple(r for r in rules if 2 * sum(r in broken[i] for i in own) > len(own))
        bad, step = sum(bool(broken[i]) for i in own), raws[own[-1]].step
        found.append(
            Point(
                *one,
                slots=len(own),
                broken=bad,
                throughput=columns["throughput"][place],
                p99=columns["p99"][place],
                wait_p50=columns["wait_p50"][place],
                wait_p99=columns["wait_p99"][place],
                timeouts=columns["timeouts"][place],
                step=step,
                why=mostly,
            )
        )
    return tuple(found)


def _column(groups: Sequence[Sequence[int]], values: Sequence[float]) -> list[Value]:
    """With intervals in logarithms where all are above zero, else as they are."""
    known = [v for v in values if isfinite(v)]
    positive = bool(known) and min(known) > 0
    there, back = (log, exp) if positive else (float, float)
    own = [np.array([there(values[i]) for i in group if isfinite(values[i])]) for group in groups]
    spread, degrees = _spread([v for v in own if v.size])
    t = t_quantile(0.975, degrees) if degrees else nan
    return [_value(v, t * spread, back) for v in own]


def _spread(own: Sequence[Floats]) -> tuple[float, int]:
    """Of one slot, and on how many differences it rests: of repeats from their mean, and of each
    level from the line through its neighbours. The median, as a knee is no noise.
    """
    found = [d * sqrt(v.size / (v.size - 1)) for v in own if v.size > 1 for d in v - v.mean()]
    for before, here, after in zip(own, own[1:], own[2:], strict=False):
        size = sqrt(1 / here.size + (1 / before.size + 1 / after.size) / 4)
        found.append((here.mean() - (before.mean() + after.mean()) / 2) / size)
    return (NORMAL * float(np.median(np.abs(found))), len(found)) if found else (nan, 0)


def _value(v: Floats, reach: float, back: Callable[[float], float]) -> Value:
    if not v.size:
        return Value()
    mean, half = float(v.mean()), reach / sqrt(v.size)
    return Value(back(mean), back(mean - half), back(mean + half))


def knee(curve: Sequence[Point]) -> Point | None:
    """The first point of an ascending curve whose tail is within a tenth of the least."""
    known = [point for point in curve if isfinite(point.p99.value)]
    least = min((point.p99.value for point in known), default=nan)
    return next((point for point in known if point.p99.value <= NEAR * least), None)


def hurts_from(curve: Sequence[Point]) -> Point | None:
    """The first point past the least tail that is worse for sure: its interval lies above."""
    known = [point for point in curve if isfinite(point.p99.value)]
    if not known:
        return None
    best = min(known, key=lambda point: point.p99.value)
    later = known[known.index(best) + 1 :]
    return next((p for p in later if p.p99.low > max(best.p99.high, NEAR * best.p99.value)), None)
