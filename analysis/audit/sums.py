"""Totals are sums: of their endpoints, and of whatever the report says makes them up."""

from analysis.audit.finding import Kind, Relations, at_most, equal, in_unit_of, number
from analysis.published.figures import Figure
from analysis.published.intervals import total
from analysis.published.table import Endpoint, Published, Total

ADDED = "requests", "failures", "rate"
"""Of endpoints: their sum is the total's; of some of them it is at most that."""


def sums(table: Published) -> Relations:
    """Requests, failures and rates of the endpoints against each total; stated sums."""
    for whole in table.totals:
        for name in ADDED:
            yield from _added(table, whole, name)
        yield from _peaks(table, whole)
    for it in table.sums:
        parts = total(it.parts)
        added, made = " + ".join(map(str, it.parts)), in_unit_of(parts, it.whole)
        says = f"{it.what}: {added} = {made}, not {it.whole}"
        yield equal(Kind.SUMS, parts, it.whole, says, it.where)


def _figures(endpoints: tuple[Endpoint, ...], name: str) -> list[Figure] | None:
    """Of all endpoints; None unless each has one."""
    said = [getattr(endpoint, name) for endpoint in endpoints]
    return said if said and None not in said else None


def _added(table: Published, whole: Total, name: str) -> Relations:
    printed, parts = getattr(whole, name), _figures(table.endpoints, name)
    if printed is None or parts is None:
        return
    summed = total(parts)
    says = f"{name} of the endpoints add up to {number(summed)}, the total says {printed}"
    relation = at_most if table.partial else equal
    yield relation(Kind.LOAD, summed, printed, says, whole.where, table.endpoints[0].where)


def _peaks(table: Published, whole: Total) -> Relations:
    """The peak of a sum is at most the sum of the peaks, and at least each of them."""
    parts = _figures(table.endpoints, "peak_rate")
    if whole.peak_rate is None or parts is None or table.partial:
        return
    summed, place = total(parts), table.endpoints[0].where
    says = f"peaks of the endpoints add up to {number(summed)}/s, the total's is {whole.peak_rate}"
    yield at_most(Kind.LOAD, whole.peak_rate, summed, says, whole.where, place)
    for part in parts:
        says = f"an endpoint's peak of {part} is above the total's of {whole.peak_rate}"
        yield at_most(Kind.LOAD, part, whole.peak_rate, says, whole.where, place)
