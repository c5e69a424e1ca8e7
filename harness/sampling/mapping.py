"""Ready mappings, a file of ``mappings/`` each, and what a profile's sources make of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from recording.errors import ConfigError, did_you_mean
from recording.flow import FLOW, Services
from recording.matchers import Matcher, parse_matchers
from recording.metric_names import ORDERS_DB
from recording.metrics import MetricRow, Metrics, MetricSource
from recording.profile_file import build, read_toml
from recording.tables import Listed, Table

FOLDER = Path(__file__).parent / "mappings"
NAMED = "{named}"


class Mapping(Table):
    """A file of ``mappings/``: what an exporter calls what we know."""

    title: str
    """Whose metrics, in a line."""
    source: str
    """Where its names are documented."""
    rows: Annotated[tuple[MetricRow, ...], Listed]
    """One for each of our names that it has."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row of a source, ready to be looked for. ``origin`` is its mapping, or "rows"."""

    row: MetricRow
    matchers: tuple[Matcher, ...]
    origin: str
    source: int

    @property
    def query(self) -> str:
        """As PromQL has it."""
        return self.row.promql or f"{self.row.theirs}{{{','.join(map(str, self.matchers))}}}"


def mapping_names() -> list[str]:
    """Of those that come along."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@lru_cache
def mapping(name: str) -> Mapping:
    """Raises ConfigError for a name that is none."""
    if name not in mapping_names():
        raise ConfigError(f"no ready mapping {name!r}{did_you_mean(name, mapping_names())}")
    path = FOLDER / f"{name}.toml"
    return build(Mapping, read_toml(path), str(path))


def subject_of(service: str, flow: Services = FLOW) -> str:
    """What reports call a service of ``[[metrics.sources]]``. Raises ConfigError."""
    known = {each.key: each.subject for each in flow.all} | {ORDERS_DB: ORDERS_DB}
    if service not in known:
        raise ConfigError(f"metrics.sources: no service {service!r}{did_you_mean(service, known)}")
    return known[service]


def sources_by_subject(
    metrics: Metrics, flow: Services = FLOW
) -> dict[str, tuple[MetricSource, ...]]:
    """The sources of each subject. Raises ConfigError."""
    found: dict[str, tuple[MetricSource, ...]] = {}
    for source in metrics.sources:
        subject = subject_of(source.service, flow)
        found[subject] = (*found.get(subject, ()), source)
    return found


def wanted(sources: tuple[MetricSource, ...]) -> tuple[Wanted, ...]:
    """Every row of a service's sources. Raises ConfigError for a mapping that there is not."""
    return tuple(row for number, each in enumerate(sources) for row in _wanted(each, number))


def _wanted(source: MetricSource, number: int) -> Iterator[Wanted]:
    own = {row.ours for row in source.rows}
    ready = [(name, row) for name in source.use for row in mapping(name).rows]
    chosen = [(name, row) for name, row in ready if row.ours not in own]
    for origin, row in (*chosen, *(("rows", row) for row in source.rows)):
        if row.ours not in source.without:
            yield Wanted(row, _matchers(source, row, origin), origin, number)


def _matchers(source: MetricSource, row: MetricRow, origin: str) -> tuple[Matcher, ...]:
    if NAMED in row.where and not source.named:
        raise ConfigError(
            f"metrics.sources of {source.service}: {origin} needs named, what Kubernetes calls it"
        )
    asked = parse_matchers(row.where)
    named = (Matcher(m.label, m.op, _filled(m, source.named)) for m in asked)
    return (*named, *parse_matchers(source.where))


def _filled(matcher: Matcher, named: str) -> str:
    return matcher.value.replace(NAMED, re.escape(named) if "~" in matcher.op else named)
