"""Figures as people print them, with what they can have been before they were rounded.

``89 ms``, ``48.7M``, ``0.00008 %``: half a unit of the last digit either way. Zeros that end a
whole number of three digits or more are taken for rounding (``2,800``: 2,750 to 2,850), so that
nothing is found in how a report rounds; a count is exact unless two of its four or more digits are
such zeros. A setting is what it says.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, PlainValidator

from analysis.published.intervals import Interval
from recording.text import plain

_NUMBER = re.compile(
    r"(?P<about>~|≈)?\s*"
    r"(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][+-]?\d{1,3})?)\s*"
    r"(?P<unit>.*)"
)
MAX_DIGITS = 300
"""Of a number: what a float can hold."""

Units = dict[str, float]
COUNT: Units = {"": 1, "k": 1e3, "K": 1e3, "M": 1e6, "bn": 1e9}
PERCENT: Units = {"%": 0.01}
LATENCY: Units = {"us": 1e-3, "µs": 1e-3, "ms": 1, "s": 1e3, "min": 6e4}
DURATION: Units = {"ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86_400}
RATE: Units = {"/s": 1, "k/s": 1e3, "/min": 1 / 60, "/h": 1 / 3600}
SIZE: Units = {"B": 1, "kB": 2**10, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
"""As in the seed, where 512MB is 536,870,912 bytes."""
GROWTH: Units = {f"{unit}/h": factor / 3600 for unit, factor in SIZE.items()}
ANY: Units = {**SIZE, **GROWTH, **PERCENT, **RATE, **DURATION, **COUNT}
_DIMENSIONS = (SIZE, GROWTH, PERCENT, RATE, DURATION, COUNT)


@dataclass(frozen=True, slots=True)
class Figure(Interval):
    """In base units (1, share, ms, s, 1/s, bytes, bytes/s), and as printed."""

    text: str
    unit: str
    scale: float
    """Base units in one of ``unit``."""

    def __str__(self) -> str:
        return self.text

    def same_dimension(self, other: "Figure") -> bool:
        """Whether the two can be compared."""
        return any(self.unit in units and other.unit in units for units in _DIMENSIONS)


def read(given: Any, units: Units, *, exact: bool = False) -> Figure:
    """A figure from its text. Raises ValueError saying what may be written."""
    text = plain(given, 80) if isinstance(given, str) else ""
    found = _NUMBER.fullmatch(text)
    unit = found["unit"] if found else ""
    if found is None or unit not in units:
        raise ValueError(f"write a number and a unit of {_allowed(units)}, as printed")
    number = Decimal(found["number"].replace(",", ""))
    if abs(number.adjusted()) > MAX_DIGITS:
        raise ValueError("no such number")
    if exact:
        half = Decimal(0)
    else:
        half = _half(number, counted=unit == "" and not found["about"], percent=unit == "%")
    low, high = (float(number + sign * half) * units[unit] for sign in (-1, 1))
    return Figure(max(low, 0.0), high, text, unit, units[unit])


def _allowed(units: Units) -> str:
    return ", ".join(unit or "none" for unit in units)


def _half(number: Decimal, *, counted: bool, percent: bool) -> Decimal:
    """Half a unit of the last digit that says something."""
    exponent = int(number.as_tuple().exponent)
    if exponent < 0 or percent:
        return Decimal(5).scaleb(exponent - 1)
    digits = str(int(number))
    zeros = len(digits) - len(digits.rstrip("0"))
    if counted and (zeros < 2 or len(digits) < 4):
        return Decimal(0)
    return Decimal(5).scaleb(zeros - 1 if len(digits) >= 3 else -1)


def _positive(figure: Figure) -> Figure:
    if figure.low <= 0:
        raise ValueError("must be above 0")
    return figure


def _kind(units: Units, *, exact: bool = False) -> PlainValidator:
    return PlainValidator(partial(read, units=units, exact=exact))


Count = Annotated[Figure, _kind(COUNT)]
Percent = Annotated[Figure, _kind(PERCENT)]
Latency = Annotated[Figure, _kind(LATENCY)]
Duration = Annotated[Figure, _kind(DURATION)]
Rate = Annotated[Figure, _kind(RATE)]
Size = Annotated[Figure, _kind(SIZE)]
Growth = Annotated[Figure, _kind(GROWTH)]
Quantity = Annotated[Figure, _kind(ANY)]
SetCount = Annotated[Figure, _kind(COUNT, exact=True)]
SetPercent = Annotated[Figure, _kind(PERCENT, exact=True)]
SetDuration = Annotated[Figure, _kind(DURATION, exact=True)]
SetRate = Annotated[Figure, _kind(RATE, exact=True)]
Positive = AfterValidator(_positive)
