"""How far an estimate may be off: what becomes of it as each observation in turn is left out."""

from math import sqrt

from analysis.statistics.distributions import t_quantile
from recording.arrays import Floats


def jackknife_reach(left_out: Floats, confidence: float = 0.95) -> float:
    """Half the width of the interval about an estimate (Miller, Biometrika 61, 1974).

    ``left_out`` has the estimate without each of the n observations, n > 2. Student's t has n - 2
    degrees, as for a line through them.
    """
    n = left_out.size
    off = left_out - left_out.mean()
    return t_quantile((1.0 + confidence) / 2.0, n - 2) * sqrt((n - 1) / n * float(off @ off))
