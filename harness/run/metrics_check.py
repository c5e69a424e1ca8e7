"""What ``loadgate metrics check`` finds: each service's metrics now, and what stays undecided."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from analysis.limits.thresholds import Thresholds
from analysis.report.document import Document, Lines, Row, Table, numbers, texts
from analysis.words.units import BYTES_PER_MB
from harness.sampling.prometheus import flatten
from harness.sampling.prometheus_server import NO_GOOD_ANSWER
from harness.scene.preflight import check_safety
from harness.scene.scene import METRICS_WITHIN_S, by_subject, target_urls
from harness.scene.shop_metrics import Look, looks
from harness.system.fetch import fetch
from recording.errors import ConfigError
from recording.metric_names import STARTED
from recording.profile import Profile

_PART = re.compile(r"_(?:bucket|sum|count)($|[{ ])")
_WORD = {"one": "", "sum": ", added up", "max": ", the largest"}


@dataclass(frozen=True, slots=True)
class FoundMetric:
    """One of our names, theirs, and its value now, in our unit."""

    ours: str
    theirs: str
    value: float


@dataclass(frozen=True, slots=True)
class Undecided:
    """A rule that these metrics do not decide; ``required``: a PASS needs it."""

    rule: str
    because: str
    required: bool


@dataclass(frozen=True, slots=True)
class ServiceCheck:
    """Of one service: who was asked, what there is, what is not, and what is wrong."""

    subject: str
    asked: str
    found: tuple[FoundMetric, ...]
    missing: Mapping[str, str]
    undecided: tuple[Undecided, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def check_services(profile: Profile, limits: Thresholds) -> tuple[ServiceCheck, ...]:
    """Each that the profile names. Raises ConfigError, and RefusedError for a host."""
    check_safety(profile)
    urls = by_subject(target_urls(profile), profile.flow) if profile.target.reached else {}
    if not urls and not profile.metrics.sources:
        raise ConfigError(
            f"profile {profile.name} has neither [target] nor [metrics]: the run starts these "
            "services itself, and they export our own names"
        )
    own = [_of_look(profile, limits, look) for look in looks(profile, urls)]
    others = {s: url for s, url in urls.items() if s not in {each.subject for each in own}}
    return (*own, *(_of_page(profile, limits, *item) for item in others.items()))


def _of_look(profile: Profile, limits: Thresholds, look: Look) -> ServiceCheck:
    found = tuple(
        FoundMetric(name, f"{told.wanted.row.theirs or told.wanted.row.promql}{_several(told)}",
                    float(told.values[0]))
        for name, told in look.folded.told.items()
    )  # fmt: skip
    missing = {w.row.ours: w.query for w in look.missing}
    undecided = tuple(_undecided(profile, limits, look.subject, found))
    parts = (found, missing, undecided, look.problems, look.notes)
    return ServiceCheck(look.subject, look.asked, *parts)


def _several(told: Any) -> str:
    row = told.wanted.row
    how = _WORD[row.replicas] or _WORD[row.together]
    return f" ({told.series} series{how})" if told.series > 1 else ""


def _of_page(profile: Profile, limits: Thresholds, subject: str, url: str) -> ServiceCheck:
    """Of a service without sources, which may export our own names."""
    asked, problems = f"{url}/metrics", ()
    try:
        page = fetch(asked, METRICS_WITHIN_S, profile.target.access)
        values = dict(flatten(page.text)) if page.ok else {}
        note = "" if values else "exports none of our names here, and no [[metrics.sources]] is its"
    except NO_GOOD_ANSWER as error:
        values, note = {}, f"no good answer: {error}"
    found = tuple(FoundMetric(name, name.partition("/")[0], v) for name, v in values.items())
    undecided = tuple(_undecided(profile, limits, subject, found))
    return ServiceCheck(subject, asked, found, {}, undecided, problems, (note,) if note else ())


def _undecided(
    profile: Profile, limits: Thresholds, subject: str, found: Sequence[FoundMetric]
) -> Iterator[Undecided]:
    there = {each.ours.partition("/")[0] for each in found}
    for of, rule in limits:
        lacks = [" or ".join(one) for one in rule.metric.reads if not there.intersection(one)]
        if of == subject and lacks:
            required = profile.judge.requires(subject, rule.metric.kind)
            yield Undecided(str(rule), f"no {', no '.join(lacks)}", required)


def to_json(checks: Sequence[ServiceCheck]) -> list[dict[str, Any]]:
    """For programs."""
    return [asdict(check) for check in checks]


def checks_document(checks: Sequence[ServiceCheck]) -> Document:
    """For a screen."""
    found = tuple(
        Row((f"{check.subject} at {check.asked}", *cells))
        for check in checks
        for cells in (*_found(check), *_missing(check))
    )
    undecided = tuple(
        Row((check.subject, each.rule, each.because, "needed" if each.required else ""))
        for check in checks
        for each in check.undecided
    )
    notes = tuple(f"{check.subject}: {note}" for check in checks for note in check.notes)
    values = (*texts("service", "ours", "theirs"), *numbers("now"))
    rules = texts("service", "not decided", "because there is", "PASS")
    tables = Table(values, found, grouped=True), Table((*rules,), undecided, grouped=True)
    return Document((*tables, Lines(notes, tone="note")))


def _found(check: ServiceCheck) -> Iterator[tuple[str, str, str]]:
    """Of a histogram one row, by its count."""
    names = {_family(each.ours) for each in check.found if _is_bucket(each.ours)}
    for each in check.found:
        if each.ours.partition("/")[0].endswith(("_bucket", "_sum")):
            continue
        ours, shown = each.ours, _shown(each.ours, each.value)
        if _family(ours) != ours:
            shown += "" if _family(ours) in names else ", no buckets"
        yield _family(ours).replace("/", " "), _family(each.theirs), shown


def _missing(check: ServiceCheck) -> Iterator[tuple[str, str, str]]:
    there = {_family(each.ours.partition("/")[0]) for each in check.found}
    rows = {_family(ours): _family(theirs) for ours, theirs in check.missing.items()}
    for ours, theirs in rows.items():
        if ours not in there:
            yield ours, theirs.partition("{")[0], "not found"


def _is_bucket(ours: str) -> bool:
    return ours.partition("/")[0].endswith("_bucket")


def _family(name: str) -> str:
    """Without what tells the parts of a histogram apart: its suffix, and the bound of a bucket."""
    metric, slash, labels = name.partition("/")
    if metric.endswith("_bucket"):
        labels = labels.rpartition("/")[0]
        slash = "/" if labels else ""
    return _PART.sub(r"\1", metric) + slash + labels


def _shown(ours: str, value: float) -> str:
    name = ours.partition("/")[0]
    if name == STARTED:
        return f"{datetime.fromtimestamp(value, UTC):%d %b %H:%MZ}"
    if name.endswith("_bytes"):
        return f"{value / BYTES_PER_MB:,.1f} MB"
    if name.endswith("_ratio"):
        return f"{100 * value:.3g} %"
    unit = " s" if name.endswith(("_seconds", "_seconds_total")) else ""
    return f"{value:,.6g}{unit}"
