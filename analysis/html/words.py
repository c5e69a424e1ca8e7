"""What a picture shows, in words: for whoever does not see it, and for whoever wants a number."""

from collections.abc import Iterator
from functools import singledispatch
from math import isnan

import numpy as np

from analysis.report.chart import Chart, Curve, Effect, Forest, HeatMap, Picture
from analysis.words.units import format_moment
from analysis.words.values import show


@singledispatch
def words(picture: Picture) -> tuple[str, ...]:
    """A sentence for each thing to see."""
    raise TypeError(f"no picture: {picture!r}")


@words.register
def _chart(chart: Chart) -> tuple[str, ...]:
    curves = (_curve(chart, curve) for curve in chart.curves)
    limits = (f"limit: {limit.name}" for limit in chart.limits)
    marks = (f"marked: {mark.name}" for mark in chart.marks)
    return (*curves, *limits, *marks)


def _curve(chart: Chart, curve: Curve) -> str:
    known = np.flatnonzero(np.isfinite(curve.y))
    if not known.size:
        return f"{curve.name}: no data"
    y = curve.y[known]
    lowest, highest = known[y.argmin()], known[y.argmax()]
    if curve.y[lowest] == curve.y[highest]:
        return f"{curve.name}: {show(float(y[0]))} throughout"
    ends = (
        f"{show(float(curve.y[i]))} at {_x(chart, float(curve.x[i]))}" for i in (lowest, highest)
    )
    return f"{curve.name}: from {' to '.join(ends)}; {show(float(y[-1]))} at the end"


def _x(chart: Chart, x: float) -> str:
    if chart.over_time:
        return format_moment(x, chart.story)
    return next((tick.name for tick in reversed(chart.ticks) if tick.value <= x), show(x))


@words.register
def _heat(heat: HeatMap) -> tuple[str, ...]:
    of_rows = heat.counts.sum(axis=0)
    fullest, seen = int(of_rows.argmax()), np.flatnonzero(of_rows)
    low, high = (show(float(heat.y_edges[at])) for at in (fullest, fullest + 1))
    ends = (show(float(heat.y_edges[at])) for at in (seen[0], seen[-1] + 1))
    share = 100 * of_rows[fullest] / of_rows.sum()
    return (
        f"{of_rows.sum():,} requests from {' to '.join(ends)} {heat.y_title}; "
        f"most ({show(float(share))} %) between {low} and {high} {heat.y_title}",
        *(f"limit: {limit.name}" for limit in heat.limits),
    )


@words.register
def _forest(forest: Forest) -> tuple[str, ...]:
    return tuple(" ".join(_effect(row, forest.unit)) for row in forest.effects)


def _effect(row: Effect, unit: str) -> Iterator[str]:
    if isnan(row.value):
        yield f"{row.name}: not measured"
        return
    yield f"{row.name}: {row.value:+.1f} {unit}"
    if not (isnan(row.low) or isnan(row.high)):
        yield f"({row.low:+.1f} to {row.high:+.1f} {unit})"
    if row.tolerated is not None:
        yield f"tolerated below {row.tolerated:+.1f} {unit}"
    if row.seen is not None:
        yield f"found from {row.seen:+.1f} {unit}"
    if row.outcome is not None:
        yield f"— {row.outcome}"
