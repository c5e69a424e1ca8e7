"""Tail counts: how much more of head than of base lies beyond a round's own threshold.

The score of a round is the share of head's requests beyond a threshold at the pooled percentile
minus the share of base's. It is bounded, needs no density, and moving head by ``-shift/2`` and
base by ``+shift/2`` on the log axis until the scores of all rounds balance gives the ratio.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from recording.arrays import Floats, Ints

# Step of the working grid on the log axis: 2 %, with linear interpolation in between.
STEP = 0.02
# The tail counts are taken at these multiples of the tail's mass (for p99: beyond p98.25, p99 and
# p99.75) and averaged.
LEVELS: tuple[float, ...] = (1.75, 1.0, 0.25)
# The bulk of a slot is the mean of these quantiles.
BULK = (0.75, 0.5, 0.25)
# Halvings of a bracket of some thousand grid steps: to a hundredth of a step, 0.02 %.
HALVINGS = 18
# The widest of n gaps between evenly drawn values is (1 + log n) / n of their span; this many times
# as wide is no chance.
CHANCE = 2.5


def survival(values_us: Floats, counts: Ints, grid: Floats) -> Floats:
    """Share of requests above each grid point (log µs), [endpoint, round, grid], from counts
    [round, endpoint, k]; all zero where a slot is empty."""
    slots = counts.swapaxes(0, 1)
    above = np.zeros((*slots.shape[:-1], slots.shape[-1] + 1))
    np.cumsum(slots[..., ::-1], axis=-1, out=above[..., -2::-1])
    edges = bucket_edges(values_us)
    at = np.clip(np.searchsorted(edges, grid, side="right") - 1, 0, len(edges) - 2)
    part = np.clip((grid - edges[at]) / (edges[at + 1] - edges[at]), 0.0, 1.0)
    shares = np.take(above, at, axis=-1) * (1 - part)
    shares += np.take(above, at + 1, axis=-1) * part
    shares /= np.maximum(above[..., :1], 1)
    return shares


def bucket_edges(values_us: Floats) -> Floats:
    """Edges between buckets on the log axis, half-way between neighbouring midpoints."""
    logs = np.log(values_us)
    middle = (logs[1:] + logs[:-1]) / 2
    return np.concatenate([[logs[0] - STEP / 2], middle, [logs[-1] + STEP / 2]])


def log_grid(values_us: Floats) -> Floats:
    """The working grid: every STEP on the log axis, around all values."""
    low, high = np.log(values_us[0]) - STEP, np.log(values_us[-1]) + STEP
    return np.asarray(low + STEP * np.arange(int(np.ceil((high - low) / STEP)) + 1))


def recorded_step(values_us: Floats, counts: Ints, tail: float) -> float:
    """How far apart the values recorded near a percentile lie, as log ratio; 0 up to STEP.

    A clock that ticks, a client that polls or sleeps put many requests on few values. What
    happened between two of them nobody saw, so no difference below their distance is excluded.
    Taken from a quarter of the tail's mass on either side of the percentile, of counts [k] that
    are not all zero.
    """
    seen = np.flatnonzero(counts)
    below = np.cumsum(counts[seen])
    first, last = np.searchsorted(below, below[-1] * (1 - tail * np.array([1.25, 0.75])))
    near = slice(max(first - 1, 0), last + 2)
    logs, n = np.log(values_us[seen[near]]), int(counts[seen[near]].sum())
    widest = float(np.diff(logs).max(initial=0.0))
    by_chance = (logs[-1] - logs[0]) * (1 + np.log(n)) / n
    return widest if widest > max(STEP, CHANCE * by_chance) else 0.0


def bulk(curves: Floats) -> Floats:
    """Where the bulk of each curve [..., grid] lies, in grid steps: the mean of its quartiles.

    Moves one for one with the host and, unlike a mean, hears nothing of the tail.
    """
    return np.asarray(np.mean([_crossing(curves, level) for level in BULK], axis=0))


@dataclass(frozen=True, slots=True)
class Tails:
    """Survival curves of both arms [endpoint, round, grid] and the rows judged on them.

    A row is an `endpoint` and the mass of its `tail` (0.01 for p99). `place` [endpoint, round]
    is where the bulk of the round lies, and `depth` [row, level] how far beyond it the
    thresholds lie, both in grid steps: so the thresholds follow drift and steps of the host.
    """

    base: Floats
    head: Floats
    place: Floats
    endpoint: Ints
    tail: Floats
    depth: Floats

    @classmethod
    def of(cls, base: Floats, head: Floats, place: Floats, endpoint: Ints, tail: Floats) -> Tails:
        """Thresholds at the pooled tail of both arms: swapping the arms changes nothing."""
        nowhere = np.zeros((len(tail), len(LEVELS)))
        return cls(base, head, place, endpoint, tail, nowhere)._aligned(np.zeros(len(tail)))

    def score(self, shift: Floats) -> Floats:
        """Tail share of head minus base after moving each arm half of `shift` towards the other.

        `shift` [row] is a log ratio; the result [row, round] is in units of the tail's mass.
        """
        head, base = self._beyond(self.depth, shift)
        return np.asarray((head - base).mean(axis=-1) / self.tail[:, np.newaxis])

    def aligned(self) -> Tails:
        """The same rows with thresholds at the tail both arms would share if they were equal.

        For estimates: where the arms differ much, their pooled tail is head's alone. The arms
        are moved by the ratio of their own percentiles first.
        """
        mass, nothing = self.tail[:, np.newaxis], np.zeros(len(self.tail))
        head = self._falls_to(mass, lambda depth: self._share(self.head, depth, nothing))
        base = self._falls_to(mass, lambda depth: self._share(self.base, depth, nothing))
        return self._aligned((head - base)[:, 0] * STEP)

    def rows(self, chosen: Ints) -> Tails:
        """The same curves for some of the rows, which may repeat."""
        return replace(
            self, endpoint=self.endpoint[chosen], tail=self.tail[chosen], depth=self.depth[chosen]
        )

    def _aligned(self, shift: Floats) -> Tails:
        def pooled(depth: Floats) -> Floats:
            head, base = self._beyond(depth, shift)
            return (head + base) / 2

        return replace(self, depth=self._falls_to(np.multiply.outer(self.tail, LEVELS), pooled))

    def _beyond(self, depth: Floats, shift: Floats) -> tuple[Floats, Floats]:
        """Shares of (head, base) beyond the shifted thresholds, [row, round, level]."""
        return self._share(self.head, depth, shift), self._share(self.base, depth, -shift)

    def _share(self, curves: Floats, depth: Floats, shift: Floats) -> Floats:
        """Share of an arm beyond thresholds half of `shift` further out, [row, round, level]."""
        at = self.place[self.endpoint][..., np.newaxis] + depth[:, np.newaxis]
        return _lookup(curves, self.endpoint, at + (shift / 2 / STEP)[:, np.newaxis, np.newaxis])

    def _falls_to(self, mass: Floats, beyond: Callable[[Floats], Floats]) -> Floats:
        """The depth at which the mean share over the rounds falls to `mass`, by bisection."""
        high = np.full(mass.shape, float(self.base.shape[-1]))
        low = -high
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            above = beyond(middle).mean(axis=1) > mass
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        return high


def _crossing(curves: Floats, level: float) -> Floats:
    """Position (in grid steps) at which each falling curve [..., grid] passes `level`, else 0."""
    at = np.maximum((curves >= level).sum(axis=-1) - 1, 0)[..., np.newaxis]
    above = np.take_along_axis(curves, at, axis=-1)[..., 0]
    fall = above - np.take_along_axis(curves, at + 1, axis=-1)[..., 0]
    part = np.divide(above - level, fall, out=np.zeros_like(fall), where=fall > 0)
    return np.asarray(at[..., 0] + part)


def _lookup(curves: Floats, endpoint: Ints, at: Floats) -> Floats:
    """Interpolate ``curves[endpoint[row], round]`` at positions `at` [row, round, level]."""
    _, rounds, size = curves.shape
    inside = np.clip(at, 0, size - 1.000001)
    whole = inside.astype(np.int64)
    part = inside - whole
    flat = curves.reshape(-1)
    start = (endpoint[:, np.newaxis] * rounds + np.arange(rounds))[..., np.newaxis] * size + whole
    return np.asarray(flat[start] * (1 - part) + flat[start + 1] * part)
