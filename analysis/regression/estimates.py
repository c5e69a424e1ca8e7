"""From the histograms of a paired run to ratios, intervals and p-values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np
from scipy.special import stdtrit

from analysis.regression.data import GateData
from analysis.regression.latency import LatencyRow
from analysis.regression.rows import Bound, Stakes
from analysis.statistics.crossover import CONTROL_LIMIT, Fit, fit, p_values
from analysis.statistics.roots import roots
from analysis.statistics.tails import STEP, Tails, bulk, log_grid, survival
from recording.arrays import Bools, Floats, Ints

# How many other endpoints it takes before their median stands for the host.
MIN_CONTROLS = 3
# The widest change looked for, as log ratio: a factor of 1,000 either way.
WIDEST = log(1000.0)
# Beyond this many standard errors from its target the size of t no longer guides the search.
STEEP = 20.0


@dataclass(frozen=True, slots=True)
class Paired:
    """The rows of a paired run, ready to be tested at any assumed shift."""

    tails: Tails
    control: Floats  # [row, round], second slot minus first
    signs: Floats  # [round], +1 where head ran second

    def fit(self, shift: Floats) -> Fit:
        """The crossover fit of every row after taking `shift` (log ratio, [row]) out."""
        return fit(self.tails.score(shift) * self.signs, self.control, self.signs[np.newaxis])

    def rows(self, chosen: Ints) -> Paired:
        """The same run for some of the rows, which may repeat."""
        return Paired(self.tails.rows(chosen), self.control[chosen], self.signs)

    def p_values(self, stretches: tuple[int, ...], seed: int) -> Floats:
        """One-sided randomisation p of "head is no slower"."""
        unshifted = self.tails.score(np.zeros(len(self.control))) * self.signs
        return p_values(unshifted, self.control, self.signs, stretches, seed)

    def solve(self, t: Floats, use_control: Bools) -> Floats:
        """The log ratio at which each row's studentised effect falls to `t`."""

        def excess(shift: Floats, chosen: Ints) -> Floats:
            found = self.rows(chosen).fit(shift)
            at = np.where(use_control[chosen], found.adjusted_t, found.raw_t)[0]
            return np.asarray(np.clip(at - t[chosen], -STEEP, STEEP))

        return roots(excess, len(t), WIDEST, 1e-6)


def prepare(data: GateData, endpoint: Ints, tail: Floats) -> Paired:
    """One row for each (`endpoint` index into the data, `tail` mass beyond the percentile).

    Every slot of these endpoints must hold requests.
    """
    signs = np.where(data.head_first, -1.0, 1.0)
    grid = log_grid(data.values_us)
    base, head = (survival(data.values_us, arm, grid) for arm in (data.base, data.head))
    base_bulk, head_bulk = bulk(base), bulk(head)
    host = host_shift(data, (head_bulk - base_bulk) * STEP)
    tails = Tails.of(base, head, (base_bulk + head_bulk) / 2, endpoint, tail)
    return Paired(tails, host[endpoint] * signs, signs)


def host_shift(data: GateData, shift: Floats) -> Floats:
    """What the host did to head's slot against base's, [endpoint, round], from bulk shifts.

    For each endpoint the median over the declared controls or else over all *other* endpoints,
    so that a regression of one endpoint is never taken for the host's doing; zero where there
    are too few. `shift` [endpoint, round] is head's bulk minus base's, a log ratio.
    """
    alive = (data.base.sum(axis=2) > 0).all(axis=0) & (data.head.sum(axis=2) > 0).all(axis=0)
    named = np.array([name in data.control for name in data.endpoints])
    derived = np.array([name in data.derived for name in data.endpoints])
    source = alive & (named if data.control else ~derived & ~_moved_alone(shift, alive & ~derived))
    result = np.zeros_like(shift)
    for endpoint in range(len(source)):
        others = source & (np.arange(len(source)) != endpoint)
        if others.sum() >= (1 if data.control else MIN_CONTROLS):
            result[endpoint] = np.median(shift[others], axis=0)
    return result


def _moved_alone(shift: Floats, source: Bools) -> Bools:
    """Which endpoints moved away from the median of all `source` endpoints, [endpoint].

    Even one endpoint that moved pulls the median of the others, by up to half a standard error.
    """
    if not source.any():
        return source
    apart = shift - np.median(shift[source], axis=0)
    error = apart.std(axis=1, ddof=1) / np.sqrt(shift.shape[1])
    return np.asarray(np.abs(apart.mean(axis=1)) > CONTROL_LIMIT * error)


def estimated(paired: Paired, rows: Sequence[LatencyRow]) -> list[LatencyRow]:
    """Its rows, with estimates and bounds as log ratios, all by inverting the same test.

    The interval holds the ratios the test does not reject: stretching the arms by the true
    ratio makes them equal, so its coverage needs no density and no normal tail.
    """
    paired = replace(paired, tails=paired.tails.aligned())
    never = np.zeros(len(paired.control), dtype=bool)
    plain = len(paired.signs) - 2.0
    raw = _bounds(paired, rows[0].stakes, never, plain - never)
    use = paired.fit(np.array([bound.effect for bound in raw])).use_control[0]
    degrees = plain - use
    found = _bounds(paired, rows[0].stakes, use, degrees)
    return [
        replace(row, found=its, raw=own, degrees=float(left), host_removed=bool(removed))
        for row, its, own, left, removed in zip(rows, found, raw, degrees, use, strict=True)
    ]


def _bounds(paired: Paired, stakes: Stakes, use_control: Bools, degrees: Floats) -> list[Bound]:
    """Every bound of one ratio in one search."""
    two_sided, one_sided, proof = (
        -stdtrit(degrees, error) for error in (stakes.beyond, stakes.pass_error, stakes.of_one)
    )
    surely = proof + 1.0
    targets = [0.0 * two_sided, two_sided, -two_sided, -one_sided, surely]
    rows = np.tile(np.arange(len(degrees)), len(targets))
    found = paired.rows(rows).solve(np.concatenate(targets), np.tile(use_control, len(targets)))
    ratio, low, high, upper, closer = found.reshape(len(targets), -1)
    every = (ratio, low, high, upper, (ratio - closer) / surely)
    return [Bound(*map(float, row)) for row in zip(*every, strict=True)]
