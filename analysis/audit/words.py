"""Words for a curve, against its slopes and each other.

Linear: successive slopes are one, within `STRAIGHT`. Accelerating: the last is above the first.
Resumed: the slope of before, within `ALIKE`. A slope has the rounding of both its samples.
"""

from itertools import pairwise

from analysis.audit.finding import Finding, Kind, Relations, equal, places
from analysis.published.intervals import Interval, apart
from analysis.published.system import Point, Series, Word
from analysis.published.table import Published

STRAIGHT = 1.1
ALIKE = 1.5
PER_HOUR = 3600
_MB = 2**20


def words(table: Published) -> Relations:
    """Every word, every printed slope."""
    for series in table.series:
        for word in series.words:
            slopes = _slopes(series, word)
            if slopes and word.rate is not None:
                yield from _rate(series, word, word.rate)
            if word.says == "linear" and len(slopes) > 1:
                yield _linear(series, word, slopes)
            elif word.says == "accelerating":
                yield from _accelerating(series, word)
            elif word.says == "resumed":
                yield from _resumed(series, word)


def _between(points: tuple[Point, ...], start_s: float, end_s: float) -> list[Point]:
    return [point for point in points if start_s <= point.at.s <= end_s]


def _slope(a: Point, b: Point) -> Interval:
    """Per s."""
    return (b.value - a.value) * (1 / (b.at.s - a.at.s))


def _slopes(series: Series, word: Word) -> list[Interval]:
    points = _between(series.points, word.start.s, word.end.s)
    return [_slope(a, b) for a, b in pairwise(points)]


def _shown(slope: Interval) -> str:
    """Per hour: of bytes in MB, of all else as it is."""
    per_hour = slope.mid * PER_HOUR
    return f"{per_hour / _MB:.3g} MB/h" if abs(per_hour) > _MB else f"{per_hour:.3g}/h"


def _rate(series: Series, word: Word, rate: Interval) -> Relations:
    points = _between(series.points, word.start.s, word.end.s)
    slope = _slope(points[0], points[-1])
    says = f"{series.name}: {points[0].value} to {points[-1].value} is {_shown(slope)}, not {rate}"
    yield equal(Kind.SERIES, slope, rate, says, word.where, series.where)


def _linear(series: Series, word: Word, slopes: list[Interval]) -> Finding | None:
    flattest, steepest = min(slopes, key=lambda s: s.high), max(slopes, key=lambda s: s.low)
    factor = apart(flattest, steepest)
    says = (
        f"{series.name}: called linear from {word.start} to {word.end}, its slopes are "
        f"{_shown(flattest)} and {_shown(steepest)}"
    )
    accelerating = [it for it in series.words if it.says == "accelerating"]
    within = [it for it in accelerating if word.start.s <= it.start.s and it.end.s <= word.end.s]
    if within:
        says += f", and at {within[0].end} it is called accelerating"
    where = places(word.where, *(it.where for it in within))
    return None if factor <= STRAIGHT else Finding(Kind.SERIES, says, factor, where)


def _accelerating(series: Series, word: Word) -> Relations:
    """Against the stretch before it and, if there is none, within."""
    points = _between(series.points, word.start.s, word.end.s)
    earlier = [point for point in series.points if point.at.s < word.start.s]
    if len(points) < 2 or not earlier:
        return
    before, now = _slope(earlier[-1], points[0]), _slope(points[0], points[-1])
    says = (
        f"{series.name}: called accelerating at {word.end}, its slope went from "
        f"{_shown(before)} to {_shown(now)}"
    )
    holds = now.high >= before.low
    yield None if holds else Finding(Kind.SERIES, says, apart(before, now), word.where)


def _resumed(series: Series, word: Word) -> Relations:
    """The stretch from the start of the series to its highest sample is what is resumed."""
    points = _between(series.points, word.start.s, word.end.s)
    earlier = [point for point in series.points if point.at.s < word.start.s]
    if len(points) < 2 or len(earlier) < 2:
        return
    top = max(earlier, key=lambda point: point.value.mid)
    if top is earlier[0]:
        return
    before, now = _slope(earlier[0], top), _slope(points[0], points[-1])
    factor = apart(before, now)
    says = (
        f"{series.name}: resumed after {word.start} at {_shown(now)}, "
        f"{now.mid / before.mid:.2g} times the {_shown(before)} of before"
    )
    unless = "it is meant that it grows again, at whatever slope"
    yield None if factor <= ALIKE else Finding(Kind.SERIES, says, factor, word.where, unless)
