"""What is foreseen, and what was, in a sentence each."""

from collections.abc import Iterator, Sequence
from math import isfinite, nan

import numpy as np

from analysis.evidence.memory import ServiceMemory
from analysis.evidence.resources import Pool
from analysis.evidence.run import Evidence
from analysis.evidence.stretches import Stretch
from analysis.forecast.outlook import FULL, HOUR_S, Outlook
from analysis.forecast.pools import foreseen
from analysis.statistics.reaching import Reach
from recording.durations import format_duration

HORIZON_S = 72 * HOUR_S
"""What is due only after a Black Friday weekend is no news: `time_to_limit` asks for as much."""
_MINUTE_S = 60.0


def of_pools(
    evidence: Evidence,
    pools: Sequence[Pool],
    found: Sequence[Outlook],
    stretches: Sequence[Stretch],
) -> Iterator[str]:
    """Of a service: every climb at constant load, and when its pools are full."""
    for at, one in enumerate(found):
        if one.climbs:
            yield _climb(evidence, one) + _again(evidence, one, found[at + 1 :], pools, stretches)
        if text := _full(evidence, pools, one):
            yield text


def _climb(evidence: Evidence, one: Outlook) -> str:
    filling, percent = one.filling, one.filling.percent
    return (
        f"{_named(one)} climbs steadily at constant load: {percent[0]:.0f} % at "
        f"{evidence.elapsed(filling.t_s[0])}, {percent[-1]:.0f} % at "
        f"{evidence.elapsed(filling.t_s[-1])}, {pace(evidence, one)}: what is never freed?"
    )


def pace(evidence: Evidence, one: Outlook) -> str:
    """Points of utilization an hour, of the story where the run tells one."""
    times = evidence.times(one.filling.start_s)
    return f"{one.slowest / times:.3g} to {one.fastest / times:.3g} points/h"


def _again(
    evidence: Evidence,
    one: Outlook,
    later: Sequence[Outlook],
    pools: Sequence[Pool],
    stretches: Sequence[Stretch],
) -> str:
    """When a pool that was enlarged is full again: sooner where every connection of it fills as
    those before did, later where as many an hour do as before.
    """
    before = one.filling
    larger = (each.filling for each in later if each.filling.pool == before.pool)
    after = next((each for each in larger if each.size > before.size and each.t_s.size), None)
    if after is None:
        return ""
    level, times = float(np.median(after.percent)), evidence.times(before.start_s)
    soonest_h = (FULL - level) / one.fastest
    latest_h = (FULL - level) * after.size / before.size / one.slowest
    again = _hours(times * soonest_h, times * latest_h)
    text = (
        f" At this pace {level:.0f} % of the {after.size:,.0f} connections since "
        f"{evidence.elapsed(after.t_s[0])} are full again after {again}"
    )
    until_s = max((each.end_s for each in stretches), default=0.0)
    windows = (window.start_s for pool in pools for window in pool.windows)
    since_s = float(after.t_s[0])
    if until_s > since_s + latest_h * HOUR_S and all(start_s <= since_s for start_s in windows):
        text += f"; by {evidence.elapsed(until_s)} they were not: what frees them grew along"
    return text


def _hours(low_h: float, high_h: float) -> str:
    if low_h >= 1.0:
        return f"{low_h:.0f} to {high_h:.0f} h"
    return f"{format_duration(HOUR_S * low_h)} to {format_duration(HOUR_S * high_h)}"


def _full(evidence: Evidence, pools: Sequence[Pool], one: Outlook) -> str:
    """When it will be, or what was foreseen of it before it was; "" where nothing is."""
    filling = one.filling
    if filling.dry_s is None:
        if one.full is None or _ahead_s(evidence, one) > HORIZON_S:
            return ""
        return f"{_named(one)} is full between {between(evidence, one.full)} at this load"
    told = foreseen(evidence, pools, filling) if filling.t_s.size else None
    if told is None or told.full is None:
        return ""
    known = told.filling
    return (
        f"{_named(one)} was exhausted at {evidence.elapsed(filling.dry_s)}; foreseen at "
        f"{evidence.elapsed(known.t_s[-1])}, from {known.percent[0]:.0f} % at "
        f"{evidence.elapsed(known.t_s[0])} and {known.percent[-1]:.0f} % then: full between "
        f"{between(evidence, told.full)}"
    )


def between(evidence: Evidence, full: Reach) -> str:
    """The interval, and the likeliest moment; past the first hour to the minute."""
    low, high, likely = (_about(evidence, at_s) for at_s in (full.low, full.high, full.likely))
    return f"{low} and {high} (likely {likely})"


def _about(evidence: Evidence, at_s: float) -> str:
    since_s = at_s - evidence.load_start_s
    grain_s = _MINUTE_S if since_s >= HOUR_S else 1.0
    return evidence.elapsed(evidence.load_start_s + grain_s * round(since_s / grain_s))


def _ahead_s(evidence: Evidence, one: Outlook) -> float:
    """From the last sample to the likeliest moment, s of the story; nan where there is none."""
    last_s, times = one.filling.t_s[-1], evidence.times(one.filling.start_s)
    return nan if one.full is None else times * (one.full.likely - last_s)


def _named(one: Outlook) -> str:
    return f"{one.filling.subject}: pool {one.filling.pool}"


def of_memory(evidence: Evidence, memory: ServiceMemory) -> str:
    """When growth that goes on reaches the limit; "" where none is proven, or not so soon."""
    found, limit_mb = memory.verdict, memory.limit_mb
    if (
        not memory.growing
        or limit_mb is None
        or not found.ci_low > 0
        or not isfinite(found.ci_high)
    ):
        return ""
    latest = found.segments[-1].slope_mb_per_h if found.segments else found.slope_mb_per_h
    paces = found.ci_high, found.ci_low, min(max(latest, found.ci_low), found.ci_high)
    soonest_s, latest_s, likely_s = (
        HOUR_S * max(0.0, limit_mb - memory.last_mb) / mb_per_h for mb_per_h in paces
    )
    if soonest_s > HORIZON_S:
        return ""
    at_s, times = memory.last_s, evidence.times(memory.last_s)
    reached = Reach(
        at_s + likely_s / times, at_s + soonest_s / times, at_s + latest_s / times, latest
    )
    when = between(evidence, reached)
    return f"{memory.subject} memory: its limit of {limit_mb:.0f} MB is reached between {when}"
