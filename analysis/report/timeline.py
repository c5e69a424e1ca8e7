"""What happened to a service, moment by moment, as far as the recording says it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from analysis.evidence.resources import Pool
from analysis.evidence.run import Evidence
from analysis.forecast.filling import Filling
from analysis.metrics.case import Case
from analysis.report.document import Row, Table, texts
from analysis.words.units import BYTES_PER_MB
from recording.arrays import Floats
from recording.events import GC, OOM_KILLED, SCALED
from recording.metric_names import RSS

_MOST = 10
"""Levels of a series that are told: those of a published one are fewer anyway."""


class Moment(NamedTuple):
    """Seconds since the run's epoch, and what was then."""

    t_s: float
    text: str


def timeline(case: Case, subject: str, kind: str) -> tuple[Moment, ...]:
    """Of what a rule of this kind is about, in order of time."""
    found = [*_events(case.evidence, subject)]
    if kind == "pool":
        found += [m for filling in _fillings(case, subject) for m in _levels_of(filling)]
        found += [m for pool in case.pools.get(subject, ()) for m in _windows(pool)]
    if kind == "memory":
        found += _memory(case.evidence, subject)
    return tuple(sorted(found))


def as_table(evidence: Evidence, moments: Sequence[Moment], title: str) -> Table:
    """A row each."""
    rows = tuple(Row((evidence.elapsed(at.t_s), at.text)) for at in moments)
    return Table((*texts("at", "what"),), rows, title)


def _fillings(case: Case, subject: str) -> Iterator[Filling]:
    """Of pools that ran dry, or climbed."""
    told = case.outlooks.get(subject, ())
    pools = {one.filling.pool for one in told if one.climbs or one.filling.dry_s is not None}
    yield from (one.filling for one in told if one.filling.pool in pools)


def _levels_of(filling: Filling) -> Iterator[Moment]:
    for i in _spread(filling.t_s):
        used, size = filling.used[i], filling.size
        text = f"pool {filling.pool} {filling.percent[i]:.0f} % ({used:,.0f} of {size:,.0f})"
        yield Moment(float(filling.t_s[i]), text)


def _windows(pool: Pool) -> Iterator[Moment]:
    for window in pool.windows:
        text = (
            f"pool {pool.label} exhausted: {window.pool_max:,} connections, at most "
            f"{window.peak_waiting:,} waiting, {window.failures:,} waited in vain"
        )
        yield Moment(window.start_s, text)
        if window.end_s is not None:
            yield Moment(window.end_s, f"pool {pool.label} has connections again")


def _memory(evidence: Evidence, subject: str) -> Iterator[Moment]:
    t_s, rss = evidence.resources.get(subject, RSS)
    inside = t_s <= evidence.load_end_s
    t_s, rss = t_s[inside], rss[inside]
    for i in _spread(t_s):
        yield Moment(float(t_s[i]), f"memory {rss[i] / BYTES_PER_MB:,.0f} MB")


def _spread(t_s: Floats) -> list[int]:
    """Some of the samples, the first and the last among them, evenly spread over the time."""
    if t_s.size <= _MOST:
        return list(range(t_s.size))
    at_s = np.linspace(t_s[0], t_s[-1], _MOST)
    return sorted({int(np.searchsorted(t_s, each)) for each in at_s})


def _events(evidence: Evidence, subject: str) -> Iterator[Moment]:
    for row in evidence.events:
        if row.get("source") == subject and (text := _said(row)):
            yield Moment(float(row["t_s"]), text)


def _said(row: Mapping[str, Any]) -> str:
    name = row.get("event")
    if name == SCALED:
        return f"scaled from {row.get('replicas_before')} to {row.get('replicas_after')} replicas"
    return {GC: "memory collected", OOM_KILLED: "killed for memory", "pod_ready": "pod ready"}.get(
        str(name), ""
    )
