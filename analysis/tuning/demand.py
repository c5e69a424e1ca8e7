"""How many connections are in use at the peak of a minute, from slots of seconds.

The mean of what is in use, as a straight line over the level (both in logarithms; flat unless its
slope is there for sure), and its scatter about that line, over all slots at levels at which nobody
ever waited, say how high a peak is (`analysis/levels/peaks.py`).
"""

from collections.abc import Sequence
from math import exp, inf, log

import numpy as np

from analysis.levels.peaks import peak_over_mean
from analysis.statistics.line import line_through
from analysis.tuning.slot import Slot, Used
from recording.arrays import Floats

CONFIDENCE = 0.95
"""With which a minute at the border keeps the rule on utilization."""


def fills_until(slots: Sequence[Slot], x: Floats, subject: str, samples: int) -> float:
    """The x from which on the peak of so many samples fits into the pool; inf where none does.

    -inf where it does throughout. ``x`` rises with what is safer.
    """
    pairs = zip(slots, x, strict=True)
    of_slot = [(slot.used[subject], float(at)) for slot, at in pairs if subject in slot.used]
    waited = max((at for used, at in of_slot if used.starved), default=-inf)
    # By level and not by slot: those that happened to ask for little say too little.
    free = [(used, at) for used, at in of_slot if at > waited and used.samples.mean() > 0]
    if not free:
        return inf if of_slot else -inf
    means = np.array([used.samples.mean() for used, _ in free])
    at, room = np.array([x for _, x in free]), np.array([used.room for used, _ in free])
    line = _sure(at, np.log(means))
    wanted = line[1] + line[0] * at + log(_peak(free, line, samples))
    return max(_falls_to_zero(at, wanted - np.log(room)), waited)


def _peak(free: Sequence[tuple[Used, float]], line: tuple[float, float], samples: int) -> float:
    """Of so many samples, over the mean."""
    slope, level = line
    ratios = [used.samples / exp(level + slope * x) for used, x in free]
    return peak_over_mean(float(np.std(np.concatenate(ratios))), samples, CONFIDENCE)


def _falls_to_zero(at: Floats, margin: Floats) -> float:
    line = line_through(at, margin)
    if line.slope >= -1e-9:
        return -inf if float(margin.mean()) <= 0 else inf
    return -line.level / line.slope


def _sure(x: Floats, y: Floats) -> tuple[float, float]:
    """Slope and value at zero, flat where the slope is not there for sure."""
    line = line_through(x, y)
    return (line.slope, line.level) if line.differs(0.0) else (0.0, float(y.mean()))
