"""One row of a comparison: what it says, and what makes it PASS or FAIL.

Latency (``latency.py``) and costs (``paired/cost_rows.py``) estimate and test in ways of their own.
What follows from an estimate is decided and said here, for both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import exp, nan
from typing import Any, ClassVar, TypeVar

import numpy as np
from scipy.special import stdtrit

from analysis.limits.regression import CostSettings, RegressionSettings
from analysis.statistics.crossover import holm
from analysis.statistics.looks import LookPlan
from analysis.words.units import as_change
from analysis.words.values import Outcome


@dataclass(frozen=True, slots=True)
class Stakes:
    """What this look may decide: its shares of the errors, over `tests` rows."""

    alpha: float
    pass_error: float
    confidence: float
    tests: int

    @classmethod
    def at(
        cls, plan: LookPlan, rounds: int, settings: RegressionSettings | CostSettings, tests: int
    ) -> Stakes:
        """Of the look at `rounds`. Raises ValueError when none was declared there."""
        alpha, wrong = (plan.share(e, rounds) for e in (settings.alpha, 1 - settings.confidence))
        return cls(alpha, wrong, settings.confidence, tests)

    @property
    def beyond(self) -> float:
        """What lies beyond either end of an interval."""
        return (1 - self.confidence) / 2

    @property
    def of_one(self) -> float:
        """The p-value that one of all rows may have to reach for a FAIL."""
        return self.alpha / max(1, self.tests)


@dataclass(frozen=True, slots=True)
class Bound:
    """An estimated change: with its two-sided interval, and its one-sided bound at this look's
    share of the error.

    `error` is the standard error; in latency rows that of a regression of about the size that can
    be proven.
    """

    effect: float = nan
    low: float = nan
    high: float = nan
    upper: float = nan
    error: float = nan


NOTHING = Bound()
"""Of what was not measured."""


@dataclass(frozen=True)
class Row:
    """One metric of one subject, head against base: what was found, and what may be decided.

    `base` and `head` are in `unit`; `found`, `minimum` (a smaller change is never a FAIL) and
    `tolerated` (a PASS excludes more) are log ratios where `is_ratio`, else in `unit`. `p_value`
    is one-sided (head is worse) and `p_holm` corrects it for all rows of its kind. `lacks` says
    why nothing could be tested, if so; all figures are nan then. `excuse` says why the row may not
    FAIL all the same.
    """

    subject: str
    metric: str
    unit: str
    stakes: Stakes
    base: float = nan
    head: float = nan
    minimum: float = nan
    tolerated: float = nan
    found: Bound = NOTHING
    degrees: float = nan
    p_value: float = nan
    p_holm: float = nan
    is_ratio: bool = False
    lacks: str = ""
    excuse: str = ""

    KEYS: ClassVar[tuple[str, ...]]
    """Keys of verdict.json; after = the attribute, where its name is another."""
    UNTESTED: ClassVar[str]
    BETTER: ClassVar[str]
    """What is said of a change for the better that is past doubt."""

    def table(self) -> dict[str, Any]:
        """As in verdict.json."""
        pairs = (key.partition("=") for key in self.KEYS)
        return {key: getattr(self, name or key) for key, _, name in pairs}

    @property
    def judged(self) -> bool:
        """Whether anything could be tested; what could not is never a PASS nor a FAIL."""
        return not self.lacks

    @property
    def verdict(self) -> Outcome:
        """FAIL needs proof and size, PASS exclusion of what is not tolerated."""
        if self.judged and self.proven and self.large:
            return Outcome.INCONCLUSIVE if self.excuse else Outcome.FAIL
        return Outcome.PASS if self.judged and self.most < self.tolerated else Outcome.INCONCLUSIVE

    @property
    def proven(self) -> bool:
        """Whether head is worse at all."""
        return self.p_holm <= self.stakes.alpha

    @property
    def large(self) -> bool:
        """Whether the change is one that matters."""
        return self.found.effect >= self.minimum

    @property
    def most(self) -> float:
        """What the change may be at most."""
        return self.found.upper

    @property
    def change(self) -> float:
        """Head minus base, in `unit`."""
        return self._in_unit(self.found.effect)

    @property
    def ci_low(self) -> float:
        """Lower end of its interval."""
        return self._in_unit(self.found.low)

    @property
    def ci_high(self) -> float:
        """Upper end of its interval."""
        return self._in_unit(self.found.high)

    @property
    def smallest_detectable(self) -> float:
        """The change this run would have called FAIL with probability POWER."""
        raise NotImplementedError

    @cached_property
    def because(self) -> str:
        """In a few words what the verdict stands on."""
        if self.lacks:
            return f"{self.UNTESTED}: {self.lacks}"
        if self.verdict is Outcome.FAIL:
            return f"{self._worse}, p {self.p_holm:.2g} after Holm"
        if self.verdict is Outcome.INCONCLUSIVE:
            return self._undecided + self._beside
        most, limit = self.text(self.most), self.text(self.tolerated)
        return f"at most {most}, below the tolerated {limit}{self._beside}"

    @property
    def _worse(self) -> str:
        return self.text(self.found.effect)

    @property
    def _undecided(self) -> str:
        raise NotImplementedError

    @property
    def _beside(self) -> str:
        """Why an interval without 0 stands beside a p-value that proves nothing."""
        if self.found.high < 0:
            return f"; {self.BETTER}"
        if self.found.low <= 0 or self.proven:
            return ""
        return self._unproven or (
            f"; a FAIL takes p {self.stakes.alpha:.2g} after Holm, for one of {self.stakes.tests} "
            f"rows may look so by chance: it is {self.p_holm:.2g}"
        )

    @property
    def _unproven(self) -> str:
        """Another reason than that there are many rows."""
        return ""

    def text(self, change: float) -> str:
        """A change in words."""
        if self.is_ratio:
            return as_change(exp(change))
        # A difference of percentages is no percentage.
        return f"{change:+.3g} {'points' if self.unit == '%' else self.unit}"

    def critical(self, error: float) -> float:
        """The t that is exceeded with this probability."""
        return float(stdtrit(self.degrees, 1 - error))

    def _in_unit(self, change: float) -> float:
        return self.base * (exp(change) - 1) if self.is_ratio else change


AnyRow = TypeVar("AnyRow", bound=Row)


def corrected(rows: Sequence[AnyRow]) -> tuple[AnyRow, ...]:
    """With p-values after Holm; those that could not be tested count, with p = 1."""
    adjusted = holm(np.array([row.p_value if row.judged else 1.0 for row in rows]))
    return tuple(
        replace(row, p_holm=float(p)) if row.judged else row
        for row, p in zip(rows, adjusted, strict=True)
    )


def overall(rows: Iterable[Row]) -> Outcome:
    """FAIL if any row does, PASS if all do."""
    verdicts = {row.verdict for row in rows}
    if Outcome.FAIL in verdicts:
        return Outcome.FAIL
    return Outcome.PASS if verdicts == {Outcome.PASS} else Outcome.INCONCLUSIVE
