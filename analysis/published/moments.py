"""Moments, on the test's clock (``T+6h14m``) and on the wall (``2025-09-22 14:14:22.401 UTC``)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import PlainValidator

from analysis.published.intervals import Interval
from recording.text import plain

_ELAPSED = re.compile(r"T\+(?=\d)(?:(\d{1,5})h)?\+?(?:(\d{1,5})m)?\+?(?:(\d{1,6})s)?")
_CLOCK = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(?: ?(?:UTC|Z))?")
_UNITS_S = 3600.0, 60.0, 1.0


@dataclass(frozen=True, slots=True)
class Moment:
    """``s`` since the start of the test, or since 1970, as printed in ``text``."""

    s: float
    unit_s: float
    text: str

    @property
    def span(self) -> Interval:
        """When it can have been: rounded to its last unit, or cut there."""
        return Interval(self.s - self.unit_s / 2, self.s + self.unit_s)

    def __str__(self) -> str:
        return self.text


def read_elapsed(given: Any) -> Moment:
    """``T+6h``, ``T+6h14m``, ``T+36h+2m``. Raises ValueError."""
    found = _ELAPSED.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        raise ValueError("write the time since the start, like T+6h14m")
    parts = [(float(n), unit) for n, unit in zip(found.groups(), _UNITS_S, strict=True) if n]
    return Moment(sum(n * unit for n, unit in parts), parts[-1][1], given)


def read_clock(given: Any) -> Moment:
    """A UTC date and time, to the minute or finer. Raises ValueError."""
    text = plain(given, 80) if isinstance(given, str) else ""
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise ValueError("write a date and time in UTC, like 2025-09-22 14:14:22")
    seconds, fraction = found.groups()
    unit_s = 10.0 ** (1 - len(fraction)) if fraction else 1.0 if seconds else 60.0
    bare = text.removesuffix("UTC").removesuffix("Z").strip()
    at = datetime.fromisoformat(bare).replace(tzinfo=UTC)
    return Moment(at.timestamp(), unit_s, text)


Elapsed = Annotated[Moment, PlainValidator(read_elapsed)]
Clock = Annotated[Moment, PlainValidator(read_clock)]
