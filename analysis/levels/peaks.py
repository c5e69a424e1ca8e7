"""How far the peak of so many samples lies above their mean, of what slots sampled."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from analysis.statistics.distributions import normal_quantile
from recording.arrays import Floats


def spread_about(samples: Sequence[Floats], expected: Floats) -> float:
    """Standard deviation over mean of what was sampled; each slot's mean is expected on a line.

    Law of total variance: what samples scatter within their slot, which is little where they are
    alike, and what the slots' means scatter about the line, which took two of their degrees.
    """
    within = np.mean([np.var(own / own.mean()) for own in samples])
    off = np.array([own.mean() for own in samples]) / expected - 1.0
    return sqrt(float(within) + float(off @ off) / max(1, len(samples) - 2))


def peak_over_mean(spread: float, samples: float, confidence: float) -> float:
    """Which no sample exceeds with this confidence, over the mean; ``spread`` is sd over mean.

    Of n samples of a normal quantity none is above mean + z sd with probability p, where z is the
    normal quantile of p^(1/n); samples close to each other are alike, and then fewer are (Slepian,
    1962), so the bound is on the safe side. What is in use while nobody waits is a Poisson number
    (M/G/inf), whose skewness is sd over mean: z grows by (z^2 - 1) / 6 of it (Cornish and Fisher,
    1938).
    """
    z = normal_quantile(confidence ** (1 / samples))
    return 1 + spread * (z + (z * z - 1) / 6 * spread)
