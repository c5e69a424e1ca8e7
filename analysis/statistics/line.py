"""A straight line through points, by least squares."""

from dataclasses import dataclass
from math import inf, sqrt

from analysis.statistics.distributions import t_quantile
from recording.arrays import Floats

_ALIKE = 1e-12
"""Sum of squares of the x, from their mean, below which they are one."""


@dataclass(frozen=True, slots=True)
class Line:
    """``level`` is the value at zero, ``error`` the standard error of the slope.

    Points at one x have a flat line, and nothing is known of its slope.
    """

    slope: float
    level: float
    error: float
    degrees: int

    def differs(self, slope: float) -> bool:
        """Whether the slope is another than this, with 95 % confidence."""
        if self.degrees < 1:
            return False
        return abs(self.slope - slope) >= t_quantile(0.975, self.degrees) * self.error


def line_through(x: Floats, y: Floats) -> Line:
    """Of at least one point."""
    off, degrees = x - x.mean(), x.size - 2
    square, mean = float(off @ off), float(y.mean())
    if square < _ALIKE:
        return Line(0.0, mean, inf, degrees)
    slope = float(off @ y) / square
    residuals = y - mean - slope * off
    error = sqrt(float(residuals @ residuals) / degrees / square) if degrees > 0 else inf
    return Line(slope, mean - slope * float(x.mean()), error, degrees)
