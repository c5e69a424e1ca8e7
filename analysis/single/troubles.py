"""When, at which steps and with which outcomes a rule on latency or errors was broken."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.evidence.requests import QUANTILES, judged_kind
from analysis.evidence.resources import counter_growth
from analysis.evidence.run import Evidence
from analysis.evidence.stretches import Stretch, joined
from analysis.limits.rules import OPERATORS, Rule
from analysis.metrics.case import Case
from analysis.single.incident import Incident
from analysis.statistics.percentiles import maximum, mean, quantile
from analysis.words.units import counted
from analysis.words.values import RuleRow, show
from recording.flow import Services
from recording.histogram import bucket_mid_us, merge
from recording.hlog import Interval, of_requests
from recording.metric_names import HTTP_REQUESTS
from recording.outcomes import is_failure
from recording.profile import JOURNEY

KINDS = ("latency", "errors", "availability")
HALF = 0.5
"""What explains less of what broke a rule does not explain it."""
GAP = 5
"""Blocks of time without a bad request do not part a stretch, up to so many."""
THROUGHOUT = 0.8
"""Of the measured time."""


@dataclass(frozen=True, slots=True)
class Requests:
    """Some of one step and outcome in one interval; ``bad`` of ``n`` broke the rule.

    ``step`` is "" for what a service counted itself.
    """

    stretch: Stretch
    subject: str
    step: str
    outcome: str
    n: float
    bad: float


@dataclass(frozen=True)
class Trouble:
    """A broken rule, with all requests that it looked at."""

    row: RuleRow
    allowed: float
    """Share of requests that may be bad."""
    requests: tuple[Requests, ...]

    @cached_property
    def broken(self) -> tuple[Requests, ...]:
        """Those with any that broke it."""
        return tuple(one for one in self.requests if one.bad)

    @cached_property
    def bad(self) -> float:
        """How many requests broke it."""
        return sum(one.bad for one in self.broken)

    def share(self, flow: Services, found: Iterable[Incident]) -> float:
        """Of what broke it the share that is due to something that happened.

        The attributable fraction (Levin, Acta Unio Int. Contra Cancrum 9, 1953): what broke it
        meanwhile beyond what broke it at the same steps at other times. What is as bad without it
        is not its doing.
        """
        several, tallies = tuple(found), dict[str, _Tally]()
        for one in self.requests:
            if near := [i for i in several if i.reaches(flow, one.subject, one.step)]:
                tallies.setdefault(one.step, _Tally()).add(one, near)
        return sum(tally.due for tally in tallies.values()) / (self.bad or 1.0)

    def is_explained(self, flow: Services, found: Iterable[Incident]) -> bool:
        """Whether most of it did."""
        return self.share(flow, found) >= HALF

    def fit(self, flow: Services, found: Iterable[Incident]) -> float:
        """Of the time for which something was seen that it could feel the share in which it did."""
        several = [i for i in found if any(_could(one, flow, i) for one in self.broken)]
        blocks = joined(one.stretch for one in self.broken)
        whole_s = sum(s.end_s - s.start_s for i in several for s in i.stretches)
        return sum(i.overlap_s(b) for i in several for b in blocks) / whole_s if whole_s else 0.0

    def during(self, flow: Services, found: Iterable[Incident]) -> tuple[Stretch, ...]:
        """When it was broken so."""
        several = tuple(found)
        return _close(one.stretch for one in self.broken if _felt(one, flow, several))

    def stretches(self) -> tuple[Stretch, ...]:
        """When more was bad than may be."""
        blocks: dict[Stretch, list[float]] = {}
        for one in self.requests:
            block = blocks.setdefault(one.stretch, [0.0, 0.0])
            block[0] += one.bad
            block[1] += one.n
        return _close(b for b, (bad, n) in blocks.items() if bad > self.allowed * n)


def _close(blocks: Iterable[Stretch]) -> tuple[Stretch, ...]:
    several = tuple(blocks)
    return joined(several, GAP * max((b.end_s - b.start_s for b in several), default=0.0))


@dataclass
class _Tally:
    """Requests of a step, while something happened and at other times."""

    inside: float = 0.0
    bad_inside: float = 0.0
    outside: float = 0.0
    bad_outside: float = 0.0

    def add(self, one: Requests, near: Sequence[Incident]) -> None:
        """Count some that could have felt it."""
        at = [incident for incident in near if incident.is_at(one.stretch)]
        struck = any(i.strikes(one.subject, one.outcome) for i in at or near)
        bad = one.bad if struck else 0.0
        if at:
            self.inside += one.n
            self.bad_inside += bad
        elif one.step:  # a service counts what it answers: of it only failures are here
            self.outside += one.n
            self.bad_outside += bad

    @property
    def due(self) -> float:
        """How many more broke the rule than would have at other times."""
        usual = self.bad_outside / self.outside if self.outside else 0.0
        return max(0.0, self.bad_inside - self.inside * usual)


def _felt(one: Requests, flow: Services, found: Iterable[Incident]) -> bool:
    return any(i.is_at(one.stretch) and _could(one, flow, i) for i in found)


def _could(one: Requests, flow: Services, incident: Incident) -> bool:
    reached = incident.reaches(flow, one.subject, one.step)
    return reached and incident.strikes(one.subject, one.outcome)


def trouble_of(case: Case, row: RuleRow, rule: Rule) -> Trouble:
    """Of a row on latency or errors that FAILs."""
    subject = row.measurement.subject
    if subject in case.services.subjects and not case.services.steps_of(subject):
        return Trouble(row, 0.0, tuple(_counted(case.evidence, subject)))
    bad = _beyond(rule) if row.kind == "latency" else _failed
    requests = tuple(_requests(case, subject, bad))
    return Trouble(row, _allowed(rule), requests)


def _allowed(rule: Rule) -> float:
    if rule.metric.kind == "availability":
        return 1 - rule.limit / 100
    if rule.metric.unit == "%":
        return rule.limit / 100
    return 1 - QUANTILES.get(rule.metric.name, 1.0)


def _requests(case: Case, subject: str, bad: Callable[[Interval], float]) -> Iterator[Requests]:
    flow = case.services
    for i in intervals_of(case.evidence, subject):
        step, outcome = i.tag.step, i.tag.outcome
        yield Requests(when(i), flow.service_of(step), step, outcome, i.histogram.n, bad(i))


def _failed(interval: Interval) -> float:
    return float(interval.histogram.n if is_failure(interval.tag.outcome) else 0)


def _beyond(rule: Rule) -> Callable[[Interval], float]:
    def bad(interval: Interval) -> float:
        values_ms = bucket_mid_us(interval.histogram.indices) / 1000
        keeps = OPERATORS[rule.op](values_ms, rule.limit)  # type: ignore[arg-type]
        return float(interval.histogram.counts[~keeps].sum())

    return bad


def _counted(evidence: Evidence, subject: str) -> Iterator[Requests]:
    """Its own 5xx answers, between two samples each; of the others no more is asked."""
    for metric in evidence.resources.metrics(subject):
        name, _, status = metric.rpartition("/")
        if name == HTTP_REQUESTS and status.startswith("5"):
            t_s, steps = counter_growth(evidence, subject, metric)
            before_s = np.concatenate((t_s[:1], t_s[:-1]))
            for start_s, end_s, n in zip(before_s, t_s, steps, strict=True):
                if n > 0 and any(a < end_s <= b for a, b in evidence.measured):
                    stretch = Stretch(float(start_s), float(end_s))
                    yield Requests(stretch, subject, "", status, float(n), float(n))


def intervals_of(evidence: Evidence, subject: str) -> Iterator[Interval]:
    """What is judged of a step, a service, or the journey, in the measured phases."""
    steps = evidence.services.steps_of(subject) or (subject,)
    for i in of_requests(evidence.log.intervals, judged_kind(evidence)):
        if (subject == JOURNEY or i.tag.step in steps) and evidence.is_measured(i):
            yield i


def when(interval: Interval) -> Stretch:
    """The time of an interval."""
    return Stretch(interval.start_s, interval.start_s + interval.length_s)


def felt(evidence: Evidence, row: RuleRow, meanwhile: Sequence[Stretch]) -> str:
    """What the same measurement was of the requests of a while: ``p99 2.1 s``; "" without any."""
    subject = row.measurement.subject
    found = [i for i in intervals_of(evidence, subject) if when(i).overlaps(meanwhile)]
    total = sum(i.histogram.n for i in found)
    if not total:
        return ""
    if row.kind != "latency":
        failed = sum(map(_failed, found))
        return f"{failed:,.0f} of {counted(total, 'request')} failed"
    name, value_ms = row.measurement.metric, _value_ms(found, row.measurement.metric)
    return f"{name} {show(value_ms, 'ms')}"


def _value_ms(found: Iterable[Interval], metric: str) -> float:
    one = merge(i.histogram for i in found)
    values_us = bucket_mid_us(one.indices)
    if figure := {"mean": mean, "max": maximum}.get(metric):
        return figure(values_us, one.counts) / 1000
    return quantile(values_us, one.counts, QUANTILES[metric]) / 1000


def in_words(evidence: Evidence, stretches: tuple[Stretch, ...]) -> str:
    """``throughout``, ``between T+20s and T+25s``, or ``in 3 stretches between …``."""
    if not stretches:
        return ""
    lasted_s = sum(one.end_s - one.start_s for one in stretches)
    if lasted_s >= THROUGHOUT * evidence.measured_s:
        return "throughout"
    first, last = evidence.elapsed(stretches[0].start_s), evidence.elapsed(stretches[-1].end_s)
    several = f"in {len(stretches)} stretches " if len(stretches) > 1 else ""
    return f"{several}between {first} and {last}"
