"""A cost of a paired run as a row: estimate, test, bounds, and what the gate can say of it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp, hypot, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from analysis.regression.data import GateVerdict
from analysis.statistics.crossover import counted_t, p_values
from analysis.statistics.detectable import Hurdle, smallest_found
from analysis.words.units import as_change
from recording.profile import MIN_ROUNDS

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Small p-values are counted over so many orders that the least possible one is this much below
# what Holm asks for, but over no more than a million: the first of two looks may spend 0.00007 of
# 0.002, which over twenty rows takes p-values of 1 in 300,000, and a few seconds.
_BELOW = 8
_BATCH = 25_000
_MOST_BATCHES = 40
# Steps in which a change and the noise it brings settle to within a percent.
_SETTLED = 12


@dataclass(frozen=True, slots=True)
class CostRow:
    """One cost of one subject. `base`, `head`, `change` and its interval are in `unit`.

    `p_value` is one-sided (head costs more), `p_holm` corrects it for all cost rows. `judged` is
    False where nothing could be tested; such a row is never a FAIL. None: not measured.
    """

    subject: str
    metric: str
    unit: str
    verdict: GateVerdict
    because: str
    base: float | None = None
    head: float | None = None
    change: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    p_value: float | None = None
    p_holm: float | None = None
    judged: bool = False


@dataclass(frozen=True, slots=True)
class CostStakes:
    """What this look may decide: its shares of the errors, over `tests` rows."""

    alpha: float
    pass_error: float
    confidence: float
    tests: int


@dataclass(frozen=True, slots=True)
class Cost:
    """An estimate of head's change, before Holm's correction.

    `effect`, `error` (standard error), `minimum` (a smaller change is never a FAIL), `tolerated`
    (a PASS excludes more) and `grain` (what the measurement cannot show, added to both bounds) are
    in `unit`, or log ratios where `is_ratio`. `p_value` tests against this much
    (`tested_against`, and the grain): nothing, but for memory. `excuse` says why the row may not
    FAIL all the same. `per_event` is what one more event in head adds (100 / n percent of n
    requests): a change of events brings noise of its own. `steady` are the degrees of freedom that
    `error` itself is known by, fewer where the rounds have outliers.
    """

    subject: str
    metric: str
    unit: str
    base: float = 0.0
    head: float = 0.0
    effect: float = 0.0
    error: float = 0.0
    degrees: float = 1.0
    minimum: float = 0.0
    tolerated: float = 0.0
    grain: float = 0.0
    per_event: float = 0.0
    steady: float = 1.0
    p_value: float = 1.0
    tested_against: float = 0.0
    is_ratio: bool = False
    lacks: str = ""
    excuse: str = ""

    def row(self, stakes: CostStakes, p_holm: float) -> CostRow:
        """The row as reported."""
        if self.lacks:
            because = f"no data: {self.lacks}"
            return CostRow(self.subject, self.metric, self.unit, GateVerdict.INCONCLUSIVE, because)
        half = self._critical((1 - stakes.confidence) / 2) * self.error + self.grain
        verdict = self._verdict(stakes, p_holm)
        return CostRow(
            self.subject,
            self.metric,
            self.unit,
            verdict,
            self._because(verdict, stakes, p_holm) + self._beside(half, stakes, p_holm),
            self.base,
            self.head,
            self._in_unit(self.effect),
            self._in_unit(self.effect - half),
            self._in_unit(self.effect + half),
            self.p_value,
            p_holm,
            judged=True,
        )

    def _verdict(self, stakes: CostStakes, p_holm: float) -> GateVerdict:
        if p_holm <= stakes.alpha and self.effect >= self.minimum:
            return GateVerdict.INCONCLUSIVE if self.excuse else GateVerdict.FAIL
        if self._upper(stakes) < self.tolerated:
            return GateVerdict.PASS
        return GateVerdict.INCONCLUSIVE

    def _because(self, verdict: GateVerdict, stakes: CostStakes, p_holm: float) -> str:
        if verdict is GateVerdict.FAIL:
            return f"{self._text(self.effect)}, p {p_holm:.2g} after Holm"
        if verdict is GateVerdict.PASS:
            most, limit = self._text(self._upper(stakes)), self._text(self.tolerated)
            return f"at most {most}, below the tolerated {limit}"
        if self.excuse and p_holm <= stakes.alpha:
            return f"{self._text(self.effect)}, but {self.excuse}"
        most = self._text(self._upper(stakes))
        return f"not decided: could be up to {most}; {self._could_see(stakes)}"

    def _could_see(self, stakes: CostStakes) -> str:
        if self.tested_against:
            return f"a FAIL takes {self._text(self.minimum)} at least, and a growth that goes on"
        return f"the smallest it could have seen is {self._text(self.smallest_detectable(stakes))}"

    def _beside(self, half: float, stakes: CostStakes, p_holm: float) -> str:
        """Why an interval without 0 stands beside a p-value that proves nothing."""
        if self.effect + half < 0:
            return "; less than base, and p is of more"
        if self.effect - half <= 0 or p_holm <= stakes.alpha:
            return ""
        if self.tested_against:
            return f"; p is of more than {self._text(self.tested_against)}"
        return (
            f"; its interval is that of one row alone, p {p_holm:.2g} after Holm that of the most "
            f"different of {stakes.tests}"
        )

    def smallest_detectable(self, stakes: CostStakes) -> float:
        """The change called FAIL with probability POWER, where p is counted over orders."""
        proof = counted_t(self._critical(stakes.alpha / stakes.tests), self.degrees)
        change = self.minimum
        for _ in range(_SETTLED):
            error = hypot(self.error, sqrt(change * self.per_event))
            change = smallest_found((Hurdle(error, proof),), self.steady, self.minimum)
        return change

    def _upper(self, stakes: CostStakes) -> float:
        return self.effect + self._critical(stakes.pass_error) * self.error + self.grain

    def _critical(self, error: float) -> float:
        return float(stdtrit(self.degrees, 1 - error))

    def _in_unit(self, change: float) -> float:
        return self.base * (exp(change) - 1) if self.is_ratio else change

    def _text(self, change: float) -> str:
        if self.is_ratio:
            return as_change(exp(change))
        # A difference of percentages is no percentage.
        return f"{change:+.3g} {'points' if self.unit == '%' else self.unit}"


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


def compared(
    measured: list[Measured],
    head_first: Bools,
    stretches: tuple[int, ...],
    seed: int,
    smallest_p: float,
) -> list[Cost]:
    """The crossover test of ``crossover.py`` on every cost, without a control.

    `smallest_p` is the p-value that a row may have to reach.
    """
    gaps = [m.gap() for m in measured]
    whole = [m for m, gap in zip(measured, gaps, strict=True) if not gap]
    signs = np.where(head_first, -1.0, 1.0)
    differences = np.array([_difference(m) * signs for m in whole])
    nothing = np.zeros_like(differences)
    batches = (2_000, *(_BATCH,) * min(_MOST_BATCHES, ceil(_BELOW / smallest_p / _BATCH)))
    p = iter(p_values(differences, nothing, signs, stretches, seed, batches) if whole else ())
    return [
        Cost(m.subject, m.metric, m.unit, lacks=gap) if gap else _cost(m, signs, float(next(p)))
        for m, gap in zip(measured, gaps, strict=True)
    ]


def _cost(m: Measured, signs: Floats, p_value: float) -> Cost:
    rounds = len(signs)
    difference = _difference(m)
    effect = float(difference.mean())
    ordered = difference * signs
    left = ordered - ordered.mean() - effect * signs
    error = float(np.sqrt(left @ left / (rounds - 2) / rounds))
    base, head = np.exp(np.log(m.values).mean(1)) if m.is_ratio else m.values.mean(1)
    return Cost(
        m.subject,
        m.metric,
        m.unit,
        base=float(base),
        head=float(head),
        effect=effect,
        error=error,
        degrees=rounds - 2.0,
        minimum=m.minimum,
        tolerated=m.tolerated,
        grain=m.grain,
        per_event=m.per_event,
        steady=_steady(left),
        p_value=p_value,
        is_ratio=m.is_ratio,
    )


def _steady(left: Floats) -> float:
    """Degrees of freedom of a mean square of residuals: its variance goes by their kurtosis."""
    squares = left**2
    spread = float(squares.var())
    degrees = len(left) - 2.0
    return min(degrees, 2 * len(left) * float(squares.mean()) ** 2 // spread) if spread else degrees


def _difference(m: Measured) -> Floats:
    base, head = np.log(m.values) if m.is_ratio else m.values
    return np.asarray(head - base)
