"""Alert rules for Prometheus: thresholds.toml, the runbook's table, what spoils a run."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any

import yaml

from analysis.limits.rules import Rule
from analysis.limits.thresholds import Thresholds
from harness.observe import names
from harness.observe.promql import MEMORY_WINDOW, InexpressibleError, breach_of
from recording.events import OOM_KILLED, WORKER_LOST
from recording.flow import FLOW
from recording.metric_names import HTTP_REQUESTS, OOM_EVENTS

WINDOW = "5m"
"""Over which SLA rules are asked while a run goes on."""
_SLA_FOR = "1m"
"""One scrape that looks bad is no breach."""
_LINE_CHARS = 100
RUNBOOK = "RB-QA-005"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alerting rule; ``hold`` is how long it must be true (Prometheus' ``for``)."""

    name: str
    expr: str
    severity: str
    summary: str
    hold: str = "0s"
    labels: dict[str, str] = field(default_factory=dict)
    runbook: str = ""

    def to_yaml(self) -> dict[str, Any]:
        """As Prometheus reads it."""
        notes = {"summary": self.summary} | ({"runbook": self.runbook} if self.runbook else {})
        return {
            "alert": self.name,
            "expr": self.expr,
            "for": self.hold,
            "labels": {"severity": self.severity, **self.labels},
            "annotations": notes,
        }


@dataclass(frozen=True, slots=True)
class Untold:
    """A rule that no alert stands for, and why."""

    rule: str
    because: str


def rules_text(limits: Thresholds) -> str:
    """The file: what it does not watch as comments, then the groups."""
    alerts, untold = sla_alerts(limits)
    groups = {
        "loadgate-sla": alerts,
        f"loadgate-runbook-{RUNBOOK.lower()}": runbook_alerts(),
        "loadgate-evidence": (*evidence_alerts(), *silence_alerts(limits)),
    }
    head = [
        "Alerts while a load test runs. Made by: loadgate rules prometheus",
        "An alert looks at the last minutes; the verdict is the judge's, over the whole run.",
        "Services are told apart by the label `service`: docs/observability.md.",
        "",
        *_as_comments(untold),
    ]
    table = {"groups": [{"name": name, "rules": [each.to_yaml() for each in found]}
                        for name, found in groups.items() if found]}  # fmt: skip
    comments = "".join(f"# {line}".rstrip() + "\n" for line in head)
    return comments + yaml.safe_dump(table, sort_keys=False, width=_LINE_CHARS, allow_unicode=True)


def _as_comments(untold: Iterable[Untold]) -> Iterator[str]:
    """By reason, each rule on a line of its own."""
    for because, found in groupby(untold, key=attrgetter("because")):
        yield f"Not watched, only judged ({because}):"
        yield from (f"  {each.rule}" for each in found)


def sla_alerts(limits: Thresholds) -> tuple[list[Alert], list[Untold]]:
    """Of every rule in the file one or the other."""
    alerts, untold = _alerts_of(limits)
    if limits.regression is not None:
        why = "compares two revisions round by round: loadgate gate"
        untold.append(Untold("[regression]", why))
    return alerts, untold


def _alerts_of(rules: Iterable[tuple[str, Rule]]) -> tuple[list[Alert], list[Untold]]:
    alerts: list[Alert] = []
    untold: list[Untold] = []
    for subject, rule in rules:
        try:
            alerts.append(alert_of(subject, rule, breach_of(subject, rule, WINDOW)))
        except InexpressibleError as reason:
            untold.append(Untold(f"[{subject}] {rule}", str(reason)))
    return alerts, untold


def alert_of(subject: str, rule: Rule, expr: str) -> Alert:
    """The alert of one rule, whose breach is ``expr``."""
    metric = rule.metric
    shown = f'{{{{ $value | printf "%.4g" }}}} {metric.unit or "seen"}'
    return Alert(
        name=_camel(subject) + _camel(metric.name),
        expr=expr,
        severity="warning",
        summary=f"{subject}{_place(expr)}: {rule} does not hold: {shown}",
        hold=_hold(rule),
        labels={"subject": subject, "rule": rule.text},
    )


def _place(expr: str) -> str:
    """Which of the subject's steps or pools it is."""
    if "step)" in expr:
        return ", {{ $labels.step }}"
    return ", pool {{ $labels.pool }} {{ $labels.replica }}" if "connection_pool_" in expr else ""


def _hold(rule: Rule) -> str:
    """What is counted, and may never be, is told at once."""
    if rule.metric.name in ("slope", "time_to_limit"):
        return MEMORY_WINDOW
    return _SLA_FOR if rule.metric.unit else "0s"


def _camel(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[\W_]+", name))


def runbook_alerts() -> Iterator[Alert]:
    """Appendix C, "Alert thresholds during load test (modified from production)"."""
    took = f"sum by (le, service) (rate({names.DURATION}_bucket[1m]))"
    own = "sum by (le, service) (rate(http_request_duration_seconds_bucket[1m]))"
    yield Alert(
        "RunbookP99",
        f"1000 * histogram_quantile(0.99, {took}) > 2000 or "
        f"1000 * histogram_quantile(0.99, {own}) > 2000",
        "critical",
        '{{ $labels.service }}: p99 {{ $value | printf "%.0f" }} ms',
        runbook=f"{RUNBOOK}: p99 > 2000ms for any service: investigate immediately",
    )
    own_failed = f'{HTTP_REQUESTS}{{status=~"5.."}}'
    yield Alert(
        "RunbookErrorRate",
        f"{_share(names.FAILED, names.REQUESTS)} > 1 or {_share(own_failed, HTTP_REQUESTS)} > 1",
        "critical",
        '{{ $labels.service }}: {{ $value | printf "%.2f" }} % of requests fail',
        runbook=f"{RUNBOOK}: Error rate > 1% for any service: pause test and investigate",
    )
    yield Alert(
        "RunbookDatabaseIops",
        "aws_rds_read_iops_average + aws_rds_write_iops_average > 18000",
        "warning",
        '{{ $labels.dbinstance_identifier }}: {{ $value | printf "%.0f" }} of 20000 IOPS',
        runbook=f"{RUNBOOK}: Database IOPS > 18,000 (90% capacity): prepare to pause test",
    )
    yield Alert(
        "RunbookOomKilled",
        f'increase({OOM_EVENTS}[{WINDOW}]) > 0 or {names.EVENTS}{{event="{OOM_KILLED}"}} > 0',
        "critical",
        "{{ or $labels.service $labels.source }} was killed for memory",
        runbook=f"{RUNBOOK}: Any service OOMKilled: pause test, increase limits, restart",
    )


def _share(failed: str, of: str) -> str:
    """Percent of the requests of each service."""
    rates = (f"sum by (service) (rate({each}[1m]))" for each in (failed, of))
    return "100 * " + " / ".join(rates)


def _quantile(q: float, metric: str) -> str:
    return f"histogram_quantile({q:g}, sum by (le) (rate({metric}_bucket[1m])))"


def evidence_alerts() -> Iterator[Alert]:
    """What makes a run INVALID and can be seen while it lasts; limits are the profile's."""
    # The least of the distortion is the way to services at urls (analysis/evidence/distance.py).
    beyond = f"({_quantile(0.99, names.DISTORTION)} - {_quantile(0.01, names.DISTORTION)})"
    late = _quantile(0.99, names.LAG)
    for value, check in ((beyond, "distortion_p99"), (late, "generator_lag_p99")):
        yield Alert(
            f"Run{_camel(check)}",
            f'{value} > on () {names.VALIDITY_LIMIT}{{check="{check}"}}',
            "warning",
            f'{check}: {{{{ $value | printf "%.3f" }}}} s; the run may be no evidence',
            hold="30s",
        )
    yield Alert(
        "RunWorkerLost",
        f'{names.EVENTS}{{event="{WORKER_LOST}"}} > 0',
        "warning",
        "a Locust worker is lost; the run may be no evidence",
    )


def silence_alerts(limits: Thresholds) -> Iterator[Alert]:
    """A service that is not scraped breaks no rule above; that must not look like health."""
    for subject in filter(FLOW.subjects.__contains__, limits.rules):
        yield Alert(
            f"{_camel(subject)}NotScraped",
            f'absent(up{{service="{subject}"}} == 1) and on () {names.INFO}',
            "warning",
            f"{subject} gives no metrics: its alerts cannot fire",
            hold="1m",
            labels={"subject": subject},
        )
