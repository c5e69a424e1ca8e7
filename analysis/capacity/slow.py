"""Pools that a slot says too little of: what fills them is held longer than a slot lasts.

The fill law: of ``a`` journeys a second that each take ``c`` connections for a hold time H, a·c·H
are held in equilibrium (Little, Operations Research 9, 1961), H after the load began. Their number
varies as Poisson's (M/G/infinity), so that three of its standard deviations must fit as well. What
takes expired ones back may itself be used up: then what comes back grows older and older, the pool
fills without an end, and what it keeps up with is the load times the pace of its returns.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import NamedTuple

import numpy as np

from analysis.capacity.asked import BORDER, CONFIRMATION, DOUBLING, Asked, of_stage
from analysis.capacity.flows import Flow, flows
from analysis.levels.seen import Seen
from analysis.limits.thresholds import Thresholds
from analysis.statistics.trend import Trend, fit_trend
from recording.arrays import Bools
from recording.durations import format_duration

SPREAD = 3.0
"""Standard deviations of what is held that must fit beside its mean: one moment in 740 has more."""
Z = 1.96
FEWEST = 10
"""Slow connections; fewer say nothing of how many a journey takes."""
LEAST = 0.1
"""Nor do those that are a smaller share of the pool, after a whole search."""
SURE = 0.99
"""Confidence that something grows: each pool of each confirmation is asked."""
FADES_S = 86_400.0
"""A pool that would be full only after this long is not filling."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The largest load that a pool carries for good, extrapolated, with its interval.

    ``at_most``: it is an upper bound, as nothing that was taken came back yet. ``rough``: it counts
    what failed starts left behind in slots that were too much, so it may be far too small.
    """

    load: float
    low: float
    high: float
    pool: str
    because: str
    at_most: bool = False
    rough: bool = False


def limits(seen: Sequence[Seen], asked: Asked, thresholds: Thresholds) -> tuple[Limit, ...]:
    """Of all pools that fill slowly, the smallest first."""
    found: list[Limit] = []
    for flow in flows(seen, slow_from_s(seen)):
        found += _of(flow, seen, asked, thresholds)
    return tuple(sorted(found, key=lambda limit: limit.load))


def slow_from_s(seen: Sequence[Seen]) -> float:
    """What is held longer is not in equilibrium when a slot begins to count."""
    cuts = [one.level.counted_from_s - one.level.start_s for one in seen if one.level.load]
    return min(cuts, default=0.0)


def _of(flow: Flow, seen: Sequence[Seen], asked: Asked, limits: Thresholds) -> Iterator[Limit]:
    per_journey = _per_journey(flow, seen)
    if per_journey is None:
        return
    if law := _filled(flow, seen, asked, limits, per_journey):
        yield law
    for one in of_stage(seen, CONFIRMATION):
        if trend := _ageing(flow, one):
            yield _outpaced(flow, one, trend)


class PerJourney(NamedTuple):
    """Slow connections that a journey takes, and how many of them were seen."""

    share: float
    n: float
    rough: bool


def _per_journey(flow: Flow, seen: Sequence[Seen]) -> PerJourney | None:
    """None where there were too few.

    In slots where every rule held, or where that is too few over the whole search: then with what
    failed starts left behind. Less than a tenth of the pool may be those in passing.
    """
    all_taken = float(flow.taken[-1] - flow.taken[0])
    if all_taken < max(FEWEST, LEAST * float(flow.size[-1])):
        return None
    all_journeys = sum(one.level.load * (one.level.end_s - one.level.start_s) for one in seen)
    taken = journeys = 0.0
    for one in seen:
        inside = _inside(flow, one)
        if one.level.load and one.holds and inside.sum() > 1:
            t_s, counted = flow.t_s[inside], flow.taken[inside]
            taken += float(counted[-1] - counted[0])
            journeys += one.level.load * float(t_s[-1] - t_s[0])
    if taken >= FEWEST:
        return PerJourney(taken / journeys, taken, rough=False)
    return PerJourney(all_taken / all_journeys, all_taken, rough=True)


def _inside(flow: Flow, one: Seen) -> Bools:
    return np.asarray((flow.t_s >= one.level.counted_from_s) & (flow.t_s <= one.level.end_s))


def _filled(
    flow: Flow,
    seen: Sequence[Seen],
    asked: Asked,
    thresholds: Thresholds,
    per_journey: PerJourney,
) -> Limit | None:
    """By the fill law; None where the last confirmation was in equilibrium, and says it better."""
    age_s, told_s = float(flow.age_s[-1]), asked.holds_s.get(flow.subject)
    came_back = flow.back[-1] - flow.back[0] >= FEWEST
    hold_s = age_s if came_back or told_s is None else max(age_s, told_s)
    if hold_s <= _settled_s(seen):
        return None
    each, n, rough = per_journey
    passing = _passing_per_load(flow, seen)
    room = _room(flow, thresholds)
    load, low, high = (
        _carried_by(room, passing + share * hold_s)
        for share in (each, each * (1 + Z / sqrt(n)), each * (1 - Z / sqrt(n)))
    )
    at_most = not came_back and told_s is None
    held = (
        f"at least {format_duration(round(hold_s))}" if at_most else format_duration(round(hold_s))
    )
    return Limit(load, low, high, _named(flow), _why(flow, seen, room, each, held), at_most, rough)


def _settled_s(seen: Sequence[Seen]) -> float:
    """What is held so long was in equilibrium when the last confirmation began to count."""
    last = of_stage(seen, CONFIRMATION)[-1:]
    return max((one.level.counted_from_s - one.level.start_s for one in last), default=0.0)


def _passing_per_load(flow: Flow, seen: Sequence[Seen]) -> float:
    used = load = 0.0
    for one in seen:
        inside = _inside(flow, one)
        if one.level.load and one.holds and inside.any():
            used, load = used + float(flow.passing[inside].mean()), load + one.level.load
    return used / load if load else 0.0


def _room(flow: Flow, thresholds: Thresholds) -> float:
    """Connections that may be in use, by the rule on its utilization."""
    shares = [
        rule.limit / 100
        for subject, rule in thresholds
        if subject == flow.subject and rule.metric.name == "utilization"
    ]
    return float(flow.size[-1]) * min([1.0, *shares])


def _carried_by(room: float, per_load: float) -> float:
    """The load of which mean and spread fill the room: r² + 3 r = room, r² what is held."""
    root = (-SPREAD + sqrt(SPREAD**2 + 4 * room)) / 2
    return root**2 / per_load


def _why(flow: Flow, seen: Sequence[Seen], room: float, each: float, held: str) -> str:
    """At the largest load that a slot held: how long until the pool is full."""
    slots = of_stage(seen, DOUBLING, BORDER)
    load = max((one.level.load for one in slots if one.holds), default=0.0)
    free = room - load * _passing_per_load(flow, seen)
    full = "full"
    if free > 0 and load > 0:
        full = f"full after {format_duration(round(free / (each * load)))}"
    return (
        f"{each:.3g} connections of each journey are held for {held}: at {load:.3g}, which a slot "
        f"held, {_named(flow)} would be {full}"
    )


def _ageing(flow: Flow, one: Seen) -> Trend | None:
    """How fast what comes back grows older in a confirmation; None where that is not sure."""
    inside = _inside(flow, one)
    if inside.sum() < 3 or flow.back[inside][-1:].sum() - flow.back[inside][:1].sum() < FEWEST:
        return None
    trend = fit_trend(flow.t_s[inside], flow.age_s[inside], SURE)
    fills = trend.slope > 0 and _full_after_s(flow, inside, trend.slope) < FADES_S
    return trend if trend.low > 0 and fills else None


def _full_after_s(flow: Flow, inside: Bools, slope: float) -> float:
    taken, t_s = flow.taken[inside], flow.t_s[inside]
    grows_per_s = slope * float(taken[-1] - taken[0]) / float(t_s[-1] - t_s[0])
    free = float(flow.size[inside][-1] - flow.active[inside][-1])
    return free / grows_per_s if grows_per_s > 0 else np.inf


def _outpaced(flow: Flow, one: Seen, trend: Trend) -> Limit:
    inside = _inside(flow, one)
    load, after_s = one.level.load, _full_after_s(flow, inside, trend.slope)
    half = Z * trend.standard_error
    low, middle, high = (load * (1 - trend.slope + off) for off in (-half, 0.0, half))
    full = format_duration(round(after_s)) if isfinite(after_s) else "ever"
    return Limit(
        middle,
        low,
        high,
        _named(flow),
        f"what comes back grows older by {trend.slope:.2g} s each second, so it does not keep up: "
        f"at {load:.3g}/s {_named(flow)} would be full after {full}",
    )


def _named(flow: Flow) -> str:
    return f"{flow.subject.removesuffix('-service')} pool {flow.pool}"
