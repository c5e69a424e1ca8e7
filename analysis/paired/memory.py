"""Does head's memory grow faster than base's? The slope of the difference, over whole rounds.

Both arms live through the same rounds on the same host, so the difference of their resident
memory, averaged over a round, loses what they share. The difference is judged as a run's memory is
(``memory/growth.py``): bends are no noise, falls that leave most of it are seen through, and what
slows down may be a warm-up. For a FAIL its slope lies beyond the limit and goes on, and head's own
curve grows (``memory/judge.py``). MB is 2**20 bytes, hours are hours of the run, in half of which
each arm is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt

import numpy as np
from scipy.special import stdtr

from analysis.memory.growth import FLOOR_MB, Growth, Pace, growth
from analysis.memory.judge import MemoryClass, judge_memory
from analysis.memory.shape import collections
from analysis.paired.cost_rows import CostRow, bound
from analysis.paired.rounds import Rounds
from analysis.paired.slot_samples import round_means
from analysis.regression.rows import Stakes
from analysis.statistics.trend import Trend, fit_trend
from analysis.words.units import BYTES_PER_MB
from recording.arrays import Floats
from recording.metric_names import RSS
from recording.profile import MIN_ROUNDS
from recording.slots import ARMS

_HOUR_S = 3600.0
# glibc's heap grows by 128 kB at a time (mallopt(3), M_TOP_PAD): up to two of them of growth do
# not show in either arm. Independent of each other, they add in quadrature.
_GRAIN_MB = 0.25 * sqrt(2)
SLOPE = "MB/h"
"""The unit of these rows."""
_METRIC = "memory_slope"

_WHY_NOT = {
    Pace.UNPROVEN: "it may be what an allocator takes",
    Pace.EITHER: "a warm-up may rise as much",
    Pace.SLOWING: "it slows down: a warm-up does",
    Pace.UNSETTLED: "it has not settled",
}


def memory_row(rounds: Rounds, service: str, limit_mb_per_h: float, stakes: Stakes) -> CostRow:
    """The estimate of one service; none where an arm does not show its memory throughout."""
    base, head = (round_means(rounds, f"{service}@{arm}", RSS) / BYTES_PER_MB for arm in ARMS)
    missing = int(np.isnan(base).sum() + np.isnan(head).sum())
    if rounds.count < MIN_ROUNDS or missing:
        few = f"{rounds.count} rounds, need {MIN_ROUNDS}"
        gap = f"no samples in {missing} of {2 * rounds.count} rounds of both arms"
        return CostRow(service, _METRIC, SLOPE, stakes, lacks=gap if missing else few)
    at_h = np.arange(rounds.count, dtype=np.float64) * 2 * rounds.slots.slot_s / _HOUR_S
    alone = [_growth(at_h, mb) for mb in (base, head)]
    after = at_h >= max(at_h[0], *(found.start_h for found in alone if found))
    found = _growth(at_h[after], (head - base)[after])
    own, grown = (fit_trend(at_h[after], mb[after], 0.95) for mb in (base, head))
    apart = found.trend if found else fit_trend(at_h[after], (head - base)[after], 0.95)
    span_h = found.span_h if found else float(np.ptp(at_h[after]))
    grain = _GRAIN_MB / span_h
    return CostRow(
        service,
        _METRIC,
        SLOPE,
        stakes,
        own.slope,
        grown.slope,
        max(limit_mb_per_h, FLOOR_MB / span_h),
        limit_mb_per_h,
        bound(apart.slope, apart.standard_error, apart.degrees, stakes, grain),
        apart.degrees,
        _p_value(apart, limit_mb_per_h + grain),
        tested_against=limit_mb_per_h,
        excuse=_excuse(alone, found) or _alone(rounds, f"{service}@head"),
    )


def _excuse(alone: Iterable[Growth | None], found: Growth | None) -> str:
    """Why a growth of head beyond base may be no leak; "" where the rounds do not say so."""
    if any(one is not None and one.pace is Pace.UNSETTLED for one in alone):
        return _WHY_NOT[Pace.UNSETTLED]
    return _WHY_NOT.get(found.pace, "") if found else "it is given back"


def _growth(at_h: Floats, mb: Floats) -> Growth | None:
    return growth(at_h, mb, collections(at_h, mb))


def _p_value(trend: Trend, limit: float) -> float:
    """One-sided p of "grows at most by the limit"; a difference on a straight line has no error."""
    if trend.standard_error == 0.0:
        return 0.0 if trend.slope > limit else 1.0
    return float(stdtr(trend.degrees, (limit - trend.slope) / trend.standard_error))


def _alone(rounds: Rounds, subject: str) -> str:
    """Why head's own curve does not show a leak; empty when it does."""
    t_s, rss_bytes = rounds.series.get(subject, RSS)
    inside = (t_s >= rounds.slots.start_s) & (t_s < rounds.span_s[1]) & (rss_bytes > 0)
    alone = judge_memory(t_s[inside], rss_bytes[inside])
    if alone.class_ is MemoryClass.GROWING:
        return ""
    return f"head by itself shows no leak ({alone.class_.value.replace('_', ' ')})"
