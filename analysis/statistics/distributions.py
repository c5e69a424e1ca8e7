"""The few distributions the judge needs, from scipy.special.

``scipy.stats`` has them too, but importing it takes longer than judging a short run.
"""

import math
from typing import NamedTuple

from scipy.special import bdtr, bdtrik, betainc, betaincinv, ndtri, stdtrit


class Range(NamedTuple):
    """A confidence interval of a share, both bounds in 0..1."""

    low: float
    high: float


def normal_quantile(p: float) -> float:
    """The standard normal score below which a share `p` lies."""
    return float(ndtri(p))


def t_quantile(p: float, degrees: float) -> float:
    """The same for Student's t."""
    return float(stdtrit(degrees, p))


def binomial_quantile(p: float, n: int, share: float) -> int:
    """The smallest k with P(at most k successes of `n`) >= `p`."""
    above = math.ceil(bdtrik(p, n, share))
    below = max(0, above - 1)  # the inverse is rounded, and a whole k may come out as k + 1e-12
    return below if bdtr(below, n, share) >= p else above


def binomial_at_most(k: float, n: float, share: float) -> float:
    """P(at most `k` successes of `n`); between whole numbers as the beta distribution goes on."""
    return float(betainc(n - k, k + 1.0, 1.0 - share))


def share_interval(successes: int, n: int, confidence: float = 0.95) -> Range:
    """Exact interval of a share (Clopper and Pearson, Biometrika 26, 1934).

    Raises ValueError without trials, or for more successes than trials.
    """
    if not 0 <= successes <= n or n == 0:
        raise ValueError(f"{successes} successes of {n} are no share")
    tail = (1.0 - confidence) / 2.0
    failures = n - successes
    low = float(betaincinv(successes, failures + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, failures, 1.0 - tail)) if failures else 1.0
    return Range(low, high)
