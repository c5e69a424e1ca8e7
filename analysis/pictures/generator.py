"""Whether the generator and its host were fit to measure, on the axis of what they measured."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from analysis.evidence.distance import ADDED, beyond_the_way
from analysis.pictures.canvas import Canvas
from analysis.pictures.services import rate
from analysis.report.chart import Chart, Curve, Limit
from analysis.statistics.percentiles import quantile
from recording.histogram import Histogram, merge
from recording.hlog import GENERATOR, LATENCY, Interval
from recording.metric_names import CPU, CPU_STEAL, HOST, RUN_QUEUE_WAIT

_GROUP = "Is it evidence? Generator and host"


def generator(canvas: Canvas) -> Iterator[Chart]:
    """How late it was, and how busy."""
    evidence = canvas.case.evidence
    validity = evidence.manifest.profile.validity
    left = beyond_the_way(evidence)
    added = (i for i in evidence.log.intervals if i.tag.kind in ADDED)
    late = (
        ("distortion p99", [replace(i, histogram=left(i)) for i in added]),
        ("lag p99", [i for i in evidence.log.intervals if _is_lag(i)]),
    )
    bounds = {validity.distortion_p99: "distortion", validity.generator_lag_p99: "lag"}
    limits = [Limit(1000 * s, f"{what} {1000 * s:g} ms") for s, what in bounds.items()]
    if len(limits) == 1:
        limits = [Limit(limits[0].value, f"either {limits[0].value:g} ms")]
    curves = [_p99(canvas, name, intervals) for name, intervals in late]
    yield from canvas.over_time("What it added to latencies", "ms", curves, _GROUP, limits)
    yield from canvas.over_time(
        "How busy it was",
        "%",
        list(_busy(canvas)),
        _GROUP,
        [
            Limit(100 * validity.generator_cpu, f"CPU {100 * validity.generator_cpu:g} %"),
            Limit(100 * validity.generator_wait, f"wait {100 * validity.generator_wait:g} %"),
        ],
    )


def _is_lag(interval: Interval) -> bool:
    return (interval.tag.kind, interval.tag.step) == (LATENCY, GENERATOR)


def _p99(canvas: Canvas, name: str, intervals: list[Interval]) -> Curve:
    blocks: dict[float, list[Histogram]] = {}
    for i in intervals:
        blocks.setdefault(i.start_s + i.length_s / 2, []).append(i.histogram)
    t_s = np.array(sorted(blocks))
    merged = [merge(blocks[middle_s]) for middle_s in t_s]
    return canvas.curve(
        name, t_s, np.array([quantile(h.values_us, h.counts, 0.99) / 1000 for h in merged])
    )


def _busy(canvas: Canvas) -> Iterator[Curve]:
    evidence = canvas.case.evidence
    for worker in evidence.load.subjects(CPU):
        short = worker.removeprefix("locust-")
        yield rate(canvas, f"CPU {short}", *evidence.load.get(worker, CPU), scale=100.0)
        waited = evidence.load.get(worker, RUN_QUEUE_WAIT)
        yield rate(canvas, f"wait {short}", *waited, scale=100.0)
    cores = evidence.manifest.host.get("cores")
    if isinstance(cores, int) and cores > 0:
        stolen = evidence.resources.get(HOST, CPU_STEAL)
        yield rate(canvas, "stolen", *stolen, scale=100.0 / cores)
