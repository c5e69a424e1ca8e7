"""What all pictures of one run share: what is measured, the limits, and the axis of time."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.evidence.requests import judged_kind
from analysis.limits.thresholds import Thresholds
from analysis.metrics.case import Case
from analysis.pictures.stretches import stretches_of
from analysis.pictures.thinned import thinned
from analysis.report.chart import Chart, Curve, Limit, Stretch
from recording.arrays import Floats
from recording.histogram import Histogram, merge
from recording.hlog import Interval, of_requests

TIME = "time since the load began"
TIME_OF_THE_RUN = f"{TIME}, of the run"


@dataclass(frozen=True)
class Block:
    """Requests of one step that began in one block of time of the recording."""

    start_s: float
    intervals: Sequence[Interval]

    @cached_property
    def length_s(self) -> float:
        """How long it is."""
        return max(i.length_s for i in self.intervals)

    @cached_property
    def histogram(self) -> Histogram:
        """Latencies of every outcome."""
        return merge(i.histogram for i in self.intervals)

    @cached_property
    def outcomes(self) -> "Counter[str]":
        """How many came out how."""
        found: Counter[str] = Counter()
        for i in self.intervals:
            found[i.tag.outcome] += i.histogram.n
        return found


@dataclass(frozen=True)
class Canvas:
    """One recording to be drawn."""

    case: Case
    thresholds: Thresholds

    @cached_property
    def stretches(self) -> tuple[Stretch, ...]:
        """What went on meanwhile."""
        return stretches_of(self.case)

    @cached_property
    def requests(self) -> Mapping[str, Sequence[Block]]:
        """What is judged, by step, in the order of the flow, and by block, in that of time."""
        evidence = self.case.evidence
        found: dict[str, dict[float, list[Interval]]] = {}
        for interval in of_requests(evidence.log.intervals, judged_kind(evidence)):
            blocks = found.setdefault(interval.tag.step, {})
            blocks.setdefault(interval.start_s, []).append(interval)
        return {
            step: [Block(*block) for block in sorted(found[step].items())]
            for step in evidence.services.in_order(found)
        }

    @cached_property
    def blocks(self) -> Mapping[float, float]:
        """Every block of time that was recorded, requests or not, by its start: its length, s."""
        found: dict[float, float] = {}
        for i in self.case.evidence.log.intervals:
            found[i.start_s] = max(found.get(i.start_s, 0.0), i.length_s)
        return dict(sorted(found.items()))

    @cached_property
    def quiet(self) -> frozenset[float]:
        """Starts of the blocks in which no request began, as between the levels of a search."""
        begun = (block.start_s for blocks in self.requests.values() for block in blocks)
        return frozenset(self.blocks.keys() - set(begun))

    def since_load(self, t_s: Floats) -> Floats:
        """Moments of the recording on the axis of time."""
        return t_s - self.case.evidence.load_start_s

    def curve(self, name: str, t_s: Floats, y: Floats) -> Curve:
        """Values at moments of the recording."""
        return Curve(name, *thinned(self.since_load(t_s), y))

    def over_time(
        self,
        title: str,
        y_title: str,
        curves: Sequence[Curve],
        group: str,
        limits: Sequence[Limit] = (),
    ) -> Iterator[Chart]:
        """A chart on the axis of time, where there is anything to draw."""
        drawn = tuple(curve for curve in curves if np.isfinite(curve.y).any())
        if drawn:
            story = self.case.evidence.story
            yield Chart(
                title, TIME if story is None else TIME_OF_THE_RUN, y_title, drawn, tuple(limits),
                stretches=self.stretches, over_time=True, group=group, story=story,
            )  # fmt: skip

    def limits_of(self, subject: str, *metrics: str) -> tuple[Limit, ...]:
        """The rules about a subject, or the service that has this step, on these metrics."""
        owner = self.case.services.service_of(subject)
        return tuple(
            Limit(rule.limit, str(rule))
            for about, rule in self.thresholds
            if about in (subject, owner) and rule.metric.name in metrics
        )
