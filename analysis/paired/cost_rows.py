"""A cost of a paired run as a row: estimate, test, bounds, and what the gate can say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, hypot, sqrt

import numpy as np
from scipy.special import stdtrit

from analysis.regression.rows import Bound, Row, Stakes
from analysis.statistics.crossover import counted_t, p_values
from analysis.statistics.detectable import Hurdle, smallest_found
from recording.arrays import Bools, Floats
from recording.profile import MIN_ROUNDS

# Small p-values are counted over so many orders that the least possible one is this much below
# what Holm asks for, but over no more than a million: the first of two looks may spend 0.00007 of
# 0.002, which over twenty rows takes p-values of 1 in 300,000, and a few seconds.
_BELOW = 8
_BATCH = 25_000
_MOST_BATCHES = 40
# Steps in which a change and the noise it brings settle to within a percent.
_SETTLED = 12


@dataclass(frozen=True)
class CostRow(Row):
    """A cost, and the estimate of what head adds to it.

    `p_value` tests against this much (`tested_against`, and the grain): nothing, but for memory.
    `per_event` is what one more event in head adds (100 / n percent of n requests): a change of
    events brings noise of its own. `steady` are the degrees of freedom that the standard error
    itself is known by, fewer where the rounds have outliers.
    """

    per_event: float = 0.0
    steady: float = 1.0
    tested_against: float = 0.0

    KEYS = (
        *("subject", "metric", "unit", "verdict", "because", "base", "head", "change"),
        *("ci_low", "ci_high", "p_value", "p_holm", "judged"),
    )
    UNTESTED = "no data"
    BETTER = "less than base, and p is of more"

    @property
    def smallest_detectable(self) -> float:
        """The change called FAIL with probability POWER, where p is counted over orders."""
        proof = counted_t(self.critical(self.stakes.of_one), self.degrees)
        change = self.minimum
        for _ in range(_SETTLED):
            error = hypot(self.found.error, sqrt(change * self.per_event))
            change = smallest_found((Hurdle(error, proof),), self.steady, self.minimum)
        return change

    @property
    def _undecided(self) -> str:
        if self.excuse and self.proven:
            return f"{self._worse}, but {self.excuse}"
        could_see = f"a FAIL takes {self.text(self.minimum)} at least, and a growth that goes on"
        if not self.tested_against:
            least = self.text(self.smallest_detectable)
            could_see = f"the smallest it could have seen is {least}"
        return f"not decided: could be up to {self.text(self.most)}; {could_see}"

    @property
    def _unproven(self) -> str:
        against = self.tested_against
        return f"; p is of more than {self.text(against)}" if against else ""


def bound(effect: float, error: float, degrees: float, stakes: Stakes, grain: float) -> Bound:
    """By Student's t; `grain`, what the measurement cannot show, is added on both sides."""
    half, upper = (
        float(stdtrit(degrees, 1 - share)) * error + grain
        for share in (stakes.beyond, stakes.pass_error)
    )
    return Bound(effect, effect - half, effect + half, effect + upper, error)


@dataclass(frozen=True, slots=True)
class Measured:
    """A cost as it was measured: `values` [arm, round], NaN where nothing was."""

    subject: str
    metric: str
    unit: str
    values: Floats
    minimum: float
    tolerated: float
    grain: float = 0.0
    per_event: float = 0.0
    is_ratio: bool = False

    def gap(self) -> str:
        """Why it cannot be compared, if so."""
        rounds = self.values.shape[1]
        known = np.isfinite(self.values) & ((self.values > 0) | (not self.is_ratio))
        if rounds < MIN_ROUNDS:
            return f"{rounds} rounds, need {MIN_ROUNDS}"
        missing = int((~known).sum())
        return f"nothing measured in {missing} of {known.size} slots" if missing else ""

    def difference(self) -> Floats:
        """Head minus base by round, as log ratio where `is_ratio`."""
        base, head = np.log(self.values) if self.is_ratio else self.values
        return np.asarray(head - base)

    def row(self, signs: Floats, stakes: Stakes, p_value: float) -> CostRow:
        """Its estimate; `signs` are -1 where head was loaded first."""
        rounds, difference = len(signs), self.difference()
        effect = float(difference.mean())
        ordered = difference * signs
        left = ordered - ordered.mean() - effect * signs
        error = float(np.sqrt(left @ left / (rounds - 2) / rounds))
        values, degrees = self.values, rounds - 2.0
        base, head = np.exp(np.log(values).mean(1)) if self.is_ratio else values.mean(1)
        return CostRow(
            self.subject,
            self.metric,
            self.unit,
            stakes,
            float(base),
            float(head),
            self.minimum,
            self.tolerated,
            bound(effect, error, degrees, stakes, self.grain),
            degrees,
            p_value,
            is_ratio=self.is_ratio,
            per_event=self.per_event,
            steady=_steady(left),
        )


def compared(
    measured: Sequence[Measured],
    head_first: Bools,
    stretches: tuple[int, ...],
    seed: int,
    stakes: Stakes,
) -> list[CostRow]:
    """The crossover test of ``crossover.py`` on every cost, without a control."""
    whole = [m for m in measured if not m.gap()]
    signs = np.where(head_first, -1.0, 1.0)
    differences = np.array([m.difference() * signs for m in whole])
    nothing = np.zeros_like(differences)
    batches = (2_000, *(_BATCH,) * min(_MOST_BATCHES, ceil(_BELOW / stakes.of_one / _BATCH)))
    p = iter(p_values(differences, nothing, signs, stretches, seed, batches) if whole else ())
    return [
        CostRow(m.subject, m.metric, m.unit, stakes, lacks=gap)
        if (gap := m.gap())
        else m.row(signs, stakes, float(next(p)))
        for m in measured
    ]


def _steady(left: Floats) -> float:
    """Degrees of freedom of a mean square of residuals: its variance goes by their kurtosis."""
    squares = left**2
    spread = float(squares.var())
    degrees = len(left) - 2.0
    return min(degrees, 2 * len(left) * float(squares.mean()) ** 2 // spread) if spread else degrees
