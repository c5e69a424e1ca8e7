"""Pictures as the page's script reads them: plain tables of names and numbers, rounded."""

from collections.abc import Sequence
from functools import singledispatch
from typing import Any

import numpy as np

from analysis.report.chart import Chart, Curve, Forest, HeatMap, Limit, Picture, Stretch
from recording.arrays import Floats
from recording.text import plain

DIGITS = 5
"""Significant ones: more than a screen has pixels."""
LEVELS = np.array([0.0, 0.005, 0.02, 0.05, 0.1, 0.2])
"""Share of a column's requests beyond which a cell is drawn darker."""

Table = dict[str, Any]


def tables(pictures: Sequence[Picture]) -> Table:
    """All of them; stretches that several pictures share stand there once."""
    shared = list(dict.fromkeys(getattr(picture, "stretches", ()) for picture in pictures))
    return {
        "stretches": [[_stretch(one) for one in several] for several in shared],
        "pictures": [
            _table(picture) | {"stretches": shared.index(getattr(picture, "stretches", ()))}
            for picture in pictures
        ],
    }


@singledispatch
def _table(picture: Picture) -> Table:
    raise TypeError(f"no picture: {picture!r}")


@_table.register
def _chart(chart: Chart) -> Table:
    return {
        "kind": "chart",
        "x": plain(chart.x_title),
        "y": plain(chart.y_title),
        "curves": [_curve(curve) for curve in chart.curves],
        "limits": _limits(chart.limits),
        "marks": _limits(chart.marks),
        "ticks": _limits(chart.ticks),
        "logX": chart.log_x,
        "logY": chart.log_y,
        "overTime": chart.over_time,
    }


@_table.register
def _heat(heat: HeatMap) -> Table:
    """A digit per cell, from the bottom up: 0 for none, then by the cell's share of its column."""
    columns = heat.counts.sum(axis=1)
    shares = heat.counts / np.maximum(columns, 1)[:, np.newaxis]
    levels = np.searchsorted(LEVELS, shares)
    return {
        "kind": "heat",
        "y": plain(heat.y_title),
        "xEdges": rounded(heat.x_edges),
        "yEdges": rounded(heat.y_edges),
        "cells": ["".join(map(str, column)) for column in levels],
        "counts": columns,
        "limits": _limits(heat.limits),
        "overTime": True,
    }


@_table.register
def _forest(forest: Forest) -> Table:
    rows = [
        [plain(e.name), *map(float, (e.value, e.low, e.high)), e.outcome, e.seen, e.tolerated]
        for e in forest.effects
    ]
    title = {"x": plain(forest.x_title), "unit": plain(forest.unit)}
    return {"kind": "forest", **title, "rows": rows, "overTime": False}


def _curve(curve: Curve) -> Table:
    table: Table = {"name": plain(curve.name), "x": rounded(curve.x), "y": rounded(curve.y)}
    if curve.low is not None and curve.high is not None:
        table |= {"low": rounded(curve.low), "high": rounded(curve.high)}
    return table if curve.joined else table | {"points": True}


def _limits(limits: Sequence[Limit]) -> list[list[Any]]:
    return [[float(limit.value), plain(limit.name)] for limit in limits]


def _stretch(one: Stretch) -> list[Any]:
    return [round(float(one.start), 3), round(float(one.end), 3), plain(one.name), one.kind]


def rounded(values: Floats) -> Floats:
    """To significant digits."""
    size = np.where(np.isfinite(values) & (values != 0), np.abs(values), 1.0)
    places = DIGITS - 1 - np.floor(np.log10(size))
    # Divided by a whole number: a product with 0.1 would be written with all its digits.
    up, down = 10.0 ** np.maximum(places, 0.0), 10.0 ** np.maximum(-places, 0.0)
    return np.asarray(np.round(values * up / down) * down / up)
