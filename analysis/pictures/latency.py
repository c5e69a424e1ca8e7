"""Latency of each step: percentiles beside their limits, the whole spread, and the tail."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from analysis.evidence.requests import QUANTILES
from analysis.pictures.canvas import Block, Canvas
from analysis.report.chart import Chart, Curve, HeatMap, Limit
from analysis.statistics.percentiles import quantile
from recording.arrays import Floats
from recording.histogram import merge
from recording.profile import JOURNEY

SHOWN = ("p50", "p95", "p99")
LIMITED = (*QUANTILES, "max")
COLUMNS, ROWS = 150, 40
"""Of a heat map, at most."""
_ONE_IN = 10 ** np.arange(0.0, 6.01, 0.05)
"""How many requests there are for one that is slower: 100 is p99."""
_TICKS = {"p50": 2, "p90": 10, "p99": 100, "p99.9": 1e3, "p99.99": 1e4, "p99.999": 1e5}


def percentiles(canvas: Canvas) -> Iterator[Chart]:
    """Of each step, over time; a gap where nobody asked for anything."""
    for step, blocks in canvas.requests.items():
        asked_s = np.array([block.start_s + block.length_s / 2 for block in blocks])
        t_s = np.append(asked_s, [at + canvas.blocks[at] / 2 for at in canvas.quiet])
        order = np.argsort(t_s)
        gaps = np.full(len(canvas.quiet), np.nan)
        curves = [
            canvas.curve(metric, t_s[order], np.append(_ms(blocks, metric), gaps)[order])
            for metric in SHOWN
        ]
        limits = canvas.limits_of(step, *LIMITED)
        for chart in canvas.over_time(step, "ms", curves, "Latency by step", limits):
            yield replace(chart, log_y=True)


def _ms(blocks: Sequence[Block], metric: str) -> Floats:
    found = (block.histogram for block in blocks)
    return np.array([quantile(h.values_us, h.counts, QUANTILES[metric]) / 1000 for h in found])


def spread(canvas: Canvas) -> Iterator[HeatMap]:
    """How the latencies of each step were spread over time: modes that percentiles hide."""
    for step, blocks in canvas.requests.items():
        parts = np.array_split(np.arange(len(blocks)), min(COLUMNS, len(blocks)))
        columns = [merge(blocks[i].histogram for i in part) for part in parts]
        values_us = np.concatenate([column.values_us for column in columns])
        edges_us = np.geomspace(0.99 * values_us.min(), 1.01 * values_us.max(), ROWS + 1)
        cells = [np.histogram(c.values_us, edges_us, weights=c.counts)[0] for c in columns]
        end_s = blocks[-1].start_s + blocks[-1].length_s
        x_edges = np.array([*(blocks[part[0]].start_s for part in parts), end_s])
        yield HeatMap(
            step, "ms", canvas.since_load(x_edges), edges_us / 1000, np.array(cells, np.int64),
            canvas.limits_of(step, *LIMITED), canvas.stretches, "How latencies were spread",
        )  # fmt: skip


def tail(canvas: Canvas) -> Iterator[Chart]:
    """Latency by percentile in the measured phases, as far as one request reaches."""
    curves = []
    for step, sample in canvas.case.samples.items():
        if step != JOURNEY and sample.n:
            one_in = _ONE_IN[sample.n >= _ONE_IN]
            ms = [quantile(sample.values_us, sample.counts, 1 - 1 / x) / 1000 for x in one_in]
            curves.append(Curve(step, one_in, np.array(ms)))
    if curves:
        yield Chart(
            "Latency by percentile, measured phases", "percentile", "ms", tuple(curves),
            log_x=True, log_y=True, group="The tail",
            ticks=tuple(Limit(place, name) for name, place in _TICKS.items()),
        )  # fmt: skip
