"""A mean of means is weighted with the numbers of requests, and is the same in every place."""

from itertools import combinations

from analysis.audit.finding import Kind, Relations, equal, number
from analysis.published.intervals import Interval, total
from analysis.published.table import Answered, Endpoint, Published

SHOWN_ONCE = "mean", "p50", "p95", "p99", "max", "requests", "failures", "peak_rate", "rate"


def means(table: Published) -> Relations:
    """Of every total, of every service, and each figure of a total wherever it stands."""
    everyone = () if table.partial else table.endpoints
    groups: list[tuple[str, Answered, tuple[Endpoint, ...]]]
    groups = [("mean in total", whole, everyone) for whole in table.totals]
    groups += [(f"{it.name}: mean", it, table.of_service(it.name)) for it in table.services]
    for name, row, endpoints in groups:
        weighted = weighted_mean(endpoints)
        if row.mean is not None and weighted is not None:
            says = (
                f"{name} {row.mean}: by {len(endpoints)} endpoints' means and requests it is "
                f"{number(weighted)} ms"
            )
            yield equal(Kind.LATENCY, row.mean, weighted, says, row.where, endpoints[0].where)
    for name in SHOWN_ONCE:
        said = [(getattr(it, name), it.where) for it in table.totals]
        for (a, place), (b, other) in combinations([it for it in said if it[0] is not None], 2):
            kind = Kind.LATENCY if a.unit in ("us", "µs", "ms", "s") else Kind.LOAD
            yield equal(kind, a, b, f"{name} in total: {a} and {b}", place, other)


def weighted_mean(endpoints: tuple[Endpoint, ...]) -> Interval | None:
    """Latency in ms over all requests of the endpoints; None unless each says both.

    A weighted mean grows with each mean, and is taken at the printed numbers of requests: their
    rounding moves it by less than the means' own.
    """
    rows = [(it.requests.mid, it.mean) for it in endpoints if it.requests and it.mean]
    sent = sum(weight for weight, _ in rows)
    if len(rows) < len(endpoints) or not sent:
        return None
    return total(weight / sent * mean for weight, mean in rows)
