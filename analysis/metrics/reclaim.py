"""``reclaim``: what services still hold at the end of the cool-down, over what before the load.

Step 12 of runbook RB-QA-005: compared with the baseline of before, all are to return to normal.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from math import nan

import numpy as np

from analysis.evidence.run import Evidence
from analysis.metrics.case import Case
from analysis.metrics.decide import as_measured
from analysis.metrics.metric import Metric
from analysis.metrics.subjects import is_service
from analysis.words.units import BYTES_PER_MB, COUNT, MEGABYTES
from analysis.words.values import Measurement, show
from recording.durations import format_duration
from recording.events import COOLED_DOWN
from recording.metric_names import POOL_ACTIVE, REPLICAS, RSS

_LEAST = {POOL_ACTIVE: 0.0, REPLICAS: 1.0, RSS: 1.0}
"""Below it a value says that nobody knows."""
_FEWEST = 2
"""Samples at the end: one alone may be any moment's."""
_LATE = 0.75
"""From this share of the cool-down on, the level is the one at its end."""


def _measured(
    case: Case, subject: str, name: str, unit: str, series: str, scale: float
) -> Iterable[Measurement]:
    """What all series of this name have more than before; what one gave back makes up for none."""
    levels = np.array(list(_levels(case.evidence, subject, series))) * scale
    found = Measurement(subject, name, nan, unit, len(levels), phase="cool-down")
    if not case.evidence.events_named(COOLED_DOWN):
        yield replace(found, note="the cool-down was cut short")
        return
    if not levels.size or np.isnan(levels).any():
        yield replace(found, note=f"no {series} before the load and at the end of the cool-down")
        return
    before, after = (show(float(total), unit) for total in levels.sum(axis=0))
    left = np.maximum(levels[:, 1] - levels[:, 0], 0.0).sum()
    note = f"{before} before the load, {after} at the end of the cool-down"
    yield replace(found, value=float(left), note=note)


def _levels(evidence: Evidence, subject: str, series: str) -> Iterator[tuple[float, float]]:
    """Medians before the load and at the end; a replica that came later held nothing before.

    One that is told of no more was taken away, where others like it remain; else nobody knows.
    """
    profile, start_s = evidence.manifest.profile, evidence.load_start_s
    cooldown_s = profile.load.cooldown or 0.0
    late_s = evidence.load_end_s + _LATE * cooldown_s
    expected = (1 - _LATE) * cooldown_s / profile.sampling.interval
    enough = max(_FEWEST, (1 - profile.validity.missing_samples) * expected - 1)
    sampled_s, _ = evidence.resources.get(subject, RSS)
    if not (sampled_s < start_s).any():
        return
    named = [m for m in evidence.resources.metrics(subject) if m.partition("/")[0] == series]
    remain = set()
    for metric in named:
        t_s, values = evidence.resources.get(subject, metric)
        t_s, values = t_s[values >= _LEAST[series]], values[values >= _LEAST[series]]
        early, late = values[t_s < start_s], values[t_s >= late_s]
        if late.size >= enough:
            remain.add(_kind(metric))
            yield float(np.median(early)) if early.size else 0.0, float(np.median(late))
    if remain and {_kind(metric) for metric in named} - remain:
        yield nan, nan


def _kind(metric: str) -> str:
    """Of ``pool_active/locks/0`` what its replicas share."""
    return "/".join(metric.split("/")[:2])


def _explained(case: Case, _subject: str, measured: Measurement) -> str:
    span_s = case.evidence.manifest.profile.load.cooldown or 0.0
    return f"{measured.note} of {format_duration(span_s)}"


def _recorded(case: Case) -> bool:
    """Whether there was a cool-down, or was to be one."""
    planned = case.evidence.manifest.profile.load.cooldown is not None
    return planned or bool(case.evidence.events_named(COOLED_DOWN))


METRICS = tuple(
    Metric(
        name,
        "reclaim",
        unit,
        scales,
        of=is_service,
        measure=partial(_measured, name=name, unit=unit, series=series, scale=scale),
        decide=as_measured,
        explain=_explained,
        recorded=_recorded,
        lacking="this run had no cool-down",
        reads=((series,),),
    )
    for name, unit, scales, series, scale in (
        ("pool_left", "", COUNT, POOL_ACTIVE, 1.0),
        ("replicas_left", "", COUNT, REPLICAS, 1.0),
        ("memory_left", "MB", MEGABYTES, RSS, 1 / BYTES_PER_MB),
    )
)
