"""Latency, error and distortion measurements of the measured phases, from the histogram log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from analysis.evidence import GENERATOR, MAX_BLOCKS, Evidence
from analysis.statistics.distributions import share_interval
from analysis.statistics.percentiles import maximum, mean, min_samples, quantile, quantile_interval
from analysis.values import Measurement
from recording.flow import STEPS
from recording.histogram import Histogram, bucket_mid_us, merge
from recording.hlog import INTENDED, LATENCY, Interval
from recording.outcomes import EXPECTED_OUTCOMES

MAX_ERROR_SHARE = 0.05
"""More failures than this and latency means nothing. Up to here, were all of them instant, they
would lower the p95 of lognormal latencies (sigma 0.6) by 1.5 %: too little to hide a change."""
QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}


@dataclass(frozen=True)
class Sample:
    """All measured requests of a subject. Every outcome counts: failures are latency too.

    ``block_counts`` is one row of bucket counts per block of time, columns as ``values_us``.
    """

    subject: str
    values_us: npt.NDArray[np.float64]
    block_counts: npt.NDArray[np.int64]
    outcomes: dict[str, int]

    @cached_property
    def counts(self) -> npt.NDArray[np.int64]:
        """Counts per bucket over the whole measured time."""
        total: npt.NDArray[np.int64] = self.block_counts.sum(axis=0)
        return total

    @property
    def n(self) -> int:
        """Number of requests."""
        return sum(self.outcomes.values())

    @property
    def failures(self) -> int:
        """Number of requests with an outcome that the plan did not ask for."""
        return sum(n for name, n in self.outcomes.items() if name not in EXPECTED_OUTCOMES)

    @property
    def failure_share(self) -> float:
        """Share of requests with such an outcome; 0 without requests."""
        return self.failures / self.n if self.n else 0.0

    def measure(self, metric: str) -> Measurement:
        """One latency or error metric of thresholds.toml; nan without requests."""
        if metric == "error_rate":
            return self._error_rate()
        if metric == "failures":
            return Measurement(self.subject, metric, float(self.failures), "", self.n)
        if not self.n:
            return Measurement(self.subject, metric, float("nan"), "ms", 0)
        if metric == "mean":
            return self._ms(metric, mean(self.values_us, self.counts))
        if metric == "max":
            return self._ms(metric, maximum(self.values_us, self.counts))
        q = QUANTILES[metric]
        interval = quantile_interval(self.values_us, self.block_counts, q)
        value = quantile(self.values_us, self.counts, q)
        return self._ms(metric, value, interval.low, interval.high)

    def _ms(
        self, metric: str, value: float, low: float | None = None, high: float | None = None
    ) -> Measurement:
        low_ms, high_ms = (x / 1000 if x is not None else None for x in (low, high))
        return Measurement(self.subject, metric, value / 1000, "ms", self.n, low_ms, high_ms)

    def _error_rate(self) -> Measurement:
        """Share of failures, %, with the exact (Clopper–Pearson) 95 % interval."""
        if not self.n:
            return Measurement(self.subject, "error_rate", float("nan"), "%", 0)
        ci = share_interval(self.failures, self.n)
        rate = 100 * self.failures / self.n
        return Measurement(
            self.subject, "error_rate", rate, "%", self.n, 100 * ci.low, 100 * ci.high
        )


def needed(metric: str) -> int:
    """Fewest samples that can carry a metric: a percentile needs a confidence interval."""
    return min_samples(QUANTILES[metric]) if metric in QUANTILES else 1


def judged_kind(evidence: Evidence) -> str:
    """What latency counts from: in the open model from when a request was due, not when sent."""
    return INTENDED if evidence.manifest.profile.load.model == "arrivals" else LATENCY


def samples(evidence: Evidence, kind: str) -> dict[str, Sample]:
    """One sample per step that was seen, in the order of the flow, and ``journey`` for all."""
    measured = [
        i
        for i in evidence.log.intervals
        if i.tag.kind == kind and i.tag.step != GENERATOR and evidence.is_measured(i)
    ]
    by_step: dict[str, list[Interval]] = {}
    for interval in measured:
        by_step.setdefault(interval.tag.step, []).append(interval)
    order = [s for s in STEPS if s in by_step] + sorted(set(by_step) - set(STEPS))
    found = {step: _sample(step, by_step[step]) for step in order}
    return found | {"journey": _sample("journey", measured)}


def _sample(subject: str, intervals: Sequence[Interval]) -> Sample:
    outcomes: dict[str, int] = {}
    for interval in intervals:
        outcome = interval.tag.outcome
        outcomes[outcome] = outcomes.get(outcome, 0) + interval.histogram.n
    indices = merge(i.histogram for i in intervals).indices
    return Sample(subject, bucket_mid_us(indices), _blocks(intervals, indices), outcomes)


def _blocks(intervals: Sequence[Interval], indices: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Bucket counts per block of time; consecutive intervals share a block in a long run."""
    starts = np.unique([i.start_s for i in intervals])
    blocks = min(MAX_BLOCKS, starts.size)
    counts = np.zeros((blocks, indices.size), np.int64)
    for interval in intervals:
        place = int(np.searchsorted(starts, interval.start_s)) * blocks // starts.size
        columns = np.searchsorted(indices, interval.histogram.indices)
        counts[place, columns] += interval.histogram.counts
    return counts


def pooled(evidence: Evidence, kind: str, step: str | None = None) -> Histogram:
    """All values of one kind in the measured phases, of one step or of all."""
    return merge(_matching(evidence, kind, step))


def _matching(evidence: Evidence, kind: str, step: str | None) -> Iterable[Histogram]:
    for interval in evidence.log.intervals:
        tag = interval.tag
        mine = tag.step == step if step else tag.step != GENERATOR
        if tag.kind == kind and mine and evidence.is_measured(interval):
            yield interval.histogram
