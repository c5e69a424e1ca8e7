"""What is foreseen, and what was, in a sentence each."""

from collections.abc import Iterator, Sequence
from math import isfinite, nan

import numpy as np

from analysis.evidence.memory import ServiceMemory
from analysis.evidence.resources import Pool
from analysis.evidence.run import Evidence
from analysis.evidence.stretches import Stretch
from analysis.forecast.filling import Filling
from analysis.forecast.outlook import FULL, HOUR_S, Outlook
from analysis.forecast.pools import foreseen
from analysis.statistics.reaching import Reach
from analysis.words.units import format_elapsed
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
        if text := _full(evidence, pools, one, found[at + 1 :]):
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
    before, after = one.filling, _enlarged(one, later)
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


def _enlarged(one: Outlook, later: Sequence[Outlook]) -> Filling | None:
    """The first that its pool filled to after it was given more connections; None: it was not."""
    before = one.filling
    same = (each.filling for each in later if each.filling.pool == before.pool)
    return next((each for each in same if each.size > before.size and each.t_s.size), None)


def _hours(low_h: float, high_h: float) -> str:
    if low_h >= 1.0:
        return f"{low_h:.0f} to {high_h:.0f} h"
    return f"{format_duration(HOUR_S * low_h)} to {format_duration(HOUR_S * high_h)}"


def _full(evidence: Evidence, pools: Sequence[Pool], one: Outlook, later: Sequence[Outlook]) -> str:
    """When it will be, or what was foreseen of it before it was; "" where nothing is, as where it
    has more connections since.
    """
    filling = one.filling
    if filling.dry_s is None:
        full = None if _enlarged(one, later) else one.full
        if full is None or _ahead_s(evidence, one) > HORIZON_S:
            return ""
        return f"{_named(one)} is full between {_between(evidence, filling, full)} at this load"
    told = foreseen(evidence, pools, filling) if filling.t_s.size else None
    if told is None or told.full is None:
        return ""
    known = told.filling
    return (
        f"{_named(one)} was exhausted at {evidence.elapsed(filling.dry_s)}; foreseen at "
        f"{evidence.elapsed(known.t_s[-1])}, from {known.percent[0]:.0f} % at "
        f"{evidence.elapsed(known.t_s[0])} and {known.percent[-1]:.0f} % then: full between "
        f"{_between(evidence, known, told.full)}"
    )


def _between(evidence: Evidence, filling: Filling, full: Reach) -> str:
    return between(evidence, full, float(filling.t_s[-1]), evidence.times(filling.start_s))


def between(evidence: Evidence, full: Reach, known_s: float, times: float) -> str:
    """The interval, and the likeliest moment; of a story at the pace `times` that it had when that
    was known, at `known_s`. Past the first hour to the minute.
    """
    told_s = evidence.told_s(known_s)
    low, high, likely = (
        _about(told_s + times * (at_s - known_s)) for at_s in (full.low, full.high, full.likely)
    )
    return f"{low} and {high} (likely {likely})"


def _about(since_s: float) -> str:
    grain_s = _MINUTE_S if since_s >= HOUR_S else 1.0
    return format_elapsed(grain_s * round(since_s / grain_s))


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
    likely = max(latest, found.ci_low)
    paces = max(found.ci_high, likely), found.ci_low, likely
    soonest_s, latest_s, likely_s = (
        HOUR_S * max(0.0, limit_mb - memory.last_mb) / mb_per_h for mb_per_h in paces
    )
    if soonest_s > HORIZON_S:
        return ""
    at_s, times = memory.last_s, evidence.times(memory.last_s)
    reached = Reach(
        at_s + likely_s / times, at_s + soonest_s / times, at_s + latest_s / times, likely
    )
    when = between(evidence, reached, at_s, times)
    return f"{memory.subject} memory: its limit of {limit_mb:.0f} MB is reached between {when}"
