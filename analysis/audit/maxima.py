"""A maximum is nowhere exceeded, and belongs to what it is put down to."""

from analysis.audit.finding import Kind, Relations, at_most, equal
from analysis.published.figures import Figure
from analysis.published.intervals import Interval
from analysis.published.table import Published, Total


def maxima(table: Published) -> Relations:
    """Totals and services against endpoints, logged requests, and whose trouble it was."""
    for whole in table.totals:
        if whole.max is None:
            continue
        yield from _largest(table, whole, whole.max)
        yield from _logged(table, whole, whole.max)
        yield from _put_down_to(table, whole, whole.max)
    for service in table.services:
        said = [it.max for it in table.of_service(service.name)]
        if service.max is not None and None not in said and said:
            largest = max((one for one in said if one is not None), key=lambda one: one.high)
            says = f"{service.name}: max {service.max}, the largest of its endpoints is {largest}"
            yield equal(Kind.LATENCY, service.max, largest, says, service.where)


def _largest(table: Published, whole: Total, highest: Figure) -> Relations:
    said = [it.max for it in table.endpoints]
    known = [one for one in said if one is not None]
    if not known or len(known) < len(said):
        return
    largest = max(known, key=lambda one: one.high)
    says = f"max in total {highest}, the largest of an endpoint is {largest}"
    relation = at_most if table.partial else equal
    yield relation(Kind.LATENCY, largest, highest, says, whole.where, table.endpoints[0].where)


def _logged(table: Published, whole: Total, highest: Figure) -> Relations:
    """The slowest in the log, said once."""
    timed = [it for it in table.log if it.response_time is not None]
    if not timed:
        return
    slowest = max(timed, key=lambda it: it.response_time.high if it.response_time else 0.0)
    took = slowest.response_time or highest
    says = f"max in total {highest}, yet {slowest.service or slowest.id} took {took} in the log"
    yield at_most(Kind.LATENCY, took, highest, says, whole.where, slowest.where)


def _put_down_to(table: Published, whole: Total, highest: Figure) -> Relations:
    """The endpoint with the maximum must wait for the service whose trouble it is put down to."""
    if not whole.max_during:
        return
    waiting = [it for it in table.endpoints if whole.max_during in (*it.calls, it.service)]
    slowest = [it for it in table.endpoints if it.max is not None and it.max.meets(highest)]
    known = [it for it in waiting if it.max is not None]
    if not known or not slowest or len(known) < len(waiting):
        return
    longest = max(known, key=lambda it: it.max.high if it.max else 0.0)
    says = (
        f"max {highest} is put down to {whole.max_during}, and is {slowest[0].name}'s, which does "
        f"not call it; of those that do {longest.name} took longest, {longest.max}"
    )
    value: Interval = longest.max or highest
    yield equal(Kind.LATENCY, value, highest, says, whole.where, longest.where)
