"""``database``: what the checkout's database says of itself, and how its ledger's commits went.

A PostgreSQL is asked by SQL, over all of the run. A ledger in a file has commits only, as the
service that writes it counts them. What was not said is no data.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import inf, nan

import numpy as np

from analysis.evidence.coverage import stopped, unsaid
from analysis.evidence.orders_db import is_sampled, outages, outages_in_words, owner
from analysis.evidence.pool_series import histogram_quantile
from analysis.evidence.resources import (
    carried,
    counter_growth,
    grown_buckets,
    grown_while_measured,
)
from analysis.evidence.run import Evidence
from analysis.metrics.case import Case
from analysis.metrics.decide import as_measured
from analysis.metrics.metric import Metric
from analysis.words.units import COUNT, LATENCY, PERCENT, Scales
from analysis.words.values import Measurement
from recording.arrays import Floats
from recording.metric_names import (
    COMMIT_BUCKET,
    COMMIT_COUNT,
    DB_COMMITS,
    DB_CONNECTIONS,
    DB_CONNECTIONS_MAX,
    DB_DEADLOCKS,
    DB_LAG,
    DB_LOCKS_WAITING,
    DB_REPLICAS,
    DB_ROLLBACKS,
    DB_SLOW,
    ORDERS_DB,
    UP,
)

SLOW_COMMIT_S = 0.1
"""A tenth of the second that a confirm may take (thresholds.toml)."""
TPS: Scales = {"tps": 1.0}
"""Transactions per second, as pgbench has them."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """``blank`` is the measurement without a value."""

    case: Case
    blank: Measurement

    @property
    def evidence(self) -> Evidence:
        return self.case.evidence

    def series(self, metric: str) -> tuple[Floats, Floats]:
        """What was told; a number below zero says that nobody knows."""
        t_s, values = self.evidence.resources.get(ORDERS_DB, metric)
        return t_s[values >= 0], values[values >= 0]

    def found(self, value: float, n: int, note: str, *metrics: str) -> Measurement:
        """A lower bound where the database left one of the metrics out of samples that it gave."""
        each = (unsaid(self.evidence, ORDERS_DB, [metric]) for metric in metrics)
        gaps = next(filter(None, each), "")
        return replace(self.blank, value=value, n=n, note=gaps or note, at_least=bool(gaps))


Reading = Callable[[_Asked], Measurement]


def _measured(
    case: Case, subject: str, name: str, unit: str, read: Reading
) -> Iterable[Measurement]:
    return (read(_Asked(case, Measurement(subject, name, nan, unit, 0, phase="run"))),)


def _peak(of: _Asked, metric: str, scale: float = 1.0, size: str = "") -> Measurement:
    """The highest value, and when; of a ``size`` as a share of it."""
    t_s, values = of.series(metric)
    most = carried(*of.series(size), t_s) if size else np.full(t_s.size, 1.0)
    use = scale * values / np.where(most > 0, most, nan)
    if not np.isfinite(use).any():
        lacks = size if t_s.size and size else metric
        return replace(of.blank, note=f"no {lacks} was read")
    at = int(np.nanargmax(use))
    what = f"{values[at]:.0f} of {most[at]:.0f} " if size else ""
    note = f"{what}at {of.evidence.elapsed(t_s[at])}" if use[at] else ""
    found = of.found(float(use[at]), t_s.size, note, metric)
    gone = stopped(of.evidence, ORDERS_DB, size) if size else ""
    return replace(found, note=gone, at_least=True) if gone else found


def _grown(of: _Asked, metric: str) -> Measurement:
    """How many there were; the first of them, and who saw it where there are several ways."""
    every = of.evidence.resources.metrics(ORDERS_DB)
    names = [m for m in every if m.partition("/")[0] == metric and of.series(m)[0].size]
    if not names:
        return replace(of.blank, note=f"no {metric} was read")
    total, when = 0.0, inf
    for name in names:
        t_s, steps = counter_growth(of.evidence, ORDERS_DB, name)
        total += float(steps.sum())
        when = min(when, *t_s[steps > 0], inf)
    by = " and ".join(source for name in names if (source := name.partition("/")[2]))
    notes = [f"by {by}"] if by else []
    notes += [f"first at {of.evidence.elapsed(when)}"] if total else []
    n = max(of.series(name)[0].size for name in names)
    return of.found(total, n, ", ".join(notes), *names)  # each way sees what no other does


def _outages(of: _Asked) -> Measurement:
    n = of.series(UP)[0].size
    return replace(of.blank, value=float(len([*outages(of.evidence)])), n=n)


def _commit_rate(of: _Asked) -> Measurement:
    """While measured: the database's own count or, of a ledger in a file, the service's."""
    subject, metric = ORDERS_DB, DB_COMMITS
    if not is_sampled(of.evidence):
        subject, metric = owner(of.case.services), COMMIT_COUNT
    if not of.evidence.resources.get(subject, metric)[0].size or not of.evidence.measured_s:
        return replace(of.blank, note=f"no {metric} was read")
    grown = grown_while_measured(of.evidence, subject, metric)
    rate = grown / of.evidence.measured_s
    found = replace(of.blank, value=rate, n=round(grown), phase="measured", note=f"by {subject}")
    gone = unsaid(of.evidence, subject, [metric]) if metric == DB_COMMITS else ""
    gone = gone or stopped(of.evidence, subject, metric)
    return replace(found, note=gone, at_least=True) if gone else found


def _commits(case: Case) -> Mapping[float, float]:
    """Commits of the run that took no longer than each bound, s."""
    return grown_buckets(case.evidence, owner(case.services), f"{COMMIT_BUCKET}/")


def _commit_p99(of: _Asked) -> Measurement:
    commits = _commits(of.case)
    if not (n := round(commits.get(inf, 0.0))):
        return replace(of.blank, note=f"no {COMMIT_BUCKET} was read")
    bounds = sorted(commits)
    p99 = histogram_quantile(np.array(bounds), np.array([commits[b] for b in bounds]), 0.99)
    gone = stopped(of.evidence, owner(of.case.services), COMMIT_BUCKET)
    note = gone or ("past the last bucket" if p99.at_least else "")
    return replace(of.blank, value=1000 * p99.value, n=n, note=note, at_least=bool(note))


def _slow_commits(of: _Asked) -> Measurement:
    commits = _commits(of.case)
    bound = min((b for b in commits if b >= SLOW_COMMIT_S), default=inf)
    if bound == inf:
        return replace(of.blank, note=f"no {COMMIT_BUCKET} was read")
    slow, n = commits[inf] - commits[bound], round(commits[inf])
    if slow < 0:
        return replace(of.blank, note=f"buckets of {COMMIT_BUCKET} contradict each other")
    gone = stopped(of.evidence, owner(of.case.services), COMMIT_BUCKET)
    note = gone or f"longer than {1000 * bound:g} ms"
    return replace(of.blank, value=float(round(slow)), n=n, note=note, at_least=bool(gone))


def _explained(case: Case, _subject: str, measured: Measurement) -> str:
    gone = outages_in_words(case.evidence)
    return "; ".join(text for text in (measured.note, gone) if text)


def _has_replicas(case: Case) -> bool:
    """Or may have some: one that was watched and did not say."""
    replicas = case.evidence.resources.get(ORDERS_DB, DB_REPLICAS)[1]
    return bool((replicas > 0).any()) or (_by_sql(case) and not replicas.size)


def _has_ledger(case: Case) -> bool:
    names = case.evidence.resources.metrics(owner(case.services))
    return any(name.startswith(COMMIT_BUCKET) for name in names)


def _metric(
    name: str,
    unit: str,
    scales: Scales,
    read: Reading,
    recorded: Callable[[Case], bool],
    *reads: str,
) -> Metric:
    return Metric(
        name, "database", unit, scales,
        of=lambda _services, subject: subject == ORDERS_DB,
        measure=partial(_measured, name=name, unit=unit, read=read),
        decide=as_measured,
        explain=_explained,
        recorded=recorded,
        lacking="no database was watched",
        reads=tuple((series,) for series in reads),
    )  # fmt: skip


def _by_sql(case: Case) -> bool:
    return is_sampled(case.evidence)


METRICS = (
    _metric("connections", "%", PERCENT, partial(
        _peak, metric=DB_CONNECTIONS, scale=100.0, size=DB_CONNECTIONS_MAX),
            _by_sql, DB_CONNECTIONS, DB_CONNECTIONS_MAX),
    _metric("locks_waiting", "", COUNT, partial(_peak, metric=DB_LOCKS_WAITING), _by_sql,
            DB_LOCKS_WAITING),
    _metric("replication_lag", "ms", LATENCY, partial(
        _peak, metric=DB_LAG, scale=1000.0), _has_replicas, DB_LAG, DB_REPLICAS),
    _metric("deadlocks", "", COUNT, partial(_grown, metric=DB_DEADLOCKS), _by_sql, DB_DEADLOCKS),
    _metric("rollbacks", "", COUNT, partial(_grown, metric=DB_ROLLBACKS), _by_sql, DB_ROLLBACKS),
    _metric("slow_statements", "", COUNT, partial(_grown, metric=DB_SLOW), _by_sql, DB_SLOW),
    _metric("outages", "", COUNT, _outages, _by_sql),
    _metric("commit_rate", "tps", TPS, _commit_rate, lambda c: _by_sql(c) or _has_ledger(c),
            DB_COMMITS),
    _metric("commit_p99", "ms", LATENCY, _commit_p99, _has_ledger),
    _metric("slow_commits", "", COUNT, _slow_commits, _has_ledger),
)  # fmt: skip
