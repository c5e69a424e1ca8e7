"""Requests in a log: an id names one request, and ids that are handed out in order count them."""

import re
from collections.abc import Iterator
from itertools import combinations, pairwise

from analysis.audit.finding import Finding, Kind, Relations, number, places
from analysis.published.system import Logged
from analysis.published.table import Published

_NUMBERED = re.compile(r"(.*?)(\d+)")
SLOW = 10
"""Ids that count requests this many times more slowly than they came are no counter's."""


def log(table: Published) -> Relations:
    """One id, one body; the rate of numbered ids against that at which their service was asked."""
    for one, other in combinations(table.log, 2):
        if one.id == other.id and one.request and other.request:
            says = f"{one.id}: {one.request} and {other.request}"
            same = one.request == other.request
            where = places(one.where, other.where)
            yield None if same else Finding(Kind.LOG, says, float("inf"), where)
    yield from _ids(table)


def _ids(table: Published) -> Relations:
    """Of every service the slowest stretch."""
    for service in sorted({it.service for it in table.log if it.service}):
        asked = [it.peak_rate for it in table.endpoints if service in (it.service, *it.calls)]
        most = max((rate.high for rate in asked if rate is not None), default=0.0)
        mine = [it for it in table.log if it.service == service and it.at]
        stretches = list(_stretches(mine))
        if not stretches or not most:
            continue
        slowest, apart_s, first, last = min(stretches)
        says = (
            f"ids {first} and {last} are {number(apart_s)} s apart, {number(slowest)}/s; {service} "
            f"is asked {number(most)} times/s"
        )
        holds = slowest * SLOW >= most
        where = places(*(it.where for it in mine))
        unless = "ids are not handed out in order"
        yield None if holds else Finding(Kind.LOG, says, most / slowest, where, unless)


def _stretches(logged: list[Logged]) -> Iterator[tuple[float, float, int, int]]:
    """Ids per s, s, and the two ids, of successive requests at least 1 s apart."""
    numbered = sorted({(it.at.s, _number(it)) for it in logged if it.at and _number(it)})
    for (s, first), (t, last) in pairwise(numbered):
        if last > first and t - s >= 1:
            yield (last - first) / (t - s), t - s, first, last


def _number(it: Logged) -> int:
    """The digits that the id ends with; 0 without any."""
    found = _NUMBERED.fullmatch(it.id)
    return int(found[2][-15:]) if found else 0
