"""Looks are declared, balanced, and spend no more error than was promised."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.statistics.looks import LookPlan, balanced_order


@given(st.lists(st.integers(1, 15).map(lambda n: 2 * n), min_size=1, max_size=5))
def test_the_looks_share_out_the_error_exactly(stretches: list[int]) -> None:
    """Whatever the looks, their shares of alpha are positive and add up to alpha."""
    plan = LookPlan(tuple(int(n) for n in np.cumsum(stretches)))
    shares = [plan.share(0.01, n) for n in plan.rounds]
    assert sum(shares) == pytest.approx(0.01)
    assert min(shares) >= 0


@given(st.integers(0, 2**32))
@settings(max_examples=50)
def test_the_drawn_order_is_balanced_between_looks(seed: int) -> None:
    """Half of the rounds up to each look load head first."""
    order = balanced_order(LookPlan((8, 12, 20)), seed)
    assert [sum(order[:n]) for n in (8, 12, 20)] == [4, 6, 10]


@pytest.mark.parametrize("rounds", [(), (0,), (7,), (8, 8), (8, 6), (8, 13)])
def test_looks_that_cannot_balance_are_refused(rounds: tuple[int, ...]) -> None:
    """Looks rise by even steps."""
    with pytest.raises(ValueError, match="even number"):
        LookPlan(rounds)


def test_an_early_look_needs_stronger_proof() -> None:
    """At 24 of 40 rounds a tenth of alpha may be spent, and no less than a hundredth."""
    plan = LookPlan((24, 40))
    assert 0.0001 < plan.share(0.01, 24) < 0.001
