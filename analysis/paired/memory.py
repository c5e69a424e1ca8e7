"""Does head's memory grow faster than base's? The slope of the difference, over whole rounds.

Both arms live through the same rounds on the same host, so the difference of their resident
memory, averaged over a round, loses what they share. The difference is judged as a run's memory is
(``memory/growth.py``): bends are no noise, falls that leave most of it are seen through, and what
slows down may be a warm-up. For a FAIL its slope lies beyond the limit and goes on, and head's own
curve grows (``memory/judge.py``). MB is 2**20 bytes, hours are hours of the run, in half of which
each arm is loaded.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from analysis.memory.growth import FLOOR_MB, Growth, Pace, growth
from analysis.memory.judge import MemoryClass, judge_memory
from analysis.memory.shape import collections
from analysis.paired.cost_rows import Cost
from analysis.paired.slot_samples import round_means, services_of
from analysis.statistics.trend import Trend, fit_trend
from analysis.words.units import BYTES_PER_MB
from recording.profile import MIN_ROUNDS
from recording.series_reader import Series
from recording.slots import ARMS, Slots

Floats = NDArray[np.float64]

_RSS = "process_resident_memory_bytes"
_HOUR_S = 3600.0
# glibc's heap grows by 128 kB at a time (mallopt(3), M_TOP_PAD): up to two of them of growth do
# not show in either arm. Independent of each other, they add in quadrature.
_GRAIN_MB = 0.25 * sqrt(2)
_METRIC, _UNIT = "memory_slope", "MB/h"

_WHY_NOT = {
    Pace.UNPROVEN: "it may be what an allocator takes",
    Pace.EITHER: "a warm-up may rise as much",
    Pace.SLOWING: "it slows down: a warm-up does",
    Pace.UNSETTLED: "it has not settled",
}


def memory_costs(series: Series, slots: Slots, rounds: int, limit_mb_per_h: float) -> list[Cost]:
    """One estimate for each service whose memory both arms show."""
    return [
        _memory_cost(series, service, slots, rounds, limit_mb_per_h)
        for service in services_of(series, _RSS)
    ]


def _memory_cost(
    series: Series, service: str, slots: Slots, rounds: int, limit_mb_per_h: float
) -> Cost:
    base, head = (
        round_means(series, f"{service}@{arm}", _RSS, slots, rounds) / BYTES_PER_MB for arm in ARMS
    )
    missing = int(np.isnan(base).sum() + np.isnan(head).sum())
    if rounds < MIN_ROUNDS or missing:
        few = f"{rounds} rounds, need {MIN_ROUNDS}"
        gap = f"no samples in {missing} of {2 * rounds} rounds of both arms" if missing else few
        return Cost(service, _METRIC, _UNIT, lacks=gap)
    at_h = np.arange(rounds, dtype=np.float64) * 2 * slots.slot_s / _HOUR_S
    alone = [_growth(at_h, mb) for mb in (base, head)]
    after = at_h >= max(at_h[0], *(found.start_h for found in alone if found))
    found = _growth(at_h[after], (head - base)[after])
    own, grown = (fit_trend(at_h[after], mb[after], 0.95) for mb in (base, head))
    apart = found.trend if found else fit_trend(at_h[after], (head - base)[after], 0.95)
    span_h = found.span_h if found else float(np.ptp(at_h[after]))
    grain = _GRAIN_MB / span_h
    unsettled = any(one is not None and one.pace is Pace.UNSETTLED for one in alone)
    return Cost(
        service,
        _METRIC,
        _UNIT,
        base=own.slope,
        head=grown.slope,
        effect=apart.slope,
        error=apart.standard_error,
        degrees=apart.degrees,
        minimum=max(limit_mb_per_h, FLOOR_MB / span_h),
        tolerated=limit_mb_per_h,
        grain=grain,
        p_value=_p_value(apart, limit_mb_per_h + grain),
        tested_against=limit_mb_per_h,
        excuse=(_WHY_NOT[Pace.UNSETTLED] if unsettled else "")
        or (_WHY_NOT.get(found.pace, "") if found else "it is given back")
        or _alone(series, f"{service}@head", slots, rounds),
    )


def _growth(at_h: Floats, mb: Floats) -> Growth | None:
    return growth(at_h, mb, collections(at_h, mb))


def _p_value(trend: Trend, limit: float) -> float:
    """One-sided p of "grows at most by the limit"; a difference on a straight line has no error."""
    if trend.standard_error == 0.0:
        return 0.0 if trend.slope > limit else 1.0
    return float(stdtr(trend.degrees, (limit - trend.slope) / trend.standard_error))


def _alone(series: Series, subject: str, slots: Slots, rounds: int) -> str:
    """Why head's own curve does not show a leak; empty when it does."""
    t_s, rss_bytes = series.get(subject, _RSS)
    end_s = slots.start_of(2 * (slots.warmup_rounds + rounds))
    inside = (t_s >= slots.start_s) & (t_s < end_s)
    alone = judge_memory(t_s[inside], rss_bytes[inside])
    if alone.class_ is MemoryClass.GROWING:
        return ""
    return f"head by itself shows no leak ({alone.class_.value.replace('_', ' ')})"
