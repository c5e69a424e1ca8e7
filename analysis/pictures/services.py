"""What the services said of themselves: pools, memory, CPU, replicas."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import isfinite

import numpy as np

from analysis.evidence.memory import ServiceMemory
from analysis.memory.judge import MemoryClass, MemoryVerdict, Segment
from analysis.pictures.canvas import Canvas
from analysis.report.chart import Chart, Curve, Limit
from analysis.words.units import BYTES_PER_MB
from analysis.words.values import show
from recording.arrays import Floats
from recording.metric_names import CPU, REPLICAS, RSS
from recording.story import Story

_AT_REST = (MemoryClass.STABLE, MemoryClass.WARMING_UP)
TOLD = 0.1
"""Of the whole: a shorter stretch of memory has no slope worth a line."""
_CPU_POINTS = 300
"""A rate needs a while to be one."""


def pools(canvas: Canvas) -> Iterator[Chart]:
    """Connections in use and callers who wait, of every pool."""
    for subject, found in canvas.case.pools.items():
        for pool in found:
            series = pool.series
            of = {"in use": series.active, "size": series.size, "waiting": series.waiting}
            curves = [canvas.curve(name, series.t_s, y) for name, y in of.items()]
            title = f"{subject} {pool.label}".strip()
            yield from canvas.over_time(title, "connections", curves, "Connection pools")


def replicas(canvas: Canvas) -> Iterator[Chart]:
    """How many there were of each service whose number changed."""
    resources = canvas.case.evidence.resources
    found = {subject: resources.get(subject, REPLICAS) for subject in resources.subjects(REPLICAS)}
    curves = [canvas.curve(name, *series) for name, series in found.items() if np.ptp(series[1])]
    yield from canvas.over_time("Replicas", "replicas", curves, "Connection pools")


def memory(canvas: Canvas) -> Iterator[Chart]:
    """Resident memory with the slopes that were fitted to it, and its limit."""
    for subject, found in canvas.case.memory.items():
        t_s, rss = canvas.case.evidence.resources.get(subject, RSS)
        curves = [canvas.curve("resident", t_s, rss / BYTES_PER_MB)]
        x, mb = canvas.since_load(t_s), rss / BYTES_PER_MB
        story = canvas.case.evidence.story
        curves += [_fitted(segment, x, mb, story) for segment in _told(grown(found.verdict))]
        limits = _memory_limit(found)
        yield from canvas.over_time(subject, "MB", curves, "Memory", limits)


def _memory_limit(found: ServiceMemory) -> tuple[Limit, ...]:
    return (
        () if found.limit_mb is None else (Limit(found.limit_mb, f"limit {found.limit_mb:.0f} MB"),)
    )


def grown(verdict: MemoryVerdict) -> tuple[Segment, ...]:
    """Stretches with the slopes that the verdict rests on; none of memory that is at rest.

    Of one stretch that is the verdict's own, which leaves a warm-up out.
    """
    if verdict.class_ in _AT_REST or not isfinite(verdict.slope_mb_per_h):
        return ()
    if len(verdict.segments) != 1:
        return verdict.segments
    slope, ends = verdict.slope_mb_per_h, (verdict.ci_low, verdict.ci_high)
    own = replace(verdict.segments[0], slope_mb_per_h=slope, ci_low=ends[0], ci_high=ends[1])
    return (own,)


def _told(segments: Sequence[Segment]) -> Iterator[Segment]:
    """Those that are no small part of the whole: what is restarted again and again has many."""
    if segments:
        whole_s = segments[-1].end_s - segments[0].start_s
        yield from (one for one in segments if one.end_s - one.start_s >= TOLD * whole_s)


def _fitted(segment: Segment, x: Floats, mb: Floats, story: Story | None) -> Curve:
    """The line through the middle of its stretch, fanned out by the interval of its slope.

    A line of the story's hours bends where the run's pace changes.
    """
    ends = np.array([segment.start_s, segment.end_s])
    at = ends if story is None else story.run_s(ends)
    inside = (x >= at[0]) & (x <= at[1]) & np.isfinite(mb)
    middle_mb = float(np.mean(mb[inside])) if inside.any() else np.nan
    if story is not None:
        at = np.unique([*at, *(s for s in story.borders_s if at[0] < s < at[1])])
        ends = story.told_s(at)
        middle_mb += segment.slope_mb_per_h * _off(story, x[inside], ends) / 3600
    away_h = (ends - (ends[0] + ends[-1]) / 2) / 3600
    slopes = (segment.ci_low, segment.ci_high)
    fan = np.array([middle_mb + slope * away_h for slope in slopes])
    sign = "+" if segment.slope_mb_per_h > 0 else ""
    name = sign + show(segment.slope_mb_per_h, "MB/h")
    y = middle_mb + segment.slope_mb_per_h * away_h
    return Curve(name, at, y, np.maximum(fan.min(axis=0), 0.0), fan.max(axis=0))


def _off(story: Story, x: Floats, ends: Floats) -> float:
    """How far the middle of a stretch of the story lies after the mean of its samples, s."""
    return float((ends[0] + ends[-1]) / 2 - story.told_s(x).mean()) if x.size else 0.0


def cpu(canvas: Canvas) -> Iterator[Chart]:
    """Cores that each service took, and what a mock of ours may take before it measures itself."""
    evidence = canvas.case.evidence
    curves = [
        rate(canvas, subject, *evidence.resources.get(subject, CPU), scale=100.0)
        for subject in canvas.case.services.subjects
    ]
    limit = evidence.manifest.profile.validity.mock_cpu
    limits = (
        (Limit(100 * limit, f"a mock may take {100 * limit:g} %"),)
        if evidence.manifest.profile.starts_mocks
        else ()
    )
    yield from canvas.over_time("CPU of the services", "% of one core", curves, "CPU", limits)


def rate(canvas: Canvas, name: str, t_s: Floats, total: Floats, scale: float = 1.0) -> Curve:
    """Growth per second of a counter, over stretches long enough to tell; 0 at a restart."""
    if t_s.size < 2 or t_s[-1] <= t_s[0]:
        return Curve(name, np.empty(0), np.empty(0))
    points = min(_CPU_POINTS, t_s.size)
    at_s = np.linspace(t_s[0], t_s[-1], points)
    grown = np.diff(np.interp(at_s, t_s, total)) / np.diff(at_s)
    return Curve(name, canvas.since_load(at_s[1:]), scale * np.maximum(grown, 0.0))
