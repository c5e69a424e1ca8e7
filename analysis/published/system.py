"""Sections of a table on what the load ran into: pools, autoscalers, series, events, logs."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from analysis.published.figures import (
    Count,
    Duration,
    Growth,
    Latency,
    Percent,
    Positive,
    Quantity,
    SetCount,
    SetDuration,
    SetPercent,
    Size,
)
from analysis.published.moments import Clock, Elapsed
from recording.tables import Listed, Table


class Utilization(Table):
    """How full a pool was, over all ``replicas``."""

    at: Elapsed
    utilization: Percent
    replicas: SetCount
    users: SetCount | None = None


class Pool(Table):
    """Connections: ``max`` of each replica, ``in_use`` over all of them.

    Exhausted, ``waiting`` callers waited up to ``timeout`` and ``concurrent`` ones held or wanted a
    connection; in the ``window`` there were ``failures``, ``error_share`` of the requests of the
    endpoints that call ``service``.
    """

    where: str = ""
    name: str
    service: str = ""
    max: Annotated[SetCount, Positive]
    replicas: Annotated[SetCount, Positive] | None = None
    in_use: Count | None = None
    waiting: Count | None = None
    concurrent: Count | None = None
    timeout: SetDuration | None = None
    window: Duration | None = None
    failures: Count | None = None
    error_share: Percent | None = None
    samples: Annotated[tuple[Utilization, ...], Listed] = ()


class Scaled(Table):
    """A decision: at this utilization, from so many replicas to so many."""

    at: Elapsed
    utilization: Percent
    replicas_from: Annotated[SetCount, Positive]
    replicas_to: SetCount


class MeanUse(Table):
    """Mean utilization from one moment to another, and the replicas that there were at its end."""

    where: str = ""
    start: Elapsed
    end: Elapsed
    utilization: Percent
    replicas: Annotated[SetCount, Positive]


class Autoscaler(Table):
    """Kubernetes' HPA on a utilization, with what it did and what it saw."""

    where: str = ""
    service: str
    target: Annotated[SetPercent, Positive]
    min_replicas: SetCount | None = None
    max_replicas: Annotated[SetCount, Positive]
    replicas: SetCount | None = None
    utilization: Percent | None = None
    """Now, at ``replicas``: of a snapshot."""
    scaled: Annotated[tuple[Scaled, ...], Listed] = ()
    means: Annotated[tuple[MeanUse, ...], Listed] = ()


class Point(Table):
    """A sample."""

    at: Elapsed
    value: Quantity


class Claim(Table):
    """What the report says of a series."""

    where: str
    value: Quantity


class Word(Table):
    """What the report calls a stretch of a series, and the slope it prints of it."""

    where: str
    start: Elapsed
    end: Elapsed
    says: Literal["linear", "accelerating", "resumed"] | None = None
    rate: Growth | None = None


class Series(Table):
    """Samples in the order of time, and what is said of them.

    ``users_from`` to ``users_to``: the stretch in which all users were there. ``cpu``: of a counter
    of CPU seconds, the utilization that the report gives for it.
    """

    where: str = ""
    name: str
    counter: bool = False
    points: Annotated[tuple[Point, ...], Listed] = Field(min_length=2)
    peaks: Annotated[tuple[Claim, ...], Listed] = ()
    averages: Annotated[tuple[Claim, ...], Listed] = ()
    words: Annotated[tuple[Word, ...], Listed] = ()
    cpu: Percent | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        times = [point.at.s for point in self.points]
        if times != sorted(set(times)):
            raise ValueError(f"points of {self.name!r} must be in the order of time")
        said = [point.value for point in self.points]
        said += [claim.value for claim in (*self.peaks, *self.averages)]
        if not all(value.same_dimension(said[0]) for value in said):
            raise ValueError(f"values of {self.name!r} must be of one kind of unit")
        return self


class Event(Table):
    """Something that happened, on either clock or on both; by one name wherever it is told."""

    where: str
    what: str
    at: Elapsed | None = None
    clock: Clock | None = None


class Logged(Table):
    """A request in a log."""

    where: str
    id: str
    at: Clock | None = None
    service: str = ""
    request: str = ""
    """Method, path and body, as far as the log has them."""
    response_time: Latency | None = None


class Written(Table):
    """A number of bytes with what is printed beside it."""

    where: str
    bytes: SetCount
    printed: Size
