"""The shape of a memory curve: where it was collected, where it stepped, where it settled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from analysis.memory.curves import Grown, grown, left_by_slowing, unit
from analysis.statistics.trend import BLOCKS, MAD_TO_SIGMA, block_means
from recording.arrays import Floats

# A jump is larger than an arena of the allocator (pymalloc's, 1 MB), than the share of the level
# that matters (a rise may be the end of a warm-up, a small fall hides a leak), and than what the
# ordinary changes between neighbouring points make credible (robust standard deviations).
ARENA_MB = 1.0
_STEP_SHARE, _FALL_SHARE = 0.05, 0.01
_JUMP_SIGMAS = 6.0
# Samples hours apart differ by the growth between them, which is not a jump.
_JUMP_DRIFTS = 3.0
_DRIFT_CHANGES = 31
# A fall over two changes must be this much deeper than one over one, or it is the same fall
# with a point of ordinary growth taken in.
_WIDER_IS_WORSE = 0.75
# A staircase of more steps than this is growth in portions, not a change of load.
_MOST_STEPS = 2
# Twice the gain in log likelihood at which a curve that levels off is believed over a line. Ramps
# begin and end anywhere, so more of them fit noise by chance, and they need more of it.
_FILLING_EVIDENCE = 5.0
_RAMP_EVIDENCE = 7.0
# A trend that is hardly there bends by chance: while the line itself gains less than this in twice
# the log likelihood, a curve needs up to so much more.
_CLEAR_LINE = 20.0
_FAINT_EVIDENCE = 3.0
# The clearer the trend, the clearer would the bend be: an exponential with a time constant of a
# third of the trace leaves a line with at least this share of the squared signal unexplained.
_BEND_SHARE = 0.06
# And what growth that goes on, at half its first pace or more, must gain over that curve.
_GROWING_EVIDENCE = 3.0
# And what one that slows to less than half must gain over that.
_EVIDENCE_OF_SLOWING = 16.0
# Of the squared deviations, so that a curve without noise has a likelihood.
_LEAST_LEFT = 1e-12
# What is left after settling must still be a fair part of the trace, or nothing is known.
_SHORTEST_SETTLED = 0.25
_FEWEST_FOR_SHAPE = 16
# A levelling curve rises on a little: this share of its rise so far even when the best fit says
# it is flat, this many times what the best fit says otherwise.
_LEAST_TAIL = 0.08
_TAIL_MARGIN = 1.5


@dataclass(frozen=True, slots=True)
class Jump:
    """A sudden change between two neighbouring points, by their indices."""

    before: int
    after: int

    def since(self, first: int) -> Jump:
        """The same in the part of the points that begins there."""
        return Jump(self.before - first, self.after - first)


@dataclass(frozen=True, slots=True)
class Settled:
    """From which point on the curve is judged, and how much it may still rise from there.

    `tail` is the rise that the end of the warm-up accounts for: 0 when nothing was cut, and
    infinite when the trace ends before the curve has settled.
    """

    start: int
    tail: float


def collections(t_s: Floats, level: Floats, known_s: Sequence[float] = ()) -> list[Jump]:
    """Where memory was given back: at `known_s`, or at sudden and lasting falls."""
    if not known_s:
        return _falls(level, _FALL_SHARE)
    afters = sorted({int(np.searchsorted(t_s, at, side="right")) for at in known_s})
    return [Jump(after - 1, after) for after in afters if 0 < after < len(t_s)]


def steps(level: Floats) -> list[Jump]:
    """Sudden and lasting rises; none when there are so many that they are growth."""
    found = _falls(-level, _STEP_SHARE)
    return found if len(found) <= _MOST_STEPS else []


def settled(t: Floats, y: Floats) -> Settled:
    """Cut off the part in which the curve was still filling up.

    Compares a line with curves that level off (ramps to a plateau, saturating exponentials)
    by likelihood; when levelling off explains the points better, what came before is cut, and
    the rest is asked again. So a warm-up followed by steady growth ends with the growth, and
    a cache that fills ends with its plateau. What is left must rise by more than the tail of
    the warm-up would, or it is that tail. Where the shortest rest that says anything still
    levels off (a step in the last quarter), the trace is too short to tell.
    """
    start, tail_share = 0, 0.0
    latest = int(np.searchsorted(t, t[-1] - _SHORTEST_SETTLED * (t[-1] - t[0])))
    latest = min(latest, len(t) - _FEWEST_FOR_SHAPE)
    while start < latest:
        shape = _levelling(block_means(t[start:], y[start:], BLOCKS)[1])
        if shape is None:
            break
        ahead = int(np.searchsorted(t, t[start] + shape.flat_from * (t[-1] - t[start])))
        start = min(max(ahead, start + 1), latest)
        tail_share = max(tail_share, shape.tail_share, _LEAST_TAIL)
    if not start:
        return Settled(0, 0.0)
    if start == latest and _levelling(block_means(t[start:], y[start:], BLOCKS)[1]):
        return Settled(start, math.inf)
    few = max(1, len(y) // BLOCKS)
    risen = max(0.0, float(y[start : start + few].mean() - y[:few].mean()))
    return Settled(start, tail_share * risen)


def _falls(mb: Floats, least_share: float) -> list[Jump]:
    if len(mb) < 4:
        return []
    changes = np.diff(mb)
    drift = _drift(changes)
    sigma = MAD_TO_SIGMA * float(np.median(np.abs(changes - drift)))
    least = max(ARENA_MB, least_share * abs(float(np.median(mb))), _JUMP_SIGMAS * sigma)
    accepted: list[Jump] = []
    for size, jump in sorted(_candidates(mb, drift, least), key=lambda c: -c[0]):
        limit = max(least, _JUMP_DRIFTS * abs(float(drift[jump.before])))
        apart = all(jump.before >= a.after or jump.after <= a.before for a in accepted)
        if size > limit and apart and _lasts(mb, jump, limit):
            accepted.append(jump)
    return _joined(sorted(accepted, key=lambda jump: jump.before))


def _joined(jumps: list[Jump]) -> list[Jump]:
    """One fall seen in two pieces, with a point in the middle of it, is one."""
    joined: list[Jump] = []
    for jump in jumps:
        if joined and jump.before - joined[-1].after < 2:
            joined[-1] = Jump(joined[-1].before, jump.after)
        else:
            joined.append(jump)
    return joined


def _drift(changes: Floats) -> Floats:
    """The ordinary change at each point: the median of those around it, for growth may bend."""
    wide = min(_DRIFT_CHANGES, len(changes))
    medians = np.median(sliding_window_view(changes, wide), axis=1)
    at = np.clip(np.arange(len(changes)) - wide // 2, 0, len(medians) - 1)
    return np.asarray(medians[at], dtype=np.float64)


def _candidates(level: Floats, drift: Floats, least: float) -> list[tuple[float, Jump]]:
    """Deeper falls over one change, or over two when a point lies in the middle of the fall."""
    found = []
    for span, weight in ((1, 1.0), (2, _WIDER_IS_WORSE)):
        sizes = weight * (level[:-span] - level[span:] + span * drift[: len(level) - span])
        deep = np.flatnonzero(sizes > max(least, 0.0)).tolist()
        found += [(float(sizes[i]), Jump(i, i + span)) for i in deep]
    return found


def _lasts(level: Floats, jump: Jump, limit: float) -> bool:
    """Whether the levels on both sides differ, which a single outlier's do not."""
    before = float(np.median(level[max(0, jump.before - 2) : jump.before + 1]))
    after = float(np.median(level[jump.after : jump.after + 3]))
    return before - after > limit / 2.0


@dataclass(frozen=True, slots=True)
class _Levelling:
    """A curve that levels off: from which share of the time on, and what it rises after that."""

    flat_from: float
    tail_share: float
    evidence: float
    quick: bool


def lead(y: Floats) -> tuple[float, Grown]:
    """The best growth that goes on, and how far it leads over what levels off in good time.

    Its lead is twice the gain in log likelihood over the best filling with a time constant of at
    most a quarter of the trace, or rise to a plateau of half of it; there is none where it slows
    to less than half past doubt.
    """
    centred = y - y.mean()
    total = float(centred @ centred)
    growth, shapes = grown(y), _shapes(len(y))
    if total == 0.0:
        return 0.0, growth
    left = max(growth.left, _LEAST_LEFT * total)
    slowed = max(left_by_slowing(y), _LEAST_LEFT * total)
    if len(y) * math.log(left / slowed) > _EVIDENCE_OF_SLOWING:
        return -math.inf, growth
    return len(y) * math.log(_left(shapes.quick, centred, total).min() / left), growth


def _levelling(y: Floats) -> _Levelling | None:
    """The best levelling curve, None when a line or growth that goes on explains them as well."""
    n = len(y)
    centred = y - y.mean()
    total = float(centred @ centred)
    if n < _FEWEST_FOR_SHAPE or total == 0.0:
        return None
    shapes = _shapes(n)
    left_line = float(_left(shapes.line, centred, total)[0])
    left, left_growing = _left(shapes.curves, centred, total), grown(y).left
    clear = _BEND_SHARE * n * (total - left_line) / left_line
    faint = _FAINT_EVIDENCE * max(0.0, 1.0 - n * math.log(total / left_line) / _CLEAR_LINE)
    surplus = n * np.log(left_line / left) - np.maximum(shapes.evidence + faint, clear)
    best = int(np.argmax(surplus))
    left_growing = max(left_growing, _LEAST_LEFT * total)
    goes_on = n * math.log(float(left[best]) / left_growing) > _GROWING_EVIDENCE
    return shapes.all[best] if surplus[best] > 0.0 and not goes_on else None


def _left(units: Floats, centred: Floats, total: float) -> Floats:
    """Squares left by each rising curve."""
    gains = np.square(np.maximum(units @ centred, 0.0))
    return np.maximum(total - gains, _LEAST_LEFT * total)


@dataclass(frozen=True, slots=True)
class _Shapes:
    """Rising curves that level off, those of them that do in good time, and a line; as units."""

    all: tuple[_Levelling, ...]
    evidence: Floats
    curves: Floats
    quick: Floats
    line: Floats


@lru_cache(maxsize=BLOCKS + 1)
def _shapes(n: int) -> _Shapes:
    x = (np.arange(n) + 0.5) / n
    curves, shapes = [], []
    for begin, end in combinations(np.arange(0.0, 0.95, 1 / 16), 2):
        if end <= 0.75 or begin >= 0.75:  # any, or one that is late but quick
            curves.append(np.clip((x - begin) / (end - begin), 0.0, 1.0))
            shapes.append(_Levelling(float(end), 0.0, _RAMP_EVIDENCE, quick=bool(end < 0.6)))
    for tau in (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.6, 0.8):
        flat = min(3.0 * tau, 0.75)
        tail = (math.exp(-flat / tau) - math.exp(-1.0 / tau)) / (1.0 - math.exp(-flat / tau))
        curves.append(1.0 - np.exp(-x / tau))
        shapes.append(_Levelling(flat, _TAIL_MARGIN * tail, _FILLING_EVIDENCE, quick=tau <= 0.25))
    units = np.array([unit(curve) for curve in curves])
    return _Shapes(
        tuple(shapes),
        np.array([shape.evidence for shape in shapes]),
        units,
        units[[shape.quick for shape in shapes]],
        unit(x)[None, :],
    )
