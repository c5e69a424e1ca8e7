"""Does a service's memory grow without bound? A slope that a sawtooth cannot hide.

A line through a whole sawtooth shows nothing: the seed's cart grew by 37 MB/h, was collected
at T+36h, and grew on twice as fast. So the curve is cut where memory was collected (and where
it stepped up with the load), the slope is taken between the cuts, and a collector's rhythm is
told from a leak by what the collections leave behind. A fall that leaves most of what has grown
is no collection, and is seen through (``give_backs.py``).

MB is 2**20 bytes, as in the seed, where "512MB" is 536,870,912 bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from analysis.memory.growth import CONFIDENCE, FLOOR_MB, Growth, Pace, grows, growth
from analysis.memory.shape import Jump, collections, steps
from analysis.statistics.trend import Trend, block_means, fit_trend
from analysis.words.units import BYTES_PER_MB, format_elapsed
from recording.arrays import Floats

# Points the curve is averaged to before anything else: 400 resolve a sawtooth of 100 teeth.
_POINTS = 400
# Shorter than this there is no scatter to judge a slope by, unless the samples are hours apart.
_FEWEST_SAMPLES = 10
_FEWEST_COARSE_SAMPLES = 5
_COARSE_SPAN_S = 6 * 3600.0
# What may have risen by no more than this share of the level, or the allocator's floor, stands.
_STANDS = 0.02
# Less than a byte an hour is what floating point leaves of a curve without slope.
_LEAST_MB_PER_H = 1e-6
# Valleys need three to have a slope with scatter.
_FEWEST_VALLEYS = 3
# glibc's heap grows by M_TOP_PAD, 128 kB (mallopt(3)), so up to two of them of growth do not
# show, and a short flat trace proves little: 0.25 MB in a minute are 15 MB/h.
_GRAIN_MB = 0.25
# What a collection leaves behind differs by this share of what it takes, without any trend.
_SAME_VALLEY = 0.02
# Collected only when the container's limit is near: the seed's cart, at 1.8 of 2 GB (90 %).
_NEAR_LIMIT = 0.85
# No collector waits this long by its own rhythm; the seed's cart grew for 36 hours.
_LONG_GROWTH_S = 6 * 3600.0
_HOUR_S = 3600.0
# Addresses have 64 bits.
_IMPOSSIBLE_BYTES = 2.0**64
_UNKNOWN = Trend(math.nan, math.inf, -math.inf, math.inf, 0)


class MemoryClass(StrEnum):
    """What the curve shows. Only `GROWING` is evidence of a leak, and `CANNOT_TELL` of nothing."""

    STABLE = "stable"
    WARMING_UP = "warming_up"
    GROWING = "growing"
    SAWTOOTH = "sawtooth"
    CANNOT_TELL = "cannot_tell"
    TOO_SHORT = "too_short"


@dataclass(frozen=True, slots=True)
class Segment:
    """The curve between two cuts, and how fast it grew there."""

    start_s: float
    end_s: float
    slope_mb_per_h: float
    ci_low: float
    ci_high: float
    n: int


@dataclass(frozen=True, slots=True)
class MemoryVerdict:
    """What is known about the growth of a service's memory.

    The slope is the one that matters to the class: between collections when growing (of the last
    half where it grows ever faster), from valley to valley for a sawtooth, after warm-up
    otherwise; NaN with infinite bounds when the trace says nothing. `ci_low` and `ci_high` bound
    it at 98 %.
    """

    class_: MemoryClass
    slope_mb_per_h: float
    ci_low: float
    ci_high: float
    segments: tuple[Segment, ...]
    explanation: str

    def decides(self, limit_mb_per_h: float) -> bool | None:
        """Whether growth above the limit is proven (True), excluded (False) or open (None)."""
        if self.class_ is MemoryClass.GROWING and self.ci_low > limit_mb_per_h:
            return True
        return False if self.ci_high < limit_mb_per_h else None


@dataclass(frozen=True, slots=True)
class _Curve:
    """The averaged trace with its cuts."""

    t_s: Floats
    mb: Floats
    collected: list[Jump]
    stepped: list[Jump]

    def stretches(self, jumps: Sequence[Jump]) -> list[tuple[int, int]]:
        """First and one past the last point of each stretch between jumps."""
        cuts = sorted(jumps, key=lambda jump: jump.before)
        starts = [0, *(cut.after for cut in cuts)]
        stops = [*(cut.before + 1 for cut in cuts), len(self.t_s)]
        return [(a, b) for a, b in zip(starts, stops, strict=True) if b - a >= 3]


def judge_memory(
    t_s: Floats,
    rss_bytes: Floats,
    *,
    collections_s: Sequence[float] = (),
    limit_bytes: float | None = None,
    elapsed: Callable[[float], str] = format_elapsed,
) -> MemoryVerdict:
    """Classify a trace of resident memory and find its slope.

    `rss_bytes` at ascending times `t_s` are NaN, or what no address space holds, where a sample is
    missing. `collections_s` says when memory was collected, where that is known; otherwise
    collections are found as sudden and lasting falls. `limit_bytes` is the container's limit,
    `elapsed` how a time is said.

    Raises ValueError when the series differ in length, or times do not ascend.
    """
    if len(t_s) != len(rss_bytes):
        raise ValueError(f"{len(t_s)} times for {len(rss_bytes)} samples of memory")
    known = np.isfinite(t_s) & (np.abs(rss_bytes) < _IMPOSSIBLE_BYTES)
    t_s, rss_bytes = t_s[known], rss_bytes[known]
    if np.any(np.diff(t_s) < 0):
        raise ValueError("times do not ascend")
    if _too_short(t_s):
        return _says_nothing(f"{len(t_s)} samples are too few to tell growth from noise")
    at_s, mb = block_means(t_s, rss_bytes / BYTES_PER_MB, _POINTS)
    stepped = steps(mb) if not collections_s else []
    curve = _Curve(at_s, mb, collections(at_s, mb, collections_s), stepped)
    cuts = [*curve.collected, *curve.stepped]
    segments = tuple(_segment(curve, first, stop) for first, stop in curve.stretches(cuts))
    limit_mb = None if limit_bytes is None else limit_bytes / BYTES_PER_MB
    uncollected = _judge_uncollected(curve, segments, elapsed)
    return uncollected or _judge_collected(curve, segments, limit_mb)


def _too_short(t_s: Floats) -> bool:
    if len(t_s) >= _FEWEST_SAMPLES:
        return bool(t_s[-1] <= t_s[0])
    return len(t_s) < _FEWEST_COARSE_SAMPLES or bool(t_s[-1] - t_s[0] < _COARSE_SPAN_S)


def _segment(curve: _Curve, first: int, stop: int) -> Segment:
    t_s, mb = curve.t_s[first:stop], curve.mb[first:stop]
    trend = fit_trend(t_s / _HOUR_S, mb, CONFIDENCE)
    return Segment(float(t_s[0]), float(t_s[-1]), trend.slope, trend.low, trend.high, stop - first)


def _judge_uncollected(
    curve: _Curve, segments: tuple[Segment, ...], elapsed: Callable[[float], str]
) -> MemoryVerdict | None:
    """Without collections: falls, if any, left most of what had grown; None where they did not."""
    stretches = curve.stretches(curve.stepped)
    if not stretches:
        return _says_nothing("memory jumps about too much to have a slope")
    first, stop = max(stretches, key=lambda s: curve.t_s[s[1] - 1] - curve.t_s[s[0]])
    falls = [jump.since(first) for jump in curve.collected if first < jump.after < stop]
    found = growth(curve.t_s[first:stop] / _HOUR_S, curve.mb[first:stop], falls)
    if found is None:
        return None
    if found.goes_on:
        return _growing(segments, found.trend, _how(found))
    return _at_rest(curve, segments, found, float(curve.t_s[first]), elapsed)


def _at_rest(
    curve: _Curve,
    segments: tuple[Segment, ...],
    found: Growth,
    begin_s: float,
    elapsed: Callable[[float], str],
) -> MemoryVerdict:
    """Not proven to go on: told apart by what it may still have risen, and in these words."""
    start_s = found.start_h * _HOUR_S
    trend = _grained(found.trend, found.span_h)
    slope = f"{_slope(trend)} since {elapsed(start_s)}"
    stands = found.trend.high * found.span_h <= max(FLOOR_MB, _STANDS * float(np.median(curve.mb)))
    class_ = MemoryClass.CANNOT_TELL
    if found.pace is Pace.UNSETTLED and not stands:
        trend = replace(trend, low=-math.inf, high=math.inf)
        text = "rises late, and has not settled"
    elif found.pace is Pace.EITHER:
        text = f"a leak or a cache that fills: rises by too little to tell, {slope}"
    elif found.pace is not Pace.UNPROVEN:
        text = f"a leak or a cache that fills: rises, but more slowly, {slope}"
    elif not stands:
        text = f"no growth proven and none excluded, {slope}"
    elif start_s > begin_s or curve.stepped:
        class_, text = MemoryClass.WARMING_UP, f"rose and levelled off, {slope}"
    else:
        class_, text = MemoryClass.STABLE, f"stable, {_slope(trend)}"
    if found.pace is Pace.UNPROVEN and found.trend.low > 0.0:
        text += f": less than the {FLOOR_MB:.0f} MB that an allocator takes"
    return _verdict(class_, segments, trend, text)


def _how(found: Growth) -> str:
    """In what manner it grows."""
    through = f"through {found.give_backs} give-back{'s' * (found.give_backs > 1)}"
    how = through if found.give_backs else "without a collection"
    return f"ever faster {how}, in its last half" if found.pace is Pace.FASTER else f"{how},"


def _judge_collected(
    curve: _Curve, segments: tuple[Segment, ...], limit_mb: float | None
) -> MemoryVerdict:
    """A leak shows in the valleys; or, where there are too few, in what forced the collection."""
    count = len(curve.collected)
    if not segments:
        return _says_nothing("collected too often to see anything between")
    between = _combined(segments)
    if forced := _forced(curve, limit_mb):
        span_h = max(s.end_s - s.start_s for s in segments) / _HOUR_S
        if grows(between, span_h):
            return _growing(segments, between, f"collected only {forced},")
    if count < _FEWEST_VALLEYS:
        are = "collection is" if count == 1 else "collections are"
        text = f"{count} {are} too few to tell a leak from a collector's rhythm"
        return _verdict(MemoryClass.SAWTOOTH, segments, _UNKNOWN, text)
    valleys_h = curve.t_s[[jump.after for jump in curve.collected]] / _HOUR_S
    valleys = np.array([curve.mb[j.after : j.after + 2].min() for j in curve.collected])
    trend = fit_trend(valleys_h, valleys, CONFIDENCE)
    span_h = float(valleys_h[-1] - valleys_h[0])
    depth_mb = float(np.median(_peaks(curve))) - float(np.median(valleys))
    # A valley lies between two points, and may be this much deeper than the second one shows; how
    # much drifts where points and collections beat against each other.
    afters = np.array([j.after for j in curve.collected if j.after + 1 < len(curve.mb)])
    unseen_mb = float(np.max(curve.mb[afters + 1] - curve.mb[afters], initial=0.0))
    if grows(trend, span_h, max(_SAME_VALLEY * depth_mb, unseen_mb)):
        return _growing(segments, trend, f"in the valleys of {count} collections,")
    trend = _grained(trend, span_h)
    text = f"{count} collections whose valleys do not rise, {_slope(trend)}"
    return _verdict(MemoryClass.SAWTOOTH, segments, trend, text)


def _forced(curve: _Curve, limit_mb: float | None) -> str | None:
    """Why the collections were not the collector's own rhythm, None when they may have been."""
    if limit_mb is not None:
        near = float(np.median(_peaks(curve))) >= _NEAR_LIMIT * limit_mb
        return f"near the limit of {limit_mb:.0f} MB" if near else None
    if len(curve.collected) >= _FEWEST_VALLEYS:
        return None
    starts = [0, *(jump.after for jump in curve.collected[:-1])]
    waits_s = curve.t_s[[jump.before for jump in curve.collected]] - curve.t_s[starts]
    longest_s = float(np.median(waits_s))
    if longest_s >= _LONG_GROWTH_S:
        return f"after {longest_s / _HOUR_S:.0f} h of growth"
    return None


def _peaks(curve: _Curve) -> Floats:
    # The point at the jump may be averaged over it; its neighbour is not.
    return np.array([curve.mb[max(0, j.before - 1) : j.before + 1].max() for j in curve.collected])


def _grained(trend: Trend, span_h: float) -> Trend:
    """The interval with what the allocator may have hidden over the span."""
    hidden = _GRAIN_MB / span_h if span_h > 0.0 else math.inf
    return replace(trend, low=trend.low - hidden, high=trend.high + hidden)


def _combined(segments: Sequence[Segment]) -> Trend:
    """Mean slope between cuts, weighted with time; independent errors add in quadrature."""
    spans = np.array([s.end_s - s.start_s for s in segments])
    weights = spans / spans.sum()
    halves = np.array([(s.ci_high - s.ci_low) / 2.0 for s in segments])
    slope = float(weights @ np.array([s.slope_mb_per_h for s in segments]))
    half = float(np.sqrt(np.square(weights * halves).sum()))
    return Trend(slope, math.nan, slope - half, slope + half, sum(s.n for s in segments))


def _growing(segments: tuple[Segment, ...], trend: Trend, how: str) -> MemoryVerdict:
    return _verdict(MemoryClass.GROWING, segments, trend, f"grows {how} {_slope(trend)}")


def _says_nothing(explanation: str) -> MemoryVerdict:
    return _verdict(MemoryClass.TOO_SHORT, (), _UNKNOWN, explanation)


def _verdict(
    class_: MemoryClass, segments: tuple[Segment, ...], trend: Trend, explanation: str
) -> MemoryVerdict:
    slope = 0.0 if abs(trend.slope) < _LEAST_MB_PER_H else trend.slope
    return MemoryVerdict(class_, slope, trend.low, trend.high, segments, explanation)


def _slope(trend: Trend) -> str:
    return f"{trend.slope:+.1f} MB/h (98 % within {trend.low:+.1f} and {trend.high:+.1f})"
