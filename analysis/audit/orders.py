"""Orders: no more than were confirmed, as many as the funnel lets on, all by the gateway."""

from math import sqrt

from analysis.audit.finding import Finding, Kind, Relations, at_most, number, percent
from analysis.published.intervals import Interval, apart
from analysis.published.table import Funnel, Gateway, Orders, Published

SIGMAS = 5
"""Of a drawn share (binomial): beyond it one table in two million."""


def orders(table: Published) -> Relations:
    """Counts of orders, every funnel share, every gateway."""
    for it in table.orders:
        yield from _made(table, it)
        yield from _in_flight(it)
    for step in table.funnel:
        yield from _funnel(table, step)
    for gateway in table.gateways:
        yield from _gateway(table, gateway)


def _made(table: Published, it: Orders) -> Relations:
    maker = table.endpoint(it.made_by)
    if maker.requests is None or maker.failures is None:
        return
    made = maker.requests - maker.failures
    formula = f"{maker.requests} - {maker.failures} = {number(made)} that succeeded"
    where = it.where, maker.where
    if it.completed is not None:
        says = f"{it.completed} orders completed, of {maker.name} {formula}"
        yield at_most(Kind.ORDERS, it.completed, made, says, *where)
    if it.in_database is not None:
        says = f"{it.in_database} orders in the database, of {maker.name} {formula}"
        unless = "failed requests left orders behind"
        yield at_most(Kind.ORDERS, it.in_database, made, says, *where, unless=unless)


def _in_flight(it: Orders) -> Relations:
    """A client counts what was answered: an order under way is not yet among them."""
    if it.in_flight is not None and it.completed is not None and it.in_database is not None:
        says = (
            f"{it.in_flight} orders in flight are to be why the client counts {it.completed} and "
            f"the database {it.in_database}: a client counts them once they are answered"
        )
        unless = "the client counts what it has sent"
        missing = Interval(0, 0)
        more = it.completed - it.in_database
        yield at_most(Kind.ORDERS, more, missing, says, it.where, unless=unless)


def _funnel(table: Published, step: Funnel) -> Relations:
    """``share`` may have been drawn for each: so many standard errors are chance."""
    before, after = table.endpoint(step.before).requests, table.endpoint(step.after).requests
    if before is None or after is None or not before.low:
        return
    went_on = after / before
    p = min(max(step.share.mid, 0.0), 1.0)
    chance = SIGMAS * sqrt(p * (1 - p) / before.low)
    span = Interval(step.share.low - chance, step.share.high + chance)
    says = (
        f"{step.after} / {step.before}: {after} / {before} = {percent(went_on)} go on, not "
        f"{step.share} ({percent(1.0 - went_on)} lost, not {percent(1.0 - step.share)})"
    )
    lost = apart(1.0 - went_on, 1.0 - span)
    factor = max(lost, apart(went_on, span))
    yield None if went_on.meets(span) else Finding(Kind.ORDERS, says, factor, step.where)


def _gateway(table: Published, gateway: Gateway) -> Relations:
    for whole in table.totals:
        if whole.requests is not None:
            says = f"{gateway.name} passed {gateway.requests} of {whole.requests} requests sent"
            yield at_most(
                Kind.LOAD, whole.requests, gateway.requests, says, gateway.where, whole.where
            )
    failed = [it.failures for it in table.pools if it.name == gateway.during]
    first = failed[0] if failed else None
    if gateway.failure_share is not None and first is not None:
        errors = gateway.failure_share * gateway.requests
        says = (
            f"{gateway.name}: {gateway.failure_share} of {gateway.requests} are {number(errors)} "
            f"errors, put to {first} failures of {gateway.during}"
        )
        yield at_most(Kind.ERRORS, errors, first, says, gateway.where)
