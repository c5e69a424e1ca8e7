"""How many connections are in use at the peak of a minute, from slots of seconds.

The mean of what is in use, as a straight line over the level (both in logarithms; flat unless its
slope is there for sure), and its scatter about that line, over all slots at levels at which nobody
ever waited, say how high a peak is (`analysis/levels/peaks.py`).
"""

from collections.abc import Sequence
from math import inf

import numpy as np

from analysis.levels.peaks import peak_over_mean, spread_about
from analysis.statistics.line import line_through
from analysis.tuning.slot import Slot
from recording.arrays import Floats

CONFIDENCE = 0.95
"""With which a minute at the border keeps the rule on utilization."""


def fills_until(slots: Sequence[Slot], x: Floats, subject: str, run_s: float) -> float:
    """The x from which on the peak of a run of this length fits into the pool; inf where none does.

    -inf where it does throughout. ``x`` rises with what is safer.
    """
    pairs = zip(slots, x, strict=True)
    of_slot = [(slot.full[subject], float(at)) for slot, at in pairs if subject in slot.full]
    waited = max((at for full, at in of_slot if full.starved), default=-inf)
    # By level and not by slot: those that happened to ask for little say too little.
    free = [(full, at) for full, at in of_slot if at > waited]
    if not free:
        return inf if of_slot else -inf
    at, room = np.array([x for _, x in free]), np.array([full.room for full, _ in free])
    in_use = [full.samples * full.room for full, _ in free]
    means = np.array([own.mean() for own in in_use])
    slope, level = _sure(at, np.log(means))
    expected = np.exp(level + slope * at)
    samples = run_s * float(np.median([full.per_s for full, _ in free]))
    peak = expected * peak_over_mean(spread_about(in_use, expected), samples, CONFIDENCE)
    beyond = (waited + float(at.min())) / 2  # where callers waited is too small
    return max(_falls_to_zero(at, np.log(peak / room)), beyond)


def _falls_to_zero(at: Floats, margin: Floats) -> float:
    line = line_through(at, margin)
    if line.slope >= -1e-9:
        return -inf if float(margin.mean()) <= 0 else inf
    return -line.level / line.slope


def _sure(x: Floats, y: Floats) -> tuple[float, float]:
    """Slope and value at zero, flat where the slope is not there for sure."""
    line = line_through(x, y)
    return (line.slope, line.level) if line.differs(0.0) else (0.0, float(y.mean()))
