"""A service's memory while there was load, judged once: its growth, its peak, its limit."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import inf, isnan, nan

import numpy as np

from analysis.evidence.run import Evidence
from analysis.memory.judge import MemoryClass, MemoryVerdict, judge_memory
from analysis.words.units import BYTES_PER_MB, format_elapsed, format_moment
from analysis.words.values import Measurement
from recording.arrays import Floats
from recording.events import GC
from recording.metric_names import MEMORY_LIMIT, RSS
from recording.story import Story

FASTER = 1.5
"""A growth this many times the one before memory fell is worth a finding."""
_STANDS = (MemoryClass.STABLE, MemoryClass.SAWTOOTH)


@dataclass(frozen=True, slots=True)
class ServiceMemory:
    """A service's memory from the first measured phase to the end of the load.

    Where the run tells a story, in the story's hours. What grew before is the load's; what stands
    still afterwards says nothing.
    """

    subject: str
    verdict: MemoryVerdict
    samples: int
    baseline_mb: float
    peak_mb: float
    limit_mb: float | None
    elapsed: Callable[[float], str] = format_elapsed
    """How a time of the verdict's is said."""
    last_mb: float = nan
    """At ``last_s``, its last sample, s since the run's epoch."""
    last_s: float = nan

    @property
    def explanation(self) -> str:
        """One line for a reader."""
        limit = f"; limit {self.limit_mb:.0f} MB" if self.limit_mb else ""
        return f"{self.verdict.explanation}; peak {self.peak_mb:.0f} MB{limit}"

    @property
    def noteworthy(self) -> bool:
        """Whether a reader should hear of it without a rule asking."""
        return self.verdict.class_ in (MemoryClass.GROWING, MemoryClass.SAWTOOTH)

    @property
    def slowest(self) -> float:
        """The least growth that is proven: a long stretch is not undone by a short one after it."""
        longest = max(
            self.verdict.segments, key=lambda segment: segment.end_s - segment.start_s, default=None
        )
        return max(self.verdict.ci_low, longest.ci_low if longest else -inf)

    @property
    def resumed(self) -> str:
        """That it grew faster after a fall than before it; "" where it did not."""
        for before, after in pairwise(self.verdict.segments):
            if self.growing and after.slope_mb_per_h > FASTER * before.slope_mb_per_h > 0:
                return (
                    f"{before.slope_mb_per_h:+.1f} MB/h until {self.elapsed(before.end_s)}, "
                    f"then {after.slope_mb_per_h:+.1f} MB/h from {self.elapsed(after.start_s)}: "
                    f"{after.slope_mb_per_h / before.slope_mb_per_h:.1f} times as fast"
                )
        return ""

    def segments(self) -> list[Measurement]:
        """The slope between collections, stretch by stretch."""
        return [
            Measurement(
                self.subject,
                f"slope of segment {number}",
                segment.slope_mb_per_h,
                "MB/h",
                segment.n,
                segment.ci_low,
                segment.ci_high,
                phase=f"{self.elapsed(segment.start_s)} to {self.elapsed(segment.end_s)}",
            )
            for number, segment in enumerate(self.verdict.segments, 1)
            if len(self.verdict.segments) > 1
        ]

    @property
    def growing(self) -> bool:
        """Whether growth without bound is proven."""
        return self.verdict.class_ is MemoryClass.GROWING

    @property
    def likely_hours(self) -> float:
        """From the first sample to the limit, h: never where memory stands, nan where unknown."""
        slope, class_ = self.verdict.slope_mb_per_h, self.verdict.class_
        stands = class_ in _STANDS or slope <= 0
        if isnan(slope) or (stands and self.over_limit):
            return nan
        if stands:
            return nan if class_ is MemoryClass.CANNOT_TELL else inf
        return self.hours_to_limit(slope)

    @property
    def over_limit(self) -> str:
        """That it was above what is said to be its limit, which is another then; "" where not."""
        if self.limit_mb is None or not self.peak_mb > self.limit_mb:
            return ""
        return f"it had {self.peak_mb:.0f} MB: {self.limit_mb:.0f} MB is not its limit"

    def hours_to_limit(self, slope_mb_per_h: float) -> float:
        """From the first sample to the limit at this slope, h; nan without a limit."""
        if self.limit_mb is None:
            return nan
        room_mb = max(0.0, self.limit_mb - self.baseline_mb)
        return room_mb / slope_mb_per_h if slope_mb_per_h > 0 else inf


def memory_of(evidence: Evidence, subject: str) -> ServiceMemory:
    """Judge a service's resident memory, in the story's time where the run tells one."""
    t_s, rss = evidence.resources.get(subject, RSS)
    begins_s, first_s = evidence.measured_from_s, evidence.load_start_s
    inside = (t_s >= begins_s) & (t_s <= evidence.load_end_s) & (rss > 0)  # else nobody knows
    t_s, rss = t_s[inside], rss[inside]
    limits = evidence.resources.get(subject, MEMORY_LIMIT)[1]
    limit = float(limits[-1]) if limits.size and limits[-1] > 0 else None  # 0, -1: unlimited
    collected = [
        _told(evidence, float(row["t_s"]) - first_s)
        for row in evidence.events_named(GC)
        if row.get("source") == subject and begins_s <= float(row["t_s"])
    ]
    elapsed = partial(_elapsed, evidence.story)
    verdict = judge_memory(
        *_as_told(evidence, t_s - first_s, rss),
        collections_s=collected, limit_bytes=limit, elapsed=elapsed,
    )  # fmt: skip
    return ServiceMemory(
        subject=subject,
        verdict=verdict,
        samples=int(t_s.size),
        baseline_mb=float(np.median(rss[:3])) / BYTES_PER_MB if rss.size else nan,
        peak_mb=float(rss.max()) / BYTES_PER_MB if rss.size else nan,
        limit_mb=limit / BYTES_PER_MB if limit is not None else None,
        elapsed=elapsed,
        last_mb=float(rss[-1]) / BYTES_PER_MB if rss.size else nan,
        last_s=float(t_s[-1]) if t_s.size else nan,
    )


def _told(evidence: Evidence, run_s: float) -> float:
    """The story's time, s since the load began; without a story the run's."""
    return run_s if evidence.story is None else evidence.story.told_at_s(run_s)


def _elapsed(story: Story | None, told_s: float) -> str:
    return format_moment(told_s if story is None else story.run_at_s(told_s), story)


def _as_told(evidence: Evidence, run_s: Floats, rss: Floats) -> tuple[Floats, Floats]:
    """Samples at even times of the story, two of its fastest piece to each: pieces count alike."""
    story = evidence.story
    if story is None:
        return run_s, rss
    told_s = story.told_s(run_s)
    step_s = 2 * story.most_times * evidence.manifest.profile.sampling.interval
    place = np.unique(np.floor(told_s / step_s), return_inverse=True)[1]
    n = np.bincount(place)
    return np.bincount(place, told_s) / n, np.bincount(place, rss) / n
