"""How many connections are in use at the peak of a minute, from slots of seconds.

The mean of what is in use, as a straight line over the level (both in logarithms), and its scatter
about that line, over all slots in which nobody waited. Of n samples of a normal quantity that
scatters by sd, none is above mean + z sd with probability p where z is the normal quantile of
p^(1/n); samples close to each other are alike, and then fewer are (Slepian, 1962), so the bound is
on the safe side.
"""

from collections.abc import Sequence
from math import exp, inf, log

import numpy as np

from analysis.statistics.distributions import normal_quantile
from analysis.tuning.slot import Slot, Used
from recording.arrays import Floats

CONFIDENCE = 0.95
"""With which a minute at the border keeps the rule on utilization."""


def fills_until(slots: Sequence[Slot], x: Floats, subject: str, samples: int) -> float:
    """The x from which on the peak of so many samples fits into the pool; inf where none does.

    -inf where it does throughout. ``x`` rises with what is safer.
    """
    of_slot = [(slot.used[subject], float(at)) for slot, at in zip(slots, x, strict=True)
               if subject in slot.used]  # fmt: skip
    free = [(used, at) for used, at in of_slot if not used.starved and used.samples.mean() > 0]
    if not free:
        return inf if of_slot else -inf
    means = np.array([used.samples.mean() for used, _ in free])
    at, room = np.array([x for _, x in free]), np.array([used.room for used, _ in free])
    peak = log(1 + normal_quantile(CONFIDENCE ** (1 / samples)) * _scatter(free, means, at))
    border = _falls_to_zero(at, np.log(means) + peak - np.log(room))
    # Where callers waited it was too small, whatever the line says.
    waited = [x for used, x in of_slot if used.starved and x < at.min()]
    return max([border, *waited])


def _scatter(free: Sequence[tuple[Used, float]], means: Floats, at: Floats) -> float:
    """Of what is in use about the line through the means, as a share of it."""
    slope, level = _line(at, np.log(means))
    ratios = [used.samples / exp(level + slope * x) for used, x in free]
    return float(np.std(np.concatenate(ratios)))


def _falls_to_zero(at: Floats, margin: Floats) -> float:
    slope, level = _line(at, margin)
    if slope >= -1e-9:
        return -inf if float(margin.mean()) <= 0 else inf
    return -level / slope


def _line(x: Floats, y: Floats) -> tuple[float, float]:
    """Slope and value at zero; level where all x are one."""
    if np.ptp(x) < 1e-9:
        return 0.0, float(y.mean())
    slope, level = np.polyfit(x, y, 1)
    return float(slope), float(level)
