"""A picture of numbers, for any medium: a page draws it, a terminal plots it, text lists it.

Values that are not known are nan, and leave a gap.
"""

from dataclasses import dataclass
from typing import Literal

from analysis.words.values import Outcome
from recording.arrays import Floats, Ints
from recording.story import Story

Kind = Literal["phase", "trouble", "change"]
"""What a stretch of time was: part of the plan, something that went wrong, something that moved."""


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
    kind: Kind = "phase"


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """Curves with one pair of axes. Titles of axes name quantity and unit.

    ``limits`` are lines across at a value of y, ``marks`` lines up at a value of x. ``over_time``:
    x is s since the load began; where the run tells a ``story``, still of the run. ``ticks`` are
    the places on x that are named, in place of numbers. Pictures that follow each other in one
    ``group`` are seen side by side, under its name.
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
    ticks: tuple[Limit, ...] = ()
    group: str = ""
    story: Story | None = None


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """How values of y were distributed over time: ``counts`` [column, row] between the edges.

    Columns begin at ``x_edges``, s since the load began; both edges ascend, and are one longer
    than there are columns and rows. y is drawn by its logarithm.
    """

    title: str
    y_title: str
    x_edges: Floats
    y_edges: Floats
    counts: Ints
    limits: tuple[Limit, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    group: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """One row of a forest plot: an estimate with its interval; nan where nothing was measured.

    ``seen`` is the smallest effect that could have been seen, ``tolerated`` up to where one is
    harmless; None where nobody asked.
    """

    name: str
    value: float
    low: float
    high: float
    outcome: Outcome | None = None
    seen: float | None = None
    tolerated: float | None = None


@dataclass(frozen=True, slots=True)
class Forest:
    """Effects one below the other, in ``unit``; 0 is no change."""

    title: str
    x_title: str
    effects: tuple[Effect, ...]
    group: str = ""
    unit: str = "%"


Picture = Chart | HeatMap | Forest
