"""Figures of one row: percentiles rise, and bound the mean.

With a share q_k at most Q_k, the mean is at least Σ (q_k+1 - q_k) Q_k and at most
Σ (q_k+1 - q_k) Q_k+1, from the minimum (0 if not printed) to the maximum.
"""

from itertools import pairwise

from analysis.audit.finding import Finding, Kind, Relations, equal, number
from analysis.published.figures import Figure
from analysis.published.intervals import Interval, apart
from analysis.published.table import Answered, Published

SLACK = 1.01
"""Of the mean: percentiles are ranks, a request more or less."""


def shape(table: Published) -> Relations:
    """Every endpoint, total and service."""
    rows: list[tuple[str, Answered]] = [(it.name, it) for it in table.endpoints]
    rows += [("in total", it) for it in table.totals]
    rows += [(it.name, it) for it in table.services]
    for name, row in rows:
        yield from _rising(name, row)
        yield from _mean(name, row)
        if row.failures is not None and row.requests is not None:
            holds = row.failures.at_most(row.requests)
            says = f"{name}: {row.failures} failures of {row.requests} requests"
            factor = apart(row.failures, row.requests)
            yield None if holds else Finding(Kind.ERRORS, says, factor, row.where)


def _ends(row: Answered) -> list[tuple[str, float, Figure]]:
    first = [("min", 0.0, row.min)] if row.min is not None else []
    last = [("max", 1.0, row.max)] if row.max is not None else []
    return [*((n, q, v) for n, q, v in first), *row.quantiles(), *((n, q, v) for n, q, v in last)]


def _rising(name: str, row: Answered) -> Relations:
    for (lower, _, a), (upper, _, b) in pairwise(_ends(row)):
        says = f"{name}: {lower} {a} is above {upper} {b}"
        yield None if a.at_most(b) else Finding(Kind.LATENCY, says, apart(a, b), row.where)


def _mean(name: str, row: Answered) -> Relations:
    knots = [(q, value.low, value.high) for _, q, value in _ends(row)]
    enough = (
        row.requests is None
        or row.requests.low * (1 - max((q for q, *_ in knots if q < 1), default=0)) >= 10
    )
    if row.mean is None or row.max is None or len(knots) < 2 or not enough:
        return
    if knots[0][0] > 0:
        knots.insert(0, (0.0, 0.0, 0.0))
    low = sum((above[0] - at[0]) * at[1] for at, above in pairwise(knots))
    high = sum((above[0] - at[0]) * above[2] for at, above in pairwise(knots))
    says = f"{name}: mean {row.mean}, its percentiles allow {number(low)} to {number(high)} ms"
    yield equal(Kind.LATENCY, row.mean, Interval(low / SLACK, high * SLACK), says, row.where)
