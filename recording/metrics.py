"""``[metrics]`` of a profile: where a shop's own metrics are, and which is which of ours."""

import re
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from recording.durations import DurationS
from recording.errors import did_you_mean
from recording.matchers import checked_matchers
from recording.metric_names import ALL_OF_A_SERVICE
from recording.tables import Listed, Table
from recording.target import BaseUrl
from recording.urls import base_url

Unit = Literal["B", "KiB", "MiB", "KB", "MB", "s", "ms", "us", "%"]
Together = Literal["one", "sum", "max"]
_OF_SUFFIX: Final = {
    "_bytes": {"B": 1.0, "KiB": 2**10, "MiB": 2**20, "KB": 1e3, "MB": 1e6},
    "_seconds": {"s": 1.0, "ms": 1e-3, "us": 1e-6},
    "_ratio": {"%": 0.01},
    "": {},
}
"""By how our name ends: what theirs may be in, and its factor into ours."""
_PARTS = ("_bucket", "_sum", "_count", "_total")
_NAME = re.compile(r"[A-Za-z_:][\w:]*", re.ASCII)


def _known(name: str) -> str:
    if name not in ALL_OF_A_SERVICE:
        raise ValueError(f"{name!r} is no metric of ours{did_you_mean(name, ALL_OF_A_SERVICE)}")
    return name


def _metric_name(name: str) -> str:
    if name and not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a metric: letters, digits, _ and :")
    return name


def _page(where: str) -> str:
    return where if where.startswith("/") else base_url(where)


Ours = Annotated[str, AfterValidator(_known)]
Where = Annotated[str, AfterValidator(checked_matchers)]
Labels = Annotated[tuple[str, ...], Listed]


class MetricRow(Table):
    """One of their metrics, and which of ours it is."""

    ours: Ours
    """A name of what the sampler keeps."""
    theirs: Annotated[str, AfterValidator(_metric_name)] = ""
    """Their metric."""
    promql: str = ""
    """In its place: an expression that Prometheus evaluates at every `sampling.interval`."""
    where: Where = ""
    """Label matchers as PromQL has them; in a ready mapping `{named}` is the source's `named`."""
    pool: Labels = ()
    """Of a pool: the labels whose values are its name."""
    pool_name: str = ""
    """Of a pool without such labels: its name."""
    status: str = ""
    """Of `http_requests_total`: the label that has the HTTP status."""
    replica: Labels = ("pod", "instance")
    """Labels that tell replicas apart, the first that is there."""
    unit: Unit | None = None
    """What theirs is in, where that is not what our name says."""
    together: Together = "one"
    """What several series of one replica are that fall on our name: an error, their sum, or the
    largest of them."""
    replicas: Together = "one"
    """The same of several replicas, of what is not told for each."""

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if bool(self.theirs) == bool(self.promql):
            raise ValueError("give theirs or promql, one of them")
        if self.unit and self.unit not in self._units:
            known = ", ".join(self._units) or "none"
            raise ValueError(f"unit {self.unit!r} does not fit {self.ours}; known: {known}")
        return self

    @property
    def _units(self) -> dict[str, float]:
        ours = next((self.ours.removesuffix(p) for p in _PARTS if self.ours.endswith(p)), self.ours)
        return next(units for suffix, units in _OF_SUFFIX.items() if ours.endswith(suffix))

    @property
    def bound_factor(self) -> float:
        """From their unit into ours, of what is measured: of a bucket its bound."""
        return self._units[self.unit] if self.unit else 1.0

    @property
    def factor(self) -> float:
        """The same of a value; buckets and counts are numbers of things."""
        return 1.0 if self.ours.endswith(("_bucket", "_count")) else self.bound_factor


class MetricSource(Table):
    """Where some of a service's metrics come from. Several of one service are put together."""

    service: str
    """Whose they are: a service as `[target]` calls it (`host` of a locustfile), or `orders-db`."""
    use: Labels = ()
    """Ready mappings, by name."""
    page: Annotated[str, AfterValidator(_page)] = ""
    """A page that is read every `sampling.interval`: a path on the service, or a url. Without one
    `metrics.prometheus` is asked, once the load is over."""
    where: Where = ""
    """Label matchers that hold for each of its series: `job="checkout"`."""
    named: str = ""
    """What Kubernetes calls it: the name of its Deployment, StatefulSet and autoscaler."""
    without: Annotated[tuple[Ours, ...], Listed] = ()
    """Names of ours that another source gives better."""
    rows: Annotated[tuple[MetricRow, ...], Listed] = ()
    """Rows of one's own; in place of those of `use` for the same name of ours."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.use and not self.rows:
            raise ValueError("give use, names of ready mappings, or rows of your own")
        if self.page and any(row.promql for row in self.rows):
            raise ValueError("promql is for Prometheus: leave out page, or give theirs")
        return self


class Metrics(Table):
    """Whose metrics are read where, for services that do not export them by our names."""

    prometheus: BaseUrl = ""
    """Base url of a Prometheus server."""
    timeout: DurationS = Field(default=10.0, gt=0)
    """Deadline for each of its answers."""
    settle: DurationS = 60.0
    """How long it may take, after the load, to have scraped the load's end."""
    sources: Annotated[tuple[MetricSource, ...], Listed] = ()
    """One after the other."""

    @property
    def urls(self) -> tuple[str, ...]:
        """Whom it names beside the services themselves."""
        pages = (s.page for s in self.sources if not s.page.startswith("/"))
        return (self.prometheus, *filter(None, pages))

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        pages = {bool(s.page): s.service for s in self.sources}
        if not self.prometheus and False in pages:
            raise ValueError(f"give prometheus, or a page to the source of {pages[False]}")
        for service in {s.service for s in self.sources}:
            if len({bool(s.page) for s in self.sources if s.service == service}) > 1:
                raise ValueError(f"{service}: its sources all have a page, or none has")
        return self
