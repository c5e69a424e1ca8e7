"""``[metrics]`` at work: a shop's own pages, its Prometheus, and a look at them before any load."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.sampling.after_load import AfterLoad
from harness.sampling.fold import Folded, Series, fold
from harness.sampling.mapped_page import MappedPages
from harness.sampling.mapping import Wanted, sources_by_subject, wanted
from harness.sampling.prometheus_server import NO_GOOD_ANSWER, PrometheusServer
from recording.access import Access
from recording.durations import format_duration
from recording.errors import ConfigError
from recording.metrics import MetricSource
from recording.profile import Profile

LOOK_BACK_S = 300.0
"""What was scraped so long ago is still shown: five scrapes at the usual interval of a minute."""
SLOWER = 1.5
"""Scraped so many times more seldom than the profile samples is worth a line."""


@dataclass(frozen=True, slots=True)
class ShopMetrics:
    """How each subject of ``[[metrics.sources]]`` is read: pages meanwhile, the rest afterwards."""

    pages: Mapping[str, MappedPages] = field(default_factory=dict)
    after: AfterLoad | None = None

    def others(self, urls: Mapping[str, str]) -> dict[str, str]:
        """Those that have no source, and so their own ``/metrics``."""
        return {s: url for s, url in urls.items() if s not in self.subjects}

    @property
    def subjects(self) -> tuple[str, ...]:
        """Those that have one."""
        return (*self.pages, *(self.after.wanted if self.after else ()))


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What a subject's sources gave before any load; ``problems`` are what is wrong with them."""

    subject: str
    asked: str
    wanted: tuple[Wanted, ...]
    folded: Folded
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[Wanted, ...]:
        """Rows of which nothing was found."""
        names = {n.partition("/")[0] for n in self.folded.told}
        names |= {clash.name.partition("/")[0] for clash in self.folded.clashes}
        return tuple(w for w in self.wanted if w.row.ours not in names)


def shop_metrics(profile: Profile, urls: Mapping[str, str]) -> ShopMetrics:
    """Of services at ``urls``, by subject. Raises ConfigError."""
    pages, asked = {}, {}
    sampling, access = profile.sampling, profile.target.access
    for subject, sources in sources_by_subject(profile.metrics, profile.flow).items():
        if sources[0].page:
            of_page = _pages(subject, sources, urls)
            pages[subject] = MappedPages(of_page, sampling.timeout, access)
        else:
            asked[subject] = wanted(sources)
    every_s, settle_s = sampling.interval, profile.metrics.settle
    after = AfterLoad(_server(profile), asked, every_s, settle_s) if asked else None
    return ShopMetrics(pages, after)


def looks(profile: Profile, urls: Mapping[str, str]) -> Iterator[Look]:
    """Of each subject with sources; in time, whatever they do. Raises ConfigError."""
    found = shop_metrics(profile, urls)
    for subject, pages in found.pages.items():
        yield _look_at_pages(subject, pages)
    if found.after is not None:
        for subject, rows in found.after.wanted.items():
            yield _look_at_server(subject, found.after, rows)


def check_metrics(profile: Profile, urls: Mapping[str, str]) -> None:
    """Raises ConfigError for sources that cannot be read as they are meant."""
    problems = [
        f"{look.subject}: {text}" for look in looks(profile, urls) for text in look.problems
    ]
    if problems:
        raise ConfigError("\n".join(f"metrics.sources of {text}" for text in problems))


def _server(profile: Profile) -> PrometheusServer:
    metrics = profile.metrics
    access = Access(ca_file=profile.target.ca_file)  # it is no service of the target's
    return PrometheusServer(metrics.prometheus, metrics.timeout, access)


def _pages(
    subject: str, sources: Sequence[MetricSource], urls: Mapping[str, str]
) -> dict[str, tuple[Wanted, ...]]:
    found: dict[str, tuple[Wanted, ...]] = {}
    for number, rows in enumerate(_rows_of(tuple(sources))):
        page = sources[number].page
        if page.startswith("/") and subject not in urls:
            raise ConfigError(f"metrics.sources: {subject} is at no url: give page = http://…")
        url = f"{urls[subject]}{page}" if page.startswith("/") else page
        found[url] = (*found.get(url, ()), *rows)
    return found


def _rows_of(sources: tuple[MetricSource, ...]) -> Iterator[tuple[Wanted, ...]]:
    every = wanted(sources)
    for number in range(len(sources)):
        yield tuple(row for row in every if row.source == number)


def _look_at_pages(subject: str, pages: MappedPages) -> Look:
    rows = tuple(row for page in pages.pages.values() for row in page)
    asked = ", ".join(pages.pages)
    try:
        return _look(subject, asked, rows, pages.folded())
    except NO_GOOD_ANSWER as error:
        return Look(subject, asked, rows, Folded({}, ()), (f"{asked} gave no good page: {error}",))


def _look_at_server(subject: str, after: AfterLoad, rows: tuple[Wanted, ...]) -> Look:
    server, every_s = after.server, after.every_s
    try:
        now_s = server.now_s()
        series = [s for w in rows for s in server.series(w, now_s - LOOK_BACK_S, now_s, every_s)]
    except NO_GOOD_ANSWER as error:
        why = f"Prometheus at {server.url} gave no good answer: {error}"
        return Look(subject, server.url, rows, Folded({}, ()), (why,))
    found = fold(series, np.array([now_s]), every_s)
    return _look(subject, server.url, rows, found, tuple(_seldom(series, every_s)))


def _look(
    subject: str, asked: str, rows: tuple[Wanted, ...], found: Folded, notes: tuple[str, ...] = ()
) -> Look:
    problems = [str(clash) for clash in found.clashes]
    if not found.told and not problems:
        problems.append(f"none of its {len(rows)} rows is found at {asked}")
    return Look(subject, asked, rows, found, tuple(problems), notes)


def _seldom(series: Sequence[Series], every_s: float) -> Iterator[str]:
    """That Prometheus scrapes more seldom than the profile samples."""
    gaps = [float(np.median(np.diff(s.t_s))) for s in series if s.t_s.size > 1]
    if gaps and max(gaps) > SLOWER * every_s:
        took, asked = format_duration(max(gaps)), format_duration(every_s)
        yield f"scraped every {took}, sampling.interval is {asked}: nothing shorter shows"
