"""Intervals: what a printed figure can have been before it was rounded.

Sums, differences, products and quotients of intervals hold every result that their operands allow,
so two that do not meet contradict each other however they were rounded (interval arithmetic:
R. E. Moore, Interval Analysis, 1966).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf, nextafter
from typing import Union

_SLACK = 1e-9
"""Relative: what binary fractions lose."""
Operand = Union["Interval", float]


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``low`` to ``high``, both included."""

    low: float
    high: float

    @property
    def mid(self) -> float:
        """Its middle."""
        return (self.low + self.high) / 2

    def __add__(self, other: Operand) -> "Interval":
        to = _of(other)
        return Interval(self.low + to.low, self.high + to.high)

    __radd__ = __add__

    def __neg__(self) -> "Interval":
        return Interval(-self.high, -self.low)

    def __sub__(self, other: Operand) -> "Interval":
        return self + -_of(other)

    def __rsub__(self, other: float) -> "Interval":
        return -self + other

    def __mul__(self, other: Operand) -> "Interval":
        by = _of(other)
        ends = [a * b for a in (self.low, self.high) for b in (by.low, by.high)]
        return Interval(min(ends), max(ends))

    __rmul__ = __mul__

    def __truediv__(self, other: Operand) -> "Interval":
        """By what cannot be zero; else every number may come out."""
        by = _of(other)
        if by.low <= 0 <= by.high:
            return Interval(-inf, inf)
        return self * Interval(1 / by.high, 1 / by.low)

    def __rtruediv__(self, other: float) -> "Interval":
        return _of(other) / self

    def meets(self, other: Operand) -> bool:
        """Whether one number can be both."""
        return self.at_most(other) and _of(other).at_most(self)

    def at_most(self, other: Operand) -> bool:
        """Whether this can be at most as large as the other."""
        ceiling = _of(other).high
        return self.low <= ceiling + _SLACK * max(abs(self.low), abs(ceiling))


def _of(value: Operand) -> Interval:
    return value if isinstance(value, Interval) else Interval(value, value)


def total(parts: Iterable[Interval]) -> Interval:
    """Of nothing it is 0."""
    return sum(parts, start=Interval(0.0, 0.0))


def hull(parts: Iterable[Interval]) -> Interval:
    """The smallest that holds all of at least one."""
    kept = tuple(parts)
    return Interval(min(it.low for it in kept), max(it.high for it in kept))


def apart(a: Interval, b: Interval) -> float:
    """By which factor at least the two differ: 1 if they meet, inf against what is not above 0."""
    larger, smaller = (a, b) if a.low > b.high else (b, a)
    if larger.low <= smaller.high:
        return 1.0
    return larger.low / smaller.high if smaller.high > 0 else inf


def below(value: float) -> float:
    """The next smaller number."""
    return nextafter(value, -inf)
