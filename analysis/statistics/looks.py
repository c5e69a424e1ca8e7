"""When a gate may look at its data, how much error each look may spend, and in which order
the two arms are loaded.

A gate that looks after every round and stops at the first alarm raises far more false alarms
than one look would. So the looks are declared before the first request, and each gets its own
share of the error; whatever the data do, the shares add up to what was promised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import ndtr, ndtri

from recording.arrays import Bools
from recording.profile import MIN_ROUNDS


@dataclass(frozen=True, slots=True)
class LookPlan:
    """The numbers of rounds after which the gate is judged; the last is the budget.

    ``LookPlan((40,))`` looks once; ``LookPlan((24, 40))`` may stop after 24 rounds. The order
    of the arms is balanced within each stretch between looks, so each stretch is even.

    Raises ValueError when the looks do not rise or a stretch is odd or empty.
    """

    rounds: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.rounds or any(stretch <= 0 or stretch % 2 for stretch in self.stretches()):
            raise ValueError(
                f"looks at rounds {self.rounds}: need rising numbers with an even number of"
                " rounds between them, so that base-first and head-first balance"
            )

    def stretches(self, upto_rounds: int | None = None) -> tuple[int, ...]:
        """How many rounds lie between one look and the next, up to a look."""
        looks = [n for n in self.rounds if upto_rounds is None or n <= upto_rounds]
        return tuple(after - before for before, after in pairwise([0, *looks]))

    def imbalance(self, head_first: Sequence[bool] | Bools) -> str:
        """The first stretch in which head does not run first in half of its rounds; "" where none.

        `head_first` is by round, up to a look.
        """
        first, start = np.asarray(head_first, dtype=bool), 0
        for stretch in self.stretches(first.size):
            end = start + stretch
            if 2 * (count := int(first[start:end].sum())) != stretch:
                return f"rounds {start + 1} to {end}: head ran first in {count} of {stretch}"
            start = end
        return ""

    def scaled(self, rounds: int) -> LookPlan:
        """The same looks for a gate of `rounds` rounds (even): at the same parts of its length.

        Each may then spend the same share of the error, whatever the length; one that would come
        before `MIN_ROUNDS`, where nothing can be decided, is left out.
        """
        pairs = (2 * round(n * rounds / self.rounds[-1] / 2) for n in self.rounds[:-1])
        early = sorted({n for n in pairs if MIN_ROUNDS <= n < rounds})
        return LookPlan((*early, rounds))

    def share(self, error: float, at_rounds: int) -> float:
        """The part of `error` (a probability, one-sided) that the look at `at_rounds` may spend.

        Lan & DeMets (1983) spending in the O'Brien-Fleming shape: almost nothing early, almost
        all at the end. The increments are used as they are (Bonferroni over looks), which costs
        little and needs no model of how the looks depend on each other.

        Raises ValueError when no look was declared at that number of rounds.
        """
        if at_rounds not in self.rounds:
            raise ValueError(f"no look was declared after {at_rounds} rounds, only {self.rounds}")
        at = self.rounds.index(at_rounds)
        before = self._spent(error, self.rounds[at - 1]) if at else 0.0
        return self._spent(error, at_rounds) - before

    def _spent(self, error: float, rounds: int) -> float:
        fraction = rounds / self.rounds[-1]
        return float(2 * ndtr(ndtri(error / 2) / np.sqrt(fraction)))


def balanced_order(plan: LookPlan, seed: int) -> tuple[bool, ...]:
    """For each round, whether head is loaded before base: random, half of each stretch.

    This draw is what the p-values stand on; the loader must follow it, and the same `plan`
    must be given to the judge.
    """
    return tuple(bool(first) for first in random_orders(plan.stretches(), 1, seed)[0])


def random_orders(stretches: tuple[int, ...], draws: int, *seed: int) -> Bools:
    """`draws` independent balanced orders, one a row."""
    rng = np.random.default_rng(seed)
    parts = [rng.permuted(np.tile(np.arange(n) < n // 2, (draws, 1)), axis=1) for n in stretches]
    return np.concatenate(parts, axis=1)
