"""Sections of a table on how a service is run: availability, incidents, limits, growth."""

from typing import Annotated

from analysis.published.figures import (
    Count,
    Duration,
    Percent,
    Positive,
    Rate,
    SetCount,
    SetDuration,
    SetPercent,
    SetRate,
)
from recording.tables import Listed, Table


class Availability(Table):
    """Of a service over ``period``: the share of it that it was up, and what is left of the budget.

    ``incidents``: the lengths of those that it is put down to.
    """

    where: str = ""
    name: str
    period: Annotated[SetDuration, Positive]
    uptime: Percent
    target: SetPercent | None = None
    downtime: Duration | None = None
    budget_left: Percent | None = None
    incidents: Annotated[tuple[Duration, ...], Listed] = ()


class Incident(Table):
    """One that the report tells of."""

    where: str = ""
    id: str
    severity: str
    post_mortem: bool = False


class IncidentCount(Table):
    """How many the report counts, of some severities; none named: of all."""

    where: str
    count: Count
    severities: Annotated[tuple[str, ...], Listed] = ()
    post_mortems: Count | None = None


class LimitedRate(Table):
    """A limit to requests, and how near to it one caller is at most today."""

    where: str = ""
    name: str
    limit: Annotated[SetRate, Positive]
    used: Rate | None = None


class LoadFactor(Table):
    """A load to come, as a multiple of today's."""

    where: str = ""
    name: str
    factor: Annotated[SetCount, Positive]
