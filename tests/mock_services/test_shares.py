"""Shares are dealt, not drawn."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mock_services.kit.shares import Share


@given(st.integers(0, 1000), st.integers(0, 3000))
@settings(derandomize=True, deadline=None)
def test_count_is_the_share_rounded_at_any_moment(per_mille: int, asked: int) -> None:
    """After n questions exactly round(n * share) were hits, up to the tie at a half."""
    share = Share(per_mille / 1000)
    hits = sum(share.hit() for _ in range(asked))
    assert abs(hits - asked * per_mille / 1000) <= 0.5 + 1e-6


def test_hits_are_spread_evenly() -> None:
    """At 10 % every tenth is a hit, starting half-way."""
    share = Share(0.1)
    assert [n for n in range(30) if share.hit()] == [4, 14, 24]


def test_bounds() -> None:
    """0 never hits, 1 always does."""
    assert not any(Share(0.0).hit() for _ in range(100))
    one = Share(1.0)
    assert all(one.hit() for _ in range(100))
