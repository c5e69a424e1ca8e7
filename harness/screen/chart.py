"""A `Chart` as text: dots of Braille, or plain ASCII where a screen has nothing else.

Curves are joined, intervals are upright lines through their points, limits lie across. A second
curve has another sign in ASCII; in Braille all are dots, and the title says what they are.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite, log10
from textwrap import wrap

import numpy as np

from analysis.report.chart import Chart, Curve
from recording.arrays import Floats

LABEL = 8
"""Characters left of the axis."""
DOTS_X, DOTS_Y = 2, 4
"""Of a character of Braille."""
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_SIGNS = "*o+x#@"
_SHARE = 0.05
"""Of the height, left free above and below."""


@dataclass(frozen=True, slots=True)
class Axis:
    """From values to 0..1."""

    low: float
    high: float
    is_log: bool

    def at(self, value: float) -> float:
        """Where a value lies; nan for one that has no place on it."""
        if self.is_log and value <= 0:
            return float("nan")
        low, high, at = (log10(v) if self.is_log else v for v in (self.low, self.high, value))
        return (at - low) / (high - low) if high > low else 0.5

    def value(self, at: float) -> float:
        """The value at a place."""
        if not self.is_log:
            return self.low + at * (self.high - self.low)
        low, high = log10(self.low), log10(self.high)
        return float(10 ** (low + at * (high - low)))


class Canvas:
    """Signs by column and row of characters, row 0 at the bottom."""

    def __init__(self, width: int, height: int, *, plain: bool) -> None:
        self.width, self.height, self.plain = width, height, plain
        self.columns = width * (1 if plain else DOTS_X)
        self.rows = height * (1 if plain else DOTS_Y)
        self._dots: dict[tuple[int, int], str] = {}
        self._lines: dict[tuple[int, int], str] = {}

    def dot(self, x: float, y: float, sign: str = "*") -> None:
        """At 0..1 of both sides; beyond them nowhere."""
        if 0 <= x <= 1 and 0 <= y <= 1:
            self._dots[round(x * (self.columns - 1)), round(y * (self.rows - 1))] = sign

    def across(self, y: float) -> None:
        """A line that dots lie over."""
        if 0 <= y <= 1:
            for column in range(self.width):
                self._lines[column, round(y * (self.height - 1))] = "-" if self.plain else "┄"

    def upright(self, x: float) -> None:
        """The same from bottom to top."""
        if 0 <= x <= 1:
            for row in range(self.height):
                self._lines[round(x * (self.width - 1)), row] = "|" if self.plain else "┊"

    def text(self) -> Iterator[str]:
        """Rows from the top."""
        for row in reversed(range(self.height)):
            yield "".join(self._sign(column, row) for column in range(self.width))

    def _sign(self, column: int, row: int) -> str:
        if self.plain:
            return self._dots.get((column, row)) or self._lines.get((column, row), " ")
        bits = sum(
            _BITS[DOTS_Y - 1 - y][x]
            for x in range(DOTS_X)
            for y in range(DOTS_Y)
            if (column * DOTS_X + x, row * DOTS_Y + y) in self._dots
        )
        return chr(0x2800 + bits) if bits else self._lines.get((column, row), " ")


def plot(chart: Chart, width: int = 80, height: int = 10, *, plain: bool = False) -> list[str]:
    """Title, picture and axis in lines of at most ``width`` characters."""
    x, y = _axis(chart, lambda c: (c.x,), log=chart.log_x), _axis_y(chart)
    title = wrap(_title(chart), width, subsequent_indent="  ")
    if x is None or y is None:
        return [*title, "  no data"]
    canvas = Canvas(width - LABEL - 1, height, plain=plain)
    for limit in chart.limits:
        canvas.across(y.at(limit.value))
    for mark in chart.marks:
        canvas.upright(x.at(mark.value))
    for number, curve in enumerate(chart.curves):
        _draw(canvas, curve, x, y, _SIGNS[number % len(_SIGNS)])
    return [*title, *_with_labels(canvas, y), *_below(canvas, x, chart.x_title)]


def _title(chart: Chart) -> str:
    signs = [f"{_SIGNS[i % len(_SIGNS)]} {c.name}" for i, c in enumerate(chart.curves)]
    named = f" ({', '.join(signs)})" if len(chart.curves) > 1 else ""
    marks = [f"{mark.name} {_short(mark.value)}" for mark in (*chart.limits, *chart.marks)]
    return f"{chart.title}, {chart.y_title}{named}" + (f"; {', '.join(marks)}" if marks else "")


def _axis(
    chart: Chart, of: Callable[[Curve], Sequence[Floats | None]], *, log: bool
) -> Axis | None:
    parts = [values for curve in chart.curves for values in of(curve) if values is not None]
    values = np.concatenate(parts) if parts else np.empty(0)
    known = values[np.isfinite(values) & ((values > 0) | (not log))]
    return Axis(float(known.min()), float(known.max()), log) if known.size else None


def _axis_y(chart: Chart) -> Axis | None:
    found = _axis(chart, lambda c: (c.y, c.low, c.high), log=chart.log_y)
    if found is None:
        return None
    ends = [found.low, found.high, *(limit.value for limit in chart.limits)]
    low, high = min(ends), max(ends)
    if found.is_log:
        room = (high / low) ** _SHARE if high > low else 2.0
        return Axis(low / room, high * room, is_log=True)
    room = _SHARE * (high - low) or abs(high) or 1.0
    return Axis(low - room if low else 0.0, high + room, is_log=False)


def _draw(canvas: Canvas, curve: Curve, x: Axis, y: Axis, sign: str) -> None:
    places = [(x.at(float(a)), y.at(float(b))) for a, b in zip(curve.x, curve.y, strict=True)]
    if curve.low is not None and curve.high is not None:
        for (at, _), low, high in zip(places, curve.low, curve.high, strict=True):
            ends = (y.at(float(low)), y.at(float(high)))
            if all(map(isfinite, ends)):
                bar = "|" if canvas.plain else sign
                _line(canvas, (at, max(0.0, ends[0])), (at, min(1.0, ends[1])), bar)
    if curve.joined:
        for start, end in pairwise(places):
            if all(map(isfinite, (*start, *end))):
                _line(canvas, start, end, "." if canvas.plain else sign)
    for at, height in places:
        if isfinite(at) and isfinite(height):
            canvas.dot(at, height, sign)


def _line(canvas: Canvas, start: tuple[float, float], end: tuple[float, float], sign: str) -> None:
    steps = max(canvas.columns, canvas.rows)
    for share in np.linspace(0, 1, steps):
        x, y = (start[i] + share * (end[i] - start[i]) for i in (0, 1))
        canvas.dot(x, y, sign)


def _with_labels(canvas: Canvas, y: Axis) -> Iterator[str]:
    rows = list(canvas.text())
    labelled = {0: 1.0, len(rows) // 2: 0.5, len(rows) - 1: 0.0}
    for number, row in enumerate(rows):
        label = _short(y.value(labelled[number])) if number in labelled else ""
        yield f"{label:>{LABEL - 1}} {'|' if canvas.plain else '│'}{row}".rstrip()


def _below(canvas: Canvas, x: Axis, title: str) -> Iterator[str]:
    line, corner = ("-", "+") if canvas.plain else ("─", "└")
    yield " " * LABEL + corner + line * canvas.width
    ends = [_short(x.value(at)) for at in (0.0, 0.5, 1.0)]
    half = canvas.width // 2
    text = f"{ends[0]:<{half - 2}}{ends[1]}"
    yield " " * (LABEL + 1) + f"{text:<{canvas.width - len(ends[2])}}{ends[2]}"
    yield f"{title:>{LABEL + 1 + canvas.width}}"


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
