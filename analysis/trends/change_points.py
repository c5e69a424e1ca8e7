"""Where a series of runs changed its level, by ranks, so that no distribution is assumed.

PELT (Killick, Fearnhead and Eckley, JASA 2012) finds the segments with the least cost of ranks
(Lung-Yut-Fong, Lévy-Leduc and Cappé, 2015), both as the package `ruptures` has them. Under
exchangeable runs the law of that cost depends on their number alone, so one penalty holds for every
metric; ``python -m benchmarks.studies.change_points`` measures how often it is wrong.
"""

from math import log

import numpy as np
import ruptures

from recording.arrays import Floats

SHORTEST = 4
"""Runs of a level; fewer are an outlier."""
FEWEST = 12
"""Runs in all: with fewer even the clearest step is not beyond chance at ``FALSE_ALARMS``."""
FALSE_ALARMS = 0.01
"""Share of series of independent runs without a change in which one is found, about."""


def penalty(n: int) -> float:
    """What one more change costs among ``n`` runs; fitted to simulated series without any."""
    return 4.5 + 1.55 * log(n)


def change_points(values: Floats) -> tuple[int, ...]:
    """Index of the first run of each new level, ascending; none among fewer than `FEWEST`."""
    n = len(values)
    if n < FEWEST or np.ptp(values) == 0:
        return ()
    search = ruptures.Pelt(model="rank", min_size=SHORTEST, jump=1)
    ends = search.fit(values).predict(pen=penalty(n))
    return tuple(int(end) for end in ends[:-1])
