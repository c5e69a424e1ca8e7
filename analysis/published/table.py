"""The schema of a published table: every section may be left out, an unknown key is refused.

docs/audit.md shows it with an example. ``where`` names the place in the report that a row's
figures stand in, and comes back in each finding about them.
"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from analysis.published.figures import (
    Count,
    Duration,
    Figure,
    Latency,
    Percent,
    Quantity,
    Rate,
    SetCount,
    SetDuration,
    SetRate,
)
from analysis.published.intervals import Interval
from analysis.published.moments import Elapsed
from analysis.published.operations import (
    Availability,
    Incident,
    IncidentCount,
    LimitedRate,
    LoadFactor,
)
from analysis.published.system import Autoscaler, Event, Logged, Pool, Series, Written
from recording.tables import Listed, Table

QUANTILES = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


class Answered(Table):
    """What is said of some requests: how many, how they failed, how long they took."""

    where: str = ""
    requests: Count | None = None
    failures: Count | None = None
    failure_share: Percent | None = None
    success_share: Percent | None = None
    min: Latency | None = None
    mean: Latency | None = None
    p50: Latency | None = None
    p75: Latency | None = None
    p90: Latency | None = None
    p95: Latency | None = None
    p99: Latency | None = None
    p999: Latency | None = None
    max: Latency | None = None
    rate: Rate | None = None
    """Over the whole duration."""
    peak_rate: Rate | None = None

    def quantiles(self) -> tuple[tuple[str, float, Figure], ...]:
        """Name, share of the requests, value; those that are given."""
        said = ((name, q, getattr(self, name)) for name, q in QUANTILES.items())
        return tuple((name, q, value) for name, q, value in said if value is not None)

    def failed_share(self) -> Interval | None:
        """As stated, of failures or of what succeeded."""
        if self.failure_share is not None:
            return self.failure_share
        return None if self.success_share is None else 1.0 - self.success_share


class Endpoint(Answered):
    """One kind of request. ``calls``: services that its answer waits for, beside its own."""

    name: str
    service: str = ""
    calls: Annotated[tuple[str, ...], Listed] = ()


class Total(Answered):
    """All endpoints together, as one place of the report gives them.

    ``of``: the number that failures are said to be a share of. ``max_during``: the service whose
    trouble the maximum is put down to.
    """

    of: Count | None = None
    max_during: str = ""


class Service(Answered):
    """All endpoints of one service together."""

    name: str


class Range(Table):
    """From ``min`` to ``max``."""

    min: SetDuration
    max: SetDuration


class Phase(Table):
    """The load goes from ``users_from`` to ``users_to``, ``users_per_min`` at a time."""

    where: str = ""
    start: Elapsed
    end: Elapsed
    users_from: SetCount
    users_to: SetCount
    users_per_min: SetRate | None = None

    @property
    def duration_s(self) -> float:
        """Its length, s."""
        return self.end.s - self.start.s

    @property
    def steady(self) -> bool:
        """Whether the number of users stays."""
        return self.users_from.low == self.users_to.low


class Load(Table):
    """Who asked, and how. ``think_time`` is drawn evenly from its range before each request."""

    where: str = ""
    users: SetCount | None = None
    duration: Duration | None = None
    think_time: Range | None = None
    session: Range | None = None
    requests_per_session: SetCount | None = None
    iteration_rate: Rate | None = None
    iteration_mean: Latency | None = None
    phases: Annotated[tuple[Phase, ...], Listed] = ()


class Orders(Table):
    """What was bought: ``made_by`` is the endpoint whose success makes an order."""

    where: str = ""
    made_by: str
    completed: Count | None = None
    """As the load generator reports them."""
    in_database: Count | None = None
    in_flight: Count | None = None
    """Of the completed, those that were said to be missing in the database for being under way."""
    peak_rate: Rate | None = None


class Funnel(Table):
    """``share`` of the requests of ``before`` goes on to ``after``."""

    where: str = ""
    before: str
    after: str
    share: Percent


class Gateway(Table):
    """What all requests pass through. ``during``: the pool whose failures its errors are put to."""

    where: str = ""
    name: str
    requests: Count
    failure_share: Percent | None = None
    during: str = ""


class Part(Table):
    """``part`` of ``whole`` is ``share``."""

    where: str = ""
    what: str
    part: Quantity
    whole: Quantity
    share: Percent


class Sum(Table):
    """``whole`` is the sum of ``parts``."""

    where: str = ""
    what: str
    whole: Quantity
    parts: Annotated[tuple[Quantity, ...], Listed] = Field(min_length=1)


class Place(Table):
    """A figure, and where it stands."""

    where: str
    value: Quantity


class Same(Table):
    """One quantity as several places of the report give it."""

    what: str
    places: Annotated[tuple[Place, ...], Listed] = Field(min_length=2)


class Published(Table):
    """A report's tables, or a production snapshot's.

    ``partial``: more endpoints were asked than are listed.
    """

    title: str = ""
    partial: bool = False
    load: Load | None = None
    endpoints: Annotated[tuple[Endpoint, ...], Listed] = ()
    totals: Annotated[tuple[Total, ...], Listed] = ()
    services: Annotated[tuple[Service, ...], Listed] = ()
    orders: Annotated[tuple[Orders, ...], Listed] = ()
    funnel: Annotated[tuple[Funnel, ...], Listed] = ()
    gateways: Annotated[tuple[Gateway, ...], Listed] = ()
    pools: Annotated[tuple[Pool, ...], Listed] = ()
    autoscalers: Annotated[tuple[Autoscaler, ...], Listed] = ()
    series: Annotated[tuple[Series, ...], Listed] = ()
    events: Annotated[tuple[Event, ...], Listed] = ()
    log: Annotated[tuple[Logged, ...], Listed] = ()
    sizes: Annotated[tuple[Written, ...], Listed] = ()
    sums: Annotated[tuple[Sum, ...], Listed] = ()
    shares: Annotated[tuple[Part, ...], Listed] = ()
    same: Annotated[tuple[Same, ...], Listed] = ()
    availability: Annotated[tuple[Availability, ...], Listed] = ()
    incidents: Annotated[tuple[Incident, ...], Listed] = ()
    incident_counts: Annotated[tuple[IncidentCount, ...], Listed] = ()
    rate_limits: Annotated[tuple[LimitedRate, ...], Listed] = ()
    growth: Annotated[tuple[LoadFactor, ...], Listed] = ()

    @model_validator(mode="after")
    def _names(self) -> Self:
        names = [endpoint.name for endpoint in self.endpoints]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"endpoints must differ in name, {min(twice)!r} is there twice")
        asked = {it.made_by for it in self.orders}
        asked |= {name for it in self.funnel for name in (it.before, it.after)}
        if unknown := asked - set(names):
            raise ValueError(f"no endpoint {min(unknown)!r}; there are: {', '.join(names)}")
        return self

    def endpoint(self, name: str) -> Endpoint:
        """The one of that name."""
        return next(it for it in self.endpoints if it.name == name)

    def of_service(self, name: str) -> tuple[Endpoint, ...]:
        """Its endpoints, all of them; none where some may be missing."""
        return () if self.partial else tuple(it for it in self.endpoints if it.service == name)

    def steady_s(self) -> float:
        """How long the load stood at its peak number of users, s."""
        phases = self.load.phases if self.load else ()
        most = max((it.users_to.low for it in phases), default=0.0)
        at_peak = (it for it in phases if it.steady and it.users_to.low == most)
        return sum(it.duration_s for it in at_peak)
