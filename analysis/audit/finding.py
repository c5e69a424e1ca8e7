"""What a relation between figures comes to: it holds (None), or a finding with its arithmetic.

A finding is a contradiction when no numbers that round to the printed ones can satisfy the
relation. One that some reading of the report would resolve names it in ``unless``, and is a
question. The order of `Kind` is that of the report: what all else rests on comes first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from analysis.published.figures import Figure
from analysis.published.intervals import Interval, apart


class Kind(StrEnum):
    """What the figures are about."""

    LOAD = "load"
    LATENCY = "latency"
    ERRORS = "errors"
    ORDERS = "orders"
    POOLS = "pools and scaling"
    TIME = "time"
    SERIES = "series"
    LOG = "log"
    AVAILABILITY = "availability"
    SUMS = "sums and shares"


@dataclass(frozen=True, slots=True)
class Finding:
    """``factor``: by how much the two sides differ at least; inf where one cannot be at all."""

    kind: Kind
    says: str
    factor: float
    where: str
    unless: str = ""


Relation = Finding | None
Relations = Iterator[Relation]


def equal(
    kind: Kind, one: Interval, other: Interval, says: str, *where: str, unless: str = ""
) -> Relation:
    """The two are one number."""
    if one.meets(other):
        return None
    return Finding(kind, says, apart(one, other), places(*where), unless)


def at_most(
    kind: Kind, one: Interval, other: Interval, says: str, *where: str, unless: str = ""
) -> Relation:
    """The one is no larger than the other."""
    if one.at_most(other):
        return None
    return Finding(kind, says, apart(one, other), places(*where), unless)


def places(*where: str) -> str:
    """Each once."""
    each = (place for it in where for place in it.split("; "))
    return "; ".join(dict.fromkeys(place for place in each if place))


def number(value: Interval | float) -> str:
    """``50,015,412``, ``153.1``: to four digits, whole above 1,000."""
    mid = value.mid if isinstance(value, Interval) else value
    return f"{mid:,.0f}" if abs(mid) >= 1000 else f"{mid:.4g}"


def in_unit_of(value: Interval, like: Figure) -> str:
    """In the unit that the other figure is printed in: ``13,200``, ``1.21 GB``."""
    return f"{number(value.mid / like.scale)} {like.unit}".strip()


def percent(value: Interval | float) -> str:
    """A share as ``0.0027 %``; as fine as it must be near 100 %."""
    share = 100 * (value.mid if isinstance(value, Interval) else value)
    return f"{share:.4f} %" if 99 < share < 100 else f"{share:.3g} %"
