"""Samples of a series against what is said of it: peaks, averages, counters."""

from itertools import pairwise

from analysis.audit.finding import Finding, Kind, Relations, at_most, equal, in_unit_of, number
from analysis.published.intervals import apart, hull, total
from analysis.published.system import Point, Series
from analysis.published.table import Published

FAR = 1.3
"""Farther than this factor from the mean of the samples is worth a question."""
LEAST_CORES = 0.001
"""Kubernetes takes no finer CPU request (kubernetes.io, CPU resource units)."""


def series(table: Published) -> Relations:
    """Every series."""
    for it in table.series:
        for claim in it.peaks:
            highest = max(it.points, key=lambda point: point.value.low)
            says = f"{it.name}: peak {claim.value}, yet {highest.value} at {highest.at}"
            yield at_most(Kind.SERIES, highest.value, claim.value, says, claim.where, it.where)
        yield from _averages(it)
        if it.counter:
            yield from _rises(it)
            yield from _cpu(it)


def _averages(it: Series) -> Relations:
    """Straight from sample to sample, by the trapezoidal rule; what was between nobody saw."""
    pairs = list(pairwise(it.points))
    length_s = it.points[-1].at.s - it.points[0].at.s
    mean = total((a.value + b.value) * (_s(a, b) / 2 / length_s) for a, b in pairs)
    wide = hull((mean * FAR, mean * (1 / FAR)))
    for claim in it.averages:
        says = f"{it.name}: average {claim.value}, by its samples {in_unit_of(mean, claim.value)}"
        unless = "it was elsewhere between samples"
        yield equal(Kind.SERIES, claim.value, wide, says, claim.where, it.where, unless=unless)


def _s(a: Point, b: Point) -> float:
    return b.at.s - a.at.s


def _rises(it: Series) -> Relations:
    for a, b in pairwise(it.points):
        says = f"{it.name}: a counter falls from {a.value} at {a.at} to {b.value} at {b.at}"
        holds = a.value.at_most(b.value)
        yield None if holds else Finding(Kind.SERIES, says, apart(a.value, b.value), it.where)


def _cpu(it: Series) -> Relations:
    """Utilization × request × time is at most what the counter rose by, whatever the request."""
    if it.cpu is None:
        return
    first, last = it.points[0], it.points[-1]
    risen, length_s = last.value - first.value, _s(first, last)
    least = it.cpu * (LEAST_CORES * length_s)
    says = (
        f"{it.name}: rises by {number(risen)} s from {first.at} to {last.at}; {it.cpu} of even "
        f"{LEAST_CORES:g} cores, the least CPU request there is, are {number(least)} s"
    )
    yield at_most(Kind.SERIES, least, risen, says, it.where)
