"""Rates against numbers: what came per second, for how long, is how many there were.

At a constant number of users the rate is constant, as nothing in their cycle changes but latency
(Little's law). ``STEADY`` is how far a peak may stand above its mean there.
"""

from analysis.audit.finding import Finding, Kind, Relations, at_most, equal, number, places
from analysis.published.figures import Figure
from analysis.published.intervals import Interval, apart, total
from analysis.published.table import Answered, Endpoint, Orders, Published, Service

STEADY = 1.5


def throughput(table: Published) -> Relations:
    """Means by the duration, peaks by the plateau, services by their endpoints, orders a minute."""
    rows = [(it.name, it) for it in table.endpoints]
    totals = [("in total", it) for it in table.totals]
    for name, row in (*rows, *totals):
        yield from _over_all(table, name, row)
    for name, row in totals:
        yield from _at_peak(table, name, row)
    yield from _endpoints_at_peak(table)
    for service in table.services:
        yield from _of_service(table, service)
    for orders in table.orders:
        yield from _orders(table, orders)


def _over_all(table: Published, name: str, row: Answered) -> Relations:
    duration = table.load.duration if table.load else None
    if row.requests is None or duration is None:
        return
    mean = row.requests / duration
    said = f"{name}: {row.requests} requests in {duration} are {number(mean)}/s"
    if row.rate is not None:
        yield equal(Kind.LOAD, mean, row.rate, f"{said}, not {row.rate}", row.where)
    if row.peak_rate is not None:
        yield at_most(
            Kind.LOAD, mean, row.peak_rate, f"{said}, above the peak of {row.peak_rate}", row.where
        )


def _at_peak(table: Published, name: str, row: Answered) -> Relations:
    steady_s = table.steady_s()
    if row.requests is None or row.peak_rate is None or not steady_s:
        return
    least = row.peak_rate * steady_s
    says = (
        f"{name}: {row.peak_rate} for the {steady_s / 3600:.3g} h at all users are "
        f"{number(least)} requests, not {row.requests}: these are {_mean(table, row.requests)}"
    )
    yield at_most(Kind.LOAD, least * (1 / STEADY), row.requests, says, row.where, _load(table))


def _mean(table: Published, count: Figure) -> str:
    duration = table.load.duration if table.load else None
    over_s = duration.mid if duration is not None else table.steady_s()
    return f"{number(count.mid / over_s)}/s"


def _load(table: Published) -> str:
    return table.load.where if table.load else ""


def _endpoints_at_peak(table: Published) -> Relations:
    """One finding for all, as they fail together."""
    steady_s, seen, wrong = table.steady_s(), 0, []
    for it in table.endpoints:
        if it.requests is None or it.peak_rate is None or not steady_s:
            continue
        seen += 1
        if not (it.peak_rate * (steady_s / STEADY)).at_most(it.requests):
            wrong.append((it, it.peak_rate * steady_s, it.requests))
    if wrong:
        listed = ", ".join(f"{it.name} {number(due / had)}" for it, due, had in wrong)
        says = (
            f"peak rate × {steady_s / 3600:.3g} h over requests, which should be about 1: {listed}"
        )
        factor = max(apart(due, had) for _, due, had in wrong)
        yield Finding(Kind.LOAD, says, factor, places(*(it.where for it, _, _ in wrong)))
    elif seen:
        yield None


def _rates(endpoints: tuple[Endpoint, ...]) -> Interval | None:
    """The most that they can have had together."""
    said = [it.peak_rate or it.rate for it in endpoints]
    known = [rate for rate in said if rate is not None]
    return total(known) if known and len(known) == len(said) else None


def _of_service(table: Published, service: Service) -> Relations:
    most = _rates(table.of_service(service.name))
    if service.rate is not None and most is not None:
        says = f"{service.name}: {service.rate} sustained, its endpoints peak at {number(most)}/s"
        yield at_most(Kind.LOAD, service.rate, most, says, service.where)


def _orders(table: Published, orders: Orders) -> Relations:
    maker, steady_s = table.endpoint(orders.made_by), table.steady_s()
    if orders.peak_rate is None:
        return
    if maker.peak_rate is not None:
        says = (
            f"orders peak at {orders.peak_rate}, {maker.name} at {maker.peak_rate} = "
            f"{number(60 * maker.peak_rate)}/min"
        )
        yield equal(Kind.ORDERS, orders.peak_rate, maker.peak_rate, says, orders.where, maker.where)
    if orders.completed is not None and steady_s:
        due = orders.peak_rate * steady_s
        says = (
            f"{orders.peak_rate} for the {steady_s / 3600:.3g} h at all users are "
            f"{number(due)} orders, not {orders.completed}"
        )
        yield at_most(Kind.ORDERS, due * (1 / STEADY), orders.completed, says, orders.where)
