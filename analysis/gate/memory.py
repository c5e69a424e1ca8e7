"""Does head's memory grow faster than base's? The slope of the difference, over whole rounds.

Both arms live through the same rounds on the same host, so the difference of their resident
memory, averaged over a round, loses what they share. Two judges must agree for a FAIL: the slope
of the difference lies beyond the limit, and head's own curve grows (``memory/judge.py``), which
tells a leak from a warm-up, a collector's rhythm and the allocator's steps. MB is 2**20 bytes,
hours are hours of the run, in half of which each arm is loaded.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from analysis.gate.cost_rows import Cost
from analysis.gate.slot_samples import round_means, services_of
from analysis.memory.judge import MemoryClass, judge_memory
from analysis.memory.shape import settled
from analysis.statistics.trend import Trend, fit_trend
from analysis.units import BYTES_PER_MB
from recording.profile import MIN_ROUNDS
from recording.series_reader import Series
from recording.slots import ARMS, Slots

Floats = NDArray[np.float64]

_RSS = "process_resident_memory_bytes"
_HOUR_S = 3600.0
# glibc's heap grows by 128 kB at a time (mallopt(3), M_TOP_PAD): up to two of them of growth do
# not show in either arm. Independent of each other, they add in quadrature.
_GRAIN_MB = 0.25 * sqrt(2)
# A smaller rise may be the allocator's, which is handed memory by the arena of 1 MB (pymalloc).
_FLOOR_MB = 2.0
_METRIC, _UNIT = "memory_slope", "MB/h"


# What slows down by itself is filling up: a leak's second half grows at least at this share of
# the whole, a cache with a time constant of a third of the run at 0.4.
_STEADY = 0.6


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
    windows = [settled(at_h, mb) for mb in (base, head, head - base)]
    after = slice(max(window.start for window in windows), None)
    span_h = float(at_h[-1] - at_h[after][0])
    own, grown, apart = (_trend(at_h[after], mb[after]) for mb in (base, head, head - base))
    grain = _GRAIN_MB / span_h
    unsettled = any(window.tail == np.inf for window in windows)
    return Cost(
        service,
        _METRIC,
        _UNIT,
        base=own.slope,
        head=grown.slope,
        effect=apart.slope,
        error=apart.standard_error,
        degrees=apart.degrees,
        minimum=max(limit_mb_per_h, _FLOOR_MB / span_h),
        tolerated=limit_mb_per_h,
        grain=grain,
        p_value=_p_value(apart, limit_mb_per_h + grain),
        tested_against=limit_mb_per_h,
        excuse=("it has not settled" if unsettled else "")
        or _slowing(apart, at_h[after], (head - base)[after])
        or _alone(series, f"{service}@head", slots, rounds),
    )


def _trend(at_h: Floats, mb: Floats) -> Trend:
    return fit_trend(at_h, mb, 0.95)


def _p_value(trend: Trend, limit: float) -> float:
    """One-sided p of "grows at most by the limit"; a difference on a straight line has no error."""
    if trend.standard_error == 0.0:
        return 0.0 if trend.slope > limit else 1.0
    return float(stdtr(trend.degrees, (limit - trend.slope) / trend.standard_error))


def _slowing(whole: Trend, at_h: Floats, mb: Floats) -> str:
    """Whether the growth is running out, as a warm-up's does."""
    half = len(mb) // 2
    slows = _trend(at_h[half:], mb[half:]).slope < _STEADY * whole.slope
    return "it slows down: a warm-up does" if slows else ""


def _alone(series: Series, subject: str, slots: Slots, rounds: int) -> str:
    """Why head's own curve does not show a leak; empty when it does."""
    t_s, rss_bytes = series.get(subject, _RSS)
    end_s = slots.start_of(2 * (slots.warmup_rounds + rounds))
    inside = (t_s >= slots.start_s) & (t_s < end_s)
    alone = judge_memory(t_s[inside], rss_bytes[inside])
    if alone.class_ is MemoryClass.GROWING:
        return ""
    return f"head by itself shows no leak ({alone.class_.value.replace('_', ' ')})"
