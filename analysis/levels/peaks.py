"""How far the peak of so many samples lies above their mean."""

from analysis.statistics.distributions import normal_quantile


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
