"""Availability: downtime is what is missing of the period, and uses the error budget.

The budget is 1 - target; what is left of it is 1 - (1 - uptime) / (1 - target) (B. Beyer et al.,
Site Reliability Engineering, chapter 4). An uptime that would be right if it were cut, not rounded,
is a question: 99.97491 as 99.974.
"""

from analysis.audit.finding import Kind, Relations, equal, number, percent, places
from analysis.published.figures import Figure
from analysis.published.intervals import Interval, total
from analysis.published.operations import Availability, IncidentCount
from analysis.published.table import Published


def availability(table: Published) -> Relations:
    """Every service, and counts of incidents against those listed."""
    for it in table.availability:
        down = 1.0 - it.uptime
        yield from _downtime(it, down)
        yield from _budget(it, down)
    if table.incidents:
        for count in table.incident_counts:
            yield from _listed(table, count)


def _cut(up: float, uptime: Figure) -> bool:
    """Whether it is printed so when the digits after are left off."""
    unit = uptime.high - uptime.low
    return uptime.mid <= up < uptime.mid + unit


def _downtime(it: Availability, down: Interval) -> Relations:
    allowed_min = down * (it.period.mid / 60)
    if it.downtime is not None:
        up = 1.0 - it.downtime / it.period
        says = (
            f"{it.name}: {it.downtime} down of {it.period} are {percent(up)} up, not {it.uptime} "
            f"({allowed_min.low:.3g} to {allowed_min.high:.3g} min)"
        )
        unless = "the uptime was cut, not rounded" if _cut(up.mid, it.uptime) else ""
        yield equal(Kind.AVAILABILITY, it.downtime, down * it.period, says, it.where, unless=unless)
    elif it.incidents:
        lasted = total(it.incidents)
        says = (
            f"{it.name}: incidents of {' + '.join(map(str, it.incidents))} against "
            f"{allowed_min.low:.3g} to {allowed_min.high:.3g} min that {it.uptime} leaves"
        )
        unless = "the service counts as up in them"
        yield equal(Kind.AVAILABILITY, lasted, down * it.period, says, it.where, unless=unless)


def _budget(it: Availability, down: Interval) -> Relations:
    if it.target is None or it.budget_left is None or it.target.mid >= 1:
        return
    left = 1.0 - down * (1 / (1 - it.target.mid))
    says = (
        f"{it.name}: {it.uptime} of {it.target} uses (100 % - {it.uptime}) / (100 % - {it.target}) "
        f"of the error budget and leaves {percent(left)}, not {it.budget_left}"
    )
    yield equal(Kind.AVAILABILITY, left, it.budget_left, says, it.where)


def _listed(table: Published, count: IncidentCount) -> Relations:
    among = [
        it for it in table.incidents if not count.severities or it.severity in count.severities
    ]
    what = "/".join(count.severities) or "all"
    done = sum(it.post_mortem for it in among)
    where = places(count.where, *(it.where for it in table.incidents))
    said = [("incidents", count.count, len(among)), ("post-mortems", count.post_mortems, done)]
    for noun, printed, listed in said:
        if printed is None:
            continue
        says = f"{what} {noun}: {printed} counted, {number(listed)} listed"
        number_listed = Interval(listed, listed)
        yield equal(Kind.AVAILABILITY, printed, number_listed, says, where)
