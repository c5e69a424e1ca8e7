"""Does a pool climb while the load stands, and when will it be full?

What climbs at constant load has left equilibrium, or is not in it yet: a pool that fills for the
first time looks the same. So a climb is told only of a pool whose connections came back meanwhile
(Little's law), or after so long that they would have; and it must go on, by the same test of a
curve that tells a leak of memory from a cache that fills (``analysis/memory/growth.py``).
"""

from dataclasses import dataclass
from math import inf, isfinite, nan

import numpy as np

from analysis.forecast.filling import Filling
from analysis.memory.growth import CONFIDENCE, Growth, Pace, growth
from analysis.memory.shape import collections, steps
from analysis.statistics.reaching import Reach, reach_of_rounded, reach_of_trend
from analysis.statistics.trend import BLOCKS, block_means
from recording.arrays import Floats

HOUR_S = 3600.0
FULL = 100.0
_POINTS = 400
"""That a stretch is averaged to: as many tell how noise follows itself (`fit_trend`)."""
_FEWEST = 16
"""Samples; fewer show no shape. Of published figures two are a line."""
_TURNED_OVER = 0.8
"""Share of the connections in use that those which came back account for, from which on what is
held has been held before."""
LONGEST_HOLD_S = 1800.0
"""After which any connection is back: HikariCP retires one after 30 minutes (`maxLifetime`,
https://github.com/brettwooldridge/HikariCP#frequently-used)."""
_GOES_ON = 0.5
"""Share of its first pace below which a climb levels off, as a leak of memory does."""
_WHY = {
    Pace.UNPROVEN: "no climb is proven",
    Pace.EITHER: "it rises by too little to tell a climb from a filling",
    Pace.SLOWING: "it rises, but more slowly",
    Pace.UNSETTLED: "it has not settled",
}


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a stretch says of the time after it.

    ``slowest`` and ``fastest`` bound the pace, points of utilization an hour; nan where it does not
    climb. ``full`` is when every connection is in use, s since the run's epoch; where it is None
    ``because`` says why nobody can tell. Before ``soonest_s`` it surely is not; nan: not known.
    """

    filling: Filling
    slowest: float = nan
    fastest: float = nan
    full: Reach | None = None
    soonest_s: float = nan
    because: str = ""

    @property
    def climbs(self) -> bool:
        """Whether it is proven to rise, and to go on."""
        return isfinite(self.slowest)

    @property
    def within_s(self) -> tuple[float, float]:
        """Between which moments it is full, or was; nan where the first is not known, inf where the
        second is not.
        """
        if self.filling.dry_s is not None:
            return self.filling.dry_s, self.filling.dry_s
        return self.soonest_s, inf if self.full is None else self.full.high


def outlook(filling: Filling, held_again: float, *, published: bool) -> Outlook:
    """Of one stretch. ``held_again`` is the mean number of connections in use that came back in it,
    nan where hold times are not recorded; ``published`` figures are few, exact and rounded.
    """
    if published and filling.t_s.size < _FEWEST:
        return _of_figures(filling)
    if filling.t_s.size < _FEWEST:
        return Outlook(filling, because=f"{filling.t_s.size} samples are too few")
    if not _held_before(filling, held_again):
        return Outlook(filling, because="what it gives out has not come back yet")
    return _of_samples(filling)


def _held_before(filling: Filling, held_again: float) -> bool:
    if filling.t_s[-1] - filling.t_s[0] >= LONGEST_HOLD_S:
        return True
    return held_again >= _TURNED_OVER * float(filling.used.mean())


def _of_samples(filling: Filling) -> Outlook:
    blocks = block_means(filling.t_s / HOUR_S, filling.percent, BLOCKS)
    if collections(*blocks):
        return Outlook(filling, because="it falls again and again")
    stepped_h = max((float(blocks[0][jump.after]) for jump in steps(blocks[1])), default=-inf)
    t_h, percent = block_means(filling.t_s / HOUR_S, filling.percent, _POINTS)
    since = t_h >= stepped_h
    t_h, percent = t_h[since], percent[since]
    found = growth(t_h, percent) if t_h.size >= _FEWEST else None
    if found is None:
        return Outlook(filling, because="it steps up")
    part = t_h >= _begin_h(found, t_h)
    full = _in_seconds(reach_of_trend(t_h[part], percent[part], FULL, found.trend, CONFIDENCE))
    if found.goes_on:
        return Outlook(filling, found.trend.low, found.trend.high, full, full.low)
    soonest_s = nan if found.pace is Pace.UNSETTLED else full.low
    return Outlook(filling, soonest_s=soonest_s, because=_WHY[found.pace])


def _begin_h(found: Growth, t_h: Floats) -> float:
    """Where the stretch begins whose pace this is: that of the last half, where it grew faster."""
    return float(t_h[-1]) - found.span_h / 2 if found.pace is Pace.FASTER else found.start_h


def _of_figures(filling: Filling) -> Outlook:
    """Each is true to half of its last digit: a whole percent, else a whole connection."""
    percent, t_h = filling.percent, filling.t_s / HOUR_S
    if percent.size < 2:
        return Outlook(filling, because="one figure is no line")
    whole = bool(np.allclose(percent, np.round(percent), atol=1e-6))
    half = 0.5 if whole else 0.5 * FULL / filling.size
    rises, spans_h = np.diff(percent), np.diff(t_h)
    if np.any(rises <= 2.0 * half) or np.any(spans_h <= 0.0):
        return Outlook(filling, because="no climb is proven")
    paces = rises / spans_h
    if paces[-1] < _GOES_ON * paces[0]:
        return Outlook(filling, because="it rises, but more slowly")
    slowest, fastest = _paces(paces, half, spans_h)
    full = reach_of_rounded(t_h, percent, half, FULL)
    if full is None or not isfinite(full.high):
        return Outlook(filling, slowest, fastest, because="its figures are on no line")
    full = _in_seconds(full)
    return Outlook(filling, slowest, fastest, full, full.low)


def _paces(paces: Floats, half: float, spans_h: Floats) -> tuple[float, float]:
    """From figure to figure; of a single step as far as rounding leaves it open."""
    if paces.size > 1:
        return float(paces.min()), float(paces.max())
    spread = 2.0 * half / float(spans_h[0])
    return float(paces[0]) - spread, float(paces[0]) + spread


def _in_seconds(found: Reach) -> Reach:
    return Reach(
        found.likely * HOUR_S, found.low * HOUR_S, found.high * HOUR_S, found.slope / HOUR_S
    )
