"""A picture of numbers, for any medium: a page draws it, a terminal plots it, text lists it.

Values that are not known are nan, and leave a gap.
"""

from dataclasses import dataclass

from recording.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Values over x, ascending; ``low`` and ``high`` bound them where there are intervals.

    ``joined`` False: points without a line between them.
    """

    name: str
    x: Floats
    y: Floats
    low: Floats | None = None
    high: Floats | None = None
    joined: bool = True


@dataclass(frozen=True, slots=True)
class Limit:
    """A value that must not be passed, or a place worth marking, with what to call it."""

    value: float
    name: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """From where to where on x something was going on; a point where both are the same."""

    start: float
    end: float
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """Curves with one pair of axes. Titles of axes name quantity and unit.

    ``limits`` are lines across at a value of y, ``marks`` lines up at a value of x. ``over_time``:
    x is s since the load began.
    """

    title: str
    x_title: str
    y_title: str
    curves: tuple[Curve, ...]
    limits: tuple[Limit, ...] = ()
    marks: tuple[Limit, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    log_x: bool = False
    log_y: bool = False
    over_time: bool = False
