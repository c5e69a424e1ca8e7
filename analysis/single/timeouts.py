"""Timeouts that fight each other: callers give up before the pool that they wait for does.

The pool then counts no timeouts, and the service that has it no failures, while its callers fail;
what becomes free goes to callers who have left.
"""

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from math import isnan, nan

import numpy as np

from analysis.evidence.resources import Pool, counter_growth, named
from analysis.evidence.run import Evidence
from analysis.evidence.stretches import Stretch
from analysis.metrics.case import Case
from analysis.metrics.pools import longest_wait_s
from analysis.single.incident import short
from analysis.single.outages import began_s, quoted
from analysis.statistics.percentiles import quantile
from analysis.words.units import counted
from recording.durations import format_duration
from recording.histogram import Histogram, bucket_mid_us, merge
from recording.hlog import of_requests
from recording.metric_names import POOL_ABANDONED, POOL_WAIT_TIMEOUT
from recording.outcomes import OK, TIMEOUT, UNAVAILABLE

GAVE_UP = frozenset({TIMEOUT, UNAVAILABLE, "gateway_timeout"})
"""Outcomes of a step whose service had waited for another one in vain."""
FEWEST = 3
AT_ONE_TIME = 1.25
"""The 90th percentile of how long they took, as a multiple of the 10th: a deadline, no chance."""
SETTING = "wait_timeout_s"
"""How keys of ``[services.*]`` end that say how long a pool lets callers wait."""
_WITHIN = re.compile(r"\bwithin (\d{1,6}(?:\.\d{1,6})?) ?(ms|s)\b")


@dataclass(frozen=True, slots=True)
class Conflict:
    """The end of a cause's name, with both numbers, and what shows it."""

    name: str
    evidence: tuple[str, ...]


def conflict(
    case: Case, subject: str, near: Sequence[Stretch], pools: Sequence[Pool]
) -> Conflict | None:
    """Of a service whose pools were dry about then; None where nobody gave up before the pool did,
    or nobody says how long it waits.
    """
    evidence, flow = case.evidence, case.services
    steps = [step for step in flow.steps if subject in flow.reached_from(step)]
    failed = _took(evidence, steps, GAVE_UP, near)
    usual = _took(evidence, steps, {OK}, (Stretch(0.0, evidence.end_s),))
    waits_s, until = _pool_waits(evidence, subject, pools)
    took_s = _deadline_s(failed)
    if isnan(took_s) or (usual.n and took_s <= _quantile_s(usual, 0.5)):
        return None
    gives_up_s, said = _attempt(evidence, steps, near) or (took_s, "")
    if not gives_up_s < waits_s:
        return None
    callers = ", ".join(dict.fromkeys(short(flow.service_of(step)) for step in steps))
    fails = f"{callers} fails after {format_duration(took_s)}"
    names = f"{counted(failed.n, 'caller')} gave up after {format_duration(gives_up_s)}"
    return Conflict(
        f"; {names}, the pool keeps them waiting for {until}",
        (f"{fails} ({said})" if said else fails, *_at_the_pools(evidence, pools, near)),
    )


def _pool_waits(evidence: Evidence, subject: str, pools: Sequence[Pool]) -> tuple[float, str]:
    """How long it lets callers wait, s, and in words, by what it exports or was told; else by the
    longest that one of them has waited for a connection.
    """
    told = (evidence.resources.get(subject, named(POOL_WAIT_TIMEOUT, p.label))[1] for p in pools)
    exported = [float(values[-1]) for values in told if values.size]
    known = exported or [*_settings(evidence, subject)]
    if known:
        return min(known), format_duration(min(known))
    longest_s = longest_wait_s(evidence, pools)
    return longest_s, f"{format_duration(longest_s)} or more"


def _settings(evidence: Evidence, subject: str) -> Iterator[float]:
    told = evidence.manifest.profile.services
    for key in (service.key for service in evidence.services.all if service.subject == subject):
        for name, value in told.get(key, {}).items():
            if name.endswith(SETTING) and isinstance(value, int | float):
                yield float(value)


def _took(
    evidence: Evidence, steps: Sequence[str], outcomes: Container[str], near: Sequence[Stretch]
) -> Histogram:
    """How long requests took that began about then and came out so."""
    return merge(
        i.histogram
        for i in of_requests(evidence.log.intervals)
        if i.tag.step in steps
        and i.tag.outcome in outcomes
        and Stretch(i.start_s, i.start_s + i.length_s).overlaps(near)
    )


def _deadline_s(failed: Histogram) -> float:
    """The one time after which they ended; nan where there is none."""
    if failed.n < FEWEST:
        return nan
    low, middle, high = (_quantile_s(failed, q) for q in (0.1, 0.5, 0.9))
    return middle if high <= AT_ONE_TIME * low else nan


def _quantile_s(of: Histogram, q: float) -> float:
    return quantile(bucket_mid_us(of.indices), of.counts, q) / 1e6


def _attempt(
    evidence: Evidence, steps: Sequence[str], near: Sequence[Stretch]
) -> tuple[float, str] | None:
    """How long one attempt of a caller waits, s, by the words of an answer; None if none says."""
    for row in evidence.exemplars:
        if row.get("step") in steps and row.get("outcome") in GAVE_UP:
            began, body = began_s(row), str(row.get("body", ""))
            found = _WITHIN.search(body)
            if found and Stretch(began, began).overlaps(near):
                return float(found[1]) / (1000 if found[2] == "ms" else 1), quoted(body)
    return None


def _at_the_pools(
    evidence: Evidence, pools: Sequence[Pool], near: Sequence[Stretch]
) -> Iterator[str]:
    timed_out = sum(window.failures for pool in pools for window in pool.windows)
    yield f"{counted(timed_out, 'wait')} timed out at the pool"
    left = sum(_abandoned(evidence, pool, near) for pool in pools)
    if left >= 1:
        yield f"{counted(round(left), 'connection')} went to callers who had left"


def _abandoned(evidence: Evidence, pool: Pool, near: Sequence[Stretch]) -> float:
    t_s, steps = counter_growth(evidence, pool.subject, named(POOL_ABANDONED, pool.label))
    inside = np.zeros(t_s.size, bool)
    for stretch in near:
        inside |= (t_s >= stretch.start_s) & (t_s <= stretch.end_s)
    return float(steps[inside].sum())
