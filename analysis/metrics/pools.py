"""``pool``: exhaustion, utilization, waits and timeouts of a service's connection pools.

What a pool does not say is not zero: without any pool that says it the value is nan, and else
``at_least``, with why.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf, isnan, nan

import numpy as np
import orjson

from analysis.evidence.coverage import stopped, stopped_s, unsaid
from analysis.evidence.pool_series import BucketQuantile, histogram_quantile
from analysis.evidence.resources import Pool, grown_buckets, named
from analysis.evidence.run import Evidence
from analysis.metrics.case import Case
from analysis.metrics.decide import as_measured
from analysis.metrics.metric import Metric
from analysis.metrics.subjects import is_service
from analysis.words.units import COUNT, LATENCY, PERCENT, and_more
from analysis.words.values import Measurement
from recording.events import POOL_EXHAUSTED
from recording.metric_names import (
    POOL_ACQUIRE_BUCKET,
    POOL_ACTIVE,
    POOL_MAX,
    POOL_TIMEOUTS,
    POOL_WAITING,
)

BRIEF_WAIT_S = 0.05
"""Longer than it takes to open a connection (TCP, TLS and a login in one data centre: 10 to 40 ms):
who waited longer, waited for somebody else's."""


@dataclass(frozen=True, slots=True)
class _Pools:
    """What a metric of a service's pools looks at; ``blank`` is its measurement without a value."""

    blank: Measurement
    pools: list[Pool]
    evidence: Evidence


Reading = Callable[[_Pools], Measurement]


def _measured(
    case: Case, subject: str, name: str, unit: str, read: Reading
) -> Iterable[Measurement]:
    pools = case.pools[subject]
    n = sum(len(pool.series.t_s) for pool in pools)
    blank = Measurement(subject, name, nan, unit, n, phase="run")
    if not n:
        return (replace(blank, note=f"no {POOL_ACTIVE} is exported"),)
    found = read(_Pools(blank, pools, case.evidence))
    if found.at_least or isnan(found.value) or not (why := left_out(case.evidence, subject)):
        return (found,)
    return (replace(found, note=why, at_least=True),)


def left_out(evidence: Evidence, subject: str) -> str:
    """That a service has a pool of which it does not say how full it is, or says it of none at
    first; "" where neither is so.
    """
    metrics = evidence.resources.metrics(subject)
    told: dict[str, set[str]] = {}
    for name, _, label in (metric.partition("/") for metric in metrics):
        told.setdefault(name, set()).add(label)
    known = told.get(POOL_ACTIVE, set())
    others = set[str]().union(*(told.get(n, ()) for n in (POOL_MAX, POOL_WAITING, POOL_TIMEOUTS)))
    whole = {f"{label}/" for label in known}
    if silent := sorted(o for o in others if not any(_of_one(f"{o}/", label) for label in whole)):
        return f"pool {silent[0]}: no {POOL_ACTIVE} is exported"
    names = [named(POOL_ACTIVE, label) for label in sorted(known)]
    return unsaid(evidence, subject, names, may_begin_late=True)


def _of_one(label: str, other: str) -> bool:
    """Whether one of them is the other, or that of all its replicas."""
    return label.startswith(other) or other.startswith(label)


def _exhausted_windows(of: _Pools) -> Measurement:
    """A lower bound where callers may have gone without a connection unseen, or surely did."""
    total = float(sum(len(pool.windows) for pool in of.pools))
    unseen = []
    for pool in of.pools:
        brief = "" if pool.windows else brief_waits(of.evidence, pool)
        if why := pool.unseen or pool.series.blind_to or brief:
            unseen.append(f"pool {pool.label}: {why}")
    if not unseen:
        return replace(of.blank, value=total)
    return replace(of.blank, value=total or nan, note="; ".join(unseen), at_least=True)


def brief_waits(evidence: Evidence, pool: Pool) -> str:
    """That callers waited for a connection between two samples; "" where none did, or none says."""
    buckets = _acquire_buckets(evidence, [pool])
    bound = min((b for b in buckets if b >= BRIEF_WAIT_S), default=inf)
    waits = buckets.get(inf, 0.0) - buckets.get(bound, 0.0)
    if waits < 1:
        return ""
    return (
        f"{waits:.0f} callers waited longer than {1000 * bound:g} ms for a connection, "
        "between the samples"
    )


def longest_wait_s(evidence: Evidence, pools: Sequence[Pool]) -> float:
    """How long at least one caller waited for a connection, by the bounds of the buckets, s."""
    buckets = _acquire_buckets(evidence, pools)
    total = buckets.get(inf, 0.0)
    return max((bound for bound, n in buckets.items() if total - n >= 1), default=0.0)


def acquire_wait(evidence: Evidence, pools: list[Pool], q: float) -> BucketQuantile | None:
    """Quantile of the wait for a connection, s, over all pools; None where they do not say."""
    bounds = _acquire_buckets(evidence, pools)
    if inf not in bounds or len(bounds) < 2:
        return None
    ordered = sorted(bounds)
    grown = np.array([bounds[bound] for bound in ordered])
    return histogram_quantile(np.array(ordered), grown, q)


def _acquire_wait_p99(of: _Pools) -> Measurement:
    """Over the run, all pools of a service together.

    Its samples are the callers who got a connection, or waited for one in vain.
    """
    wait = acquire_wait(of.evidence, of.pools, 0.99)
    if wait is None:
        return of.blank
    unseen = {p.label: p.unseen or _waits_unseen(of.evidence, p) for p in of.pools}
    notes = [f"pool {label}: {why}" for label, why in unseen.items() if why]
    notes += ["past the last bucket"] if wait.at_least else []
    callers = _acquire_buckets(of.evidence, of.pools)[inf]
    found = replace(of.blank, value=1000 * wait.value, n=round(callers))
    return replace(found, note="; ".join(notes), at_least=bool(notes))


def _waits_unseen(evidence: Evidence, pool: Pool) -> str:
    """That a pool was seen, and how long its callers waited no more; "" where both were."""
    metric = named(POOL_ACQUIRE_BUCKET, pool.label)
    is_there = (pool.series.t_s >= stopped_s(evidence, pool.subject, metric)).any()
    return stopped(evidence, pool.subject, metric) if is_there else ""


def _acquire_buckets(evidence: Evidence, pools: Sequence[Pool]) -> dict[float, float]:
    """How many callers waited no longer than each bound (s) during the run."""
    bounds: dict[float, float] = {}
    for pool in pools:
        prefix = named(POOL_ACQUIRE_BUCKET, pool.label) + "/"
        for bound, grown in grown_buckets(evidence, pool.subject, prefix).items():
            bounds[bound] = bounds.get(bound, 0.0) + grown
    return bounds


def _use(of: _Pools, field: str, behind: str, lacks: str, *, added_up: bool = False) -> Measurement:
    """One number of all pools, added up or that of the worst.

    A lower bound where a pool left out the series ``behind`` it; no data where all did.
    """
    uses = {pool.label: float(getattr(pool.series, field)) for pool in of.pools}
    known = {label: value for label, value in uses.items() if not isnan(value)}
    if not known:
        return replace(of.blank, note=lacks)
    worst = max(known, key=lambda label: known[label])
    found = replace(of.blank, value=known[worst], note=f"peak of {worst}")
    if added_up:
        found = replace(of.blank, value=sum(known.values()))
    silent = [p for p in of.pools if p.unseen or np.isnan(getattr(p.series, behind)).any()]
    if not silent:
        return found
    why = (f"pool {pool.label}: {pool.unseen or f'{lacks} in some samples'}" for pool in silent)
    return replace(found, note="; ".join(why), at_least=True)


def windows_in_words(case: Case, subject: str) -> str:
    """When its pools were exhausted, and how badly; "" where they never were."""
    found = [(pool, window) for pool in case.pools[subject] for window in pool.windows]
    elapsed = case.evidence.elapsed
    texts = []
    for pool, window in sorted(found, key=lambda pair: pair[1].start_s)[:3]:
        end = elapsed(window.end_s) if window.end_s is not None else "the end"
        texts.append(
            f"pool {pool.label} ({window.pool_max or '?'} connections) exhausted "
            f"{elapsed(window.start_s)} to {end}, {window.failures} waits timed out, "
            f"at most {window.peak_waiting} waiting"
        )
    return "; ".join(texts) + and_more(len(found), "exhaustion", shown=3)


def exhaustion(case: Case, subject: str) -> str:
    """When they were, and the first answer that said so, with its body."""
    return "; ".join(filter(None, (windows_in_words(case, subject), *first_refusal(case, subject))))


def first_refusal(case: Case, subject: str) -> tuple[str, ...]:
    """The first answer of a service that its pool is exhausted; none where nobody kept it."""
    for row in case.evidence.events_named(POOL_EXHAUSTED):
        if row.get("source") == subject:
            body = row.get("body")
            body = body if isinstance(body, str) else orjson.dumps(body).decode()
            return (f"first refusal by the pool ({row.get('request_id')}): {body}",)
    return ()


def _metric(
    name: str, unit: str, scales: Mapping[str, float], read: Reading, *reads: str
) -> Metric:
    return Metric(
        name,
        "pool",
        unit,
        scales,
        of=is_service,
        measure=partial(_measured, name=name, unit=unit, read=read),
        decide=as_measured,
        explain=lambda case, subject, _measured: exhaustion(case, subject),
        reads=tuple((series,) for series in (POOL_ACTIVE, *reads)),
    )


METRICS = (
    _metric("exhausted_windows", "", COUNT, _exhausted_windows, POOL_WAITING, POOL_TIMEOUTS),
    _metric("utilization", "%", PERCENT, partial(
        _use, field="utilization_peak_percent", behind="size",
        lacks=f"no {POOL_MAX}, or an unlimited one",
    ), POOL_MAX),
    _metric("timeouts", "", COUNT, partial(
        _use, field="timeouts", behind="timeouts_total", lacks=f"no {POOL_TIMEOUTS}", added_up=True,
    ), POOL_TIMEOUTS),
    _metric("acquire_wait_p99", "ms", LATENCY, _acquire_wait_p99, POOL_ACQUIRE_BUCKET),
    _metric("peak_waiting", "", COUNT, partial(
        _use, field="peak_waiting", behind="waiting", lacks=f"no {POOL_WAITING}",
    ), POOL_WAITING),
)  # fmt: skip
