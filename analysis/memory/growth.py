"""At what pace does a curve grow, and does it keep it? What the run and the gate share.

Growth is proven by its slope, but a slope alone is no leak: a cache that fills has one as well.
So the pace of the last third is held against that of the first. Growth that goes on at half its
pace or more, or ever faster, is a leak. What has slowed to less may be either: it is running out,
or it will go on, and the trace does not say which.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from analysis.memory.give_backs import Restored, restore, widening
from analysis.memory.shape import Jump, settled
from analysis.statistics.pieces import Floats
from analysis.statistics.trend import Trend, fit_trend

# Two-sided; each side is wrong in 1 % of cases, which is what a false alarm may cost.
CONFIDENCE: Final = 0.98
# A smaller rise over the whole trace is the allocator's, not the program's: it is handed
# memory by the arena of 1 MB (pymalloc), and keeps a spare one.
FLOOR_MB: Final = 2.0
# The last third of two slopes goes at half the first's pace; of a cache with a time constant of
# a quarter of the trace at 0.07, of 0.8 of the trace at 0.43.
_SLOWED_TO = 0.45
# So many standard errors apart two paces differ past doubt.
_PAST_DOUBT = 3.0
_FEWEST_POINTS = 16


class Pace(StrEnum):
    """How a curve grows."""

    UNPROVEN = "unproven"
    STEADY = "steady"
    FASTER = "faster"
    SLOWING = "slowing"
    UNSETTLED = "unsettled"


@dataclass(frozen=True, slots=True)
class Growth:
    """The pace from `start_h` on, where the warm-up ended; of the last half where faster."""

    pace: Pace
    trend: Trend
    start_h: float
    give_backs: int
    span_h: float

    @property
    def goes_on(self) -> bool:
        """Whether it is a leak."""
        return self.pace in (Pace.STEADY, Pace.FASTER)


def growth(t_h: Floats, mb: Floats, falls: Sequence[Jump] = ()) -> Growth | None:
    """How a curve grows over its hours; None where `falls` took too much to be give-backs.

    Points in the middle of a fall are left out: their level is neither this nor that.
    """
    points = [i for i in range(len(mb)) if not any(f.before < i < f.after for f in falls)]
    t_h, mb = t_h[points], mb[points]
    restored = restore(mb, [points.index(fall.after) for fall in falls])
    if restored is None:
        return None
    part = settled(t_h, restored.level)
    rest = _Rest(t_h[part.start :], restored, part.start)
    trend = rest.trend()
    pace = _pace(rest, trend, part.tail)
    if pace is Pace.FASTER:
        trend = rest.trend(rest.half)
    return Growth(pace, trend, float(rest.t_h[0]), len(restored.cuts), rest.span_h)


def grows(trend: Trend, span_h: float, natural_mb: float = 0.0) -> bool:
    """Proven to rise, and by more than is natural: the allocator's floor, or `natural_mb`."""
    proven = trend.low > 0.0 and trend.slope * span_h >= FLOOR_MB
    return proven and trend.low * span_h > natural_mb


@dataclass(frozen=True, slots=True)
class _Rest:
    """A curve after its warm-up."""

    t_h: Floats
    restored: Restored
    start: int

    @property
    def span_h(self) -> float:
        return float(self.t_h[-1] - self.t_h[0])

    @property
    def half(self) -> slice:
        return slice(len(self.t_h) // 2, None)

    def trend(self, part: slice = slice(None)) -> Trend:
        """Slope of a part, wider for each fall that lies in it."""
        first, stop, _ = part.indices(len(self.t_h))
        cuts = [c - self.start - first for c in self.restored.cuts]
        t_h, mb = self.t_h[first:stop], self.restored.level[self.start :][first:stop]
        trend = fit_trend(t_h, mb, CONFIDENCE)
        return widened(trend, widening(t_h, [c for c in cuts if 0 < c < len(t_h)]))


def widened(trend: Trend, factor: float) -> Trend:
    """The same slope, known so many times less surely."""
    return replace(
        trend,
        standard_error=trend.standard_error * factor,
        low=trend.slope - (trend.slope - trend.low) * factor,
        high=trend.slope + (trend.high - trend.slope) * factor,
    )


def _pace(rest: _Rest, trend: Trend, tail_mb: float) -> Pace:
    small = trend.high * rest.span_h <= FLOOR_MB
    if not grows(trend, rest.span_h) and (small or not math.isinf(tail_mb)):
        return Pace.UNPROVEN
    if math.isinf(tail_mb):
        return Pace.UNSETTLED
    if not grows(trend, rest.span_h, tail_mb):
        return Pace.SLOWING
    n = len(rest.t_h)
    if n < _FEWEST_POINTS:
        return Pace.STEADY
    first, last = rest.trend(slice(0, n // 3)), rest.trend(slice(n - n // 3, n))
    if _beyond(_times(first, _SLOWED_TO), last):
        return Pace.SLOWING
    early, late = rest.trend(slice(0, n // 2)), rest.trend(rest.half)
    return Pace.FASTER if _beyond(late, early) else Pace.STEADY


def _beyond(one: Trend, other: Trend) -> bool:
    """Whether one slope is larger than the other past doubt."""
    error = math.hypot(one.standard_error, other.standard_error)
    return one.slope - other.slope > _PAST_DOUBT * error


def _times(trend: Trend, share: float) -> Trend:
    return replace(trend, slope=trend.slope * share, standard_error=trend.standard_error * share)
