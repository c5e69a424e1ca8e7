"""At what pace does a curve grow, and does it go on? What the run and the gate share.

Growth is proven by its slope, but a slope alone is no leak: a cache that fills has one as well. So
growth that goes on must also explain the curve better than anything that has levelled off would.
Where it does not, the trace cannot tell a leak from a filling.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from analysis.memory.give_backs import Restored, restore, widening
from analysis.memory.shape import Jump, lead, settled
from analysis.statistics.trend import BLOCKS, Trend, block_means, fit_trend
from recording.arrays import Floats

# Two-sided; each side is wrong in 1 % of cases, which is what a false alarm may cost.
CONFIDENCE: Final = 0.98
# A smaller rise over the whole trace is the allocator's, not the program's: it is handed
# memory by the arena of 1 MB (pymalloc), and keeps a spare one.
FLOOR_MB: Final = 2.0
# Twice the gain in log likelihood that growth must have over what levels off. A line leaves 18 % of
# its squares to the nearest such curve: one that rises by 6 standard errors leads by this much.
_LEAD = 6.0
# So many standard errors apart two paces differ past doubt.
_PAST_DOUBT = 3.0
_FEWEST_POINTS = 16


class Pace(StrEnum):
    """How a curve grows; `EITHER` where it may as well be a filling."""

    UNPROVEN = "unproven"
    STEADY = "steady"
    FASTER = "faster"
    EITHER = "either"
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
    rest, ahead = _Rest(t_h[part.start :], restored.since(part.start)).through_hidden_falls()
    pace, trend = _pace(rest, part.tail, ahead)
    give_backs = len(restored.cuts) + len(rest.restored.cuts) - len(restored.since(part.start).cuts)
    return Growth(pace, trend, float(rest.t_h[0]), give_backs, rest.span_h)


def grows(trend: Trend, span_h: float, natural_mb: float = 0.0) -> bool:
    """Proven to rise, and by more than is natural: the allocator's floor, or `natural_mb`."""
    proven = trend.low > 0.0 and trend.slope * span_h >= FLOOR_MB
    return proven and trend.low * span_h > natural_mb


@dataclass(frozen=True, slots=True)
class _Rest:
    """A curve after its warm-up."""

    t_h: Floats
    restored: Restored

    @property
    def span_h(self) -> float:
        return float(self.t_h[-1] - self.t_h[0])

    def through_hidden_falls(self) -> tuple[_Rest, float]:
        """Without the falls that growth needs, and its lead over what levels off."""
        if len(self.t_h) < _FEWEST_POINTS:
            return self, math.inf
        ahead, growing = lead(block_means(self.t_h, self.restored.level, BLOCKS)[1])
        return replace(self, restored=self.restored.through(growing)), ahead

    def trend(self, first: int = 0) -> Trend:
        """Slope from this point on, wider for each fall that lies there."""
        part, t_h = self.restored.since(first), self.t_h[first:]
        found, factor = fit_trend(t_h, part.level, CONFIDENCE), widening(t_h, part.cuts)
        low = found.slope - (found.slope - found.low) * factor
        high = found.slope + (found.high - found.slope) * factor
        error = found.standard_error * factor
        return replace(found, standard_error=error, low=low, high=high)

    def faster_half(self, whole: Trend) -> Trend | None:
        """Slope of the last half, where it is larger than that of the whole past doubt."""
        if len(self.t_h) < _FEWEST_POINTS:
            return None
        late = self.trend(len(self.t_h) // 2)
        faster = late.slope - whole.slope > _PAST_DOUBT * late.standard_error
        return late if faster and late.low > whole.low else None


def _pace(rest: _Rest, tail_mb: float, ahead: float) -> tuple[Pace, Trend]:
    """How the rest grows, and its slope: that of the last half where it is faster past doubt."""
    trend, span_h = rest.trend(), rest.span_h
    # Few points, and those that follow one another closely, know their own noise less well.
    ahead *= min(1.0, (trend.degrees + 2.0) / BLOCKS)
    late = rest.faster_half(trend) if ahead > _LEAD else None
    if late:
        trend, span_h = late, span_h / 2.0
    small = trend.high * span_h <= FLOOR_MB
    if not grows(trend, span_h) and (small or not math.isinf(tail_mb)):
        return Pace.UNPROVEN, trend
    if math.isinf(tail_mb):
        return Pace.UNSETTLED, trend
    if ahead < 0.0 or not grows(trend, span_h, tail_mb):
        return Pace.SLOWING, trend
    if ahead <= _LEAD:
        return Pace.EITHER, trend
    return (Pace.FASTER if late else Pace.STEADY), trend
