"""Latency, error and distortion measurements of the measured phases, from the histogram log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf, nan

import numpy as np

from analysis.evidence.reading import MAX_BLOCKS
from analysis.evidence.run import Evidence
from analysis.statistics.distributions import share_interval
from analysis.statistics.percentiles import maximum, mean, min_samples, quantile, quantile_interval
from analysis.words.values import Measurement
from recording.arrays import Floats, Ints
from recording.histogram import Histogram, bucket_mid_us, merge
from recording.hlog import AT_MOST, INTENDED, LATENCY, Interval, of_requests
from recording.outcomes import (
    LOWER_BOUNDS,
    UNANSWERED,
    UNTOLD,
    WITHOUT_ANSWER,
    is_failure,
)
from recording.profile import JOURNEY

MAX_ERROR_SHARE = 0.05
"""More failures than this and latency means nothing. Up to here, were all of them instant, they
would lower the p95 of lognormal latencies (sigma 0.6) by 1.5 %: too little to hide a change."""
NEVER_ENDED = "some requests never ended"
NONE_BEGAN = "no request of it began in a measured phase"
QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}


@dataclass(frozen=True)
class Sample:
    """All measured requests of a subject. Every outcome counts: failures are latency too.

    ``block_counts`` is one row of bucket counts per block of time, columns as ``values_us``.
    ``never_ended`` counts those in each bucket whose latency is only a lower bound.
    """

    subject: str
    values_us: Floats
    block_counts: Ints
    outcomes: dict[str, int]
    never_ended: Ints
    most: "Sample | None" = None
    """The same requests with the most that each can have taken, where only bounds are known."""

    @cached_property
    def counts(self) -> Ints:
        """Counts per bucket over the whole measured time."""
        total: Ints = self.block_counts.sum(axis=0)
        return total

    @property
    def n(self) -> int:
        """Number of requests."""
        return sum(self.outcomes.values())

    @property
    def failures(self) -> int:
        """Number of requests with an outcome that the plan did not ask for."""
        return sum(n for name, n in self.outcomes.items() if is_failure(name))

    @property
    def undecided(self) -> int:
        """Number of requests that were cut off before their deadline."""
        return self.outcomes.get(UNANSWERED, 0)

    @property
    def untold(self) -> int:
        """Number of requests of which nobody says whether they failed."""
        return self.outcomes.get(UNTOLD, 0)

    @property
    def answered(self) -> int:
        """Number of requests that got an answer, whatever it said."""
        return sum(n for name, n in self.outcomes.items() if name not in WITHOUT_ANSWER)

    @property
    def failure_share(self) -> float:
        """Share of requests with such an outcome; 0 without requests."""
        return self.failures / self.n if self.n else 0.0

    def measure(self, metric: str) -> Measurement:
        """One latency or error metric of thresholds.toml; nan without requests."""
        if metric == "error_rate":
            return self._error_rate()
        if metric == "failures":
            if not self.n:
                return Measurement(self.subject, metric, nan, "", 0, note=NONE_BEGAN)
            if self.untold:
                return self._untold(metric, "")
            found = Measurement(self.subject, metric, float(self.failures), "", self.n)
            return self._bounded(found, float(self.failures + self.undecided))
        if not self.n:
            return Measurement(self.subject, metric, float("nan"), "ms", 0, note=NONE_BEGAN)
        if figure := {"mean": mean, "max": maximum}.get(metric):
            value = figure(self.values_us, self.counts)
            found = self._ms(metric, value, at_least=self._any_open)
            return self._within(found, self.most.measure(metric) if self.most else None)
        return self.quantile(metric)

    @staticmethod
    def _within(least: Measurement, most: Measurement | None) -> Measurement:
        """A value that lies between two; the bound of the larger one is on its side."""
        if most is None or most.value <= least.value:
            return least
        note = f"at most {most.shown}: only bounds were recorded"
        return replace(least, at_least=True, highest=most.value, ci_high=most.ci_high, note=note)

    def quantile(self, metric: str, confidence: float = 0.95) -> Measurement:
        """A percentile with its two-sided interval; needs requests."""
        q = QUANTILES[metric]
        value = quantile(self.values_us, self.counts, q)
        low, high = quantile_interval(self.values_us, self.block_counts, q, confidence)
        highest = self._highest(q)
        if self._any_open and high is not None:
            shortest = self.values_us[np.flatnonzero(self.never_ended)[0]]
            high = high if high < shortest else None
        found = self._ms(metric, value, low, high, highest, at_least=highest > value)
        return self._within(found, self.most.quantile(metric, confidence) if self.most else None)

    def _highest(self, q: float) -> float:
        """The quantile if what never ended had taken for ever, µs."""
        values = np.append(self.values_us, inf)
        counts = np.append(self.counts - self.never_ended, self.never_ended.sum())
        return quantile(values, counts, q)

    @property
    def _any_open(self) -> bool:
        return bool(self.never_ended.any())

    def _ms(
        self,
        metric: str,
        value: float,
        low: float | None = None,
        high: float | None = None,
        highest: float = inf,
        *,
        at_least: bool,
    ) -> Measurement:
        low, high = (x / 1000 if x is not None else None for x in (low, high))
        found = Measurement(self.subject, metric, value / 1000, "ms", self.n, low, high)
        if not at_least:
            return found
        return replace(found, at_least=True, highest=highest / 1000, note=NEVER_ENDED)

    def _bounded(self, counted: Measurement, highest: float) -> Measurement:
        """What counts failures, as a lower bound where requests are undecided."""
        if not self.undecided:
            return counted
        return replace(counted, at_least=True, highest=highest, note=NEVER_ENDED)

    def _untold(self, metric: str, unit: str) -> Measurement:
        note = f"nobody says of {self.untold:,} requests whether they failed"
        return Measurement(self.subject, metric, nan, unit, self.n, note=note)

    def _error_rate(self) -> Measurement:
        """Share of failures, %, with the exact (Clopper–Pearson) 95 % interval.

        Undecided requests are none, and its upper bounds take each of them for one.
        """
        n = self.n
        if self.untold:
            return self._untold("error_rate", "%")
        if not n:
            return Measurement(self.subject, "error_rate", float("nan"), "%", 0, note=NONE_BEGAN)
        most = self.failures + self.undecided
        ci = share_interval(self.failures, n).low, share_interval(most, n).high
        low, high = (100 * bound for bound in ci)
        found = Measurement(self.subject, "error_rate", 100 * self.failures / n, "%", n, low, high)
        return self._bounded(found, 100 * most / n)


def needed(metric: str) -> int:
    """Fewest samples that can carry a metric: a percentile needs a confidence interval."""
    q = QUANTILES.get(metric.removeprefix("acquire_wait_").removeprefix("commit_"))
    return 1 if q is None else min_samples(q)


def judged_kind(evidence: Evidence) -> str:
    """What latency counts from: in the open model from when a request was due, not when sent."""
    return INTENDED if evidence.manifest.profile.load.model == "arrivals" else LATENCY


def samples(evidence: Evidence, kind: str) -> dict[str, Sample]:
    """One sample per step that was seen, in the order of the flow, and ``journey`` for all."""
    measured = [i for i in of_requests(evidence.log.intervals, kind) if evidence.is_measured(i)]
    by_step: dict[str, list[Interval]] = {}
    for interval in measured:
        by_step.setdefault(interval.tag.step, []).append(interval)
    found = {step: _sample(step, by_step[step]) for step in evidence.services.in_order(by_step)}
    found |= {JOURNEY: _sample(JOURNEY, measured)}
    if kind == LATENCY:
        highest = samples(evidence, AT_MOST)
        if highest[JOURNEY].n:
            return {name: replace(one, most=highest.get(name)) for name, one in found.items()}
    return found


def _sample(subject: str, intervals: Sequence[Interval]) -> Sample:
    outcomes: dict[str, int] = {}
    for interval in intervals:
        outcome = interval.tag.outcome
        outcomes[outcome] = outcomes.get(outcome, 0) + interval.histogram.n
    indices = merge(i.histogram for i in intervals).indices
    blocks, never_ended = _blocks(intervals, indices), never_ended_counts(intervals, indices)
    return Sample(subject, bucket_mid_us(indices), blocks, outcomes, never_ended)


def never_ended_counts(intervals: Iterable[Interval], indices: Ints) -> Ints:
    """How many requests of each bucket have a latency that is only a lower bound."""
    found = merge(i.histogram for i in intervals if i.tag.outcome in LOWER_BOUNDS)
    counts = np.zeros(indices.size, np.int64)
    counts[np.searchsorted(indices, found.indices)] = found.counts
    return counts


def _blocks(intervals: Sequence[Interval], indices: Ints) -> Ints:
    """Bucket counts per block of time; consecutive intervals share a block in a long run."""
    starts = np.unique([i.start_s for i in intervals])
    blocks = min(MAX_BLOCKS, starts.size)
    counts = np.zeros((blocks, indices.size), np.int64)
    for interval in intervals:
        place = int(np.searchsorted(starts, interval.start_s)) * blocks // starts.size
        columns = np.searchsorted(indices, interval.histogram.indices)
        counts[place, columns] += interval.histogram.counts
    return counts


def pooled(evidence: Evidence, kind: str, step: str) -> Histogram:
    """All values of one kind and step in the measured phases."""
    of_step = (i for i in evidence.log.intervals if (i.tag.kind, i.tag.step) == (kind, step))
    return merge(i.histogram for i in of_step if evidence.is_measured(i))
