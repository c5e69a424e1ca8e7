"""The sandbox's token bucket."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mock_services.payment.rate_limit import TokenBucket


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_second_is_one_burst_and_then_the_rate() -> None:
    """200/s: 200 at once pass, the next is refused; half a second later 100 more pass."""
    clock = Clock()
    bucket = TokenBucket(200, clock)
    assert sum(bucket.take().allowed for _ in range(300)) == 200
    clock.now_s = 0.5
    assert sum(bucket.take().allowed for _ in range(300)) == 100


def test_what_the_headers_say() -> None:
    """limit, remaining, seconds until full, seconds until the next try."""
    clock = Clock()
    bucket = TokenBucket(2, clock)
    first, _, refused = bucket.take(), bucket.take(), bucket.take()
    assert (first.limit, first.remaining, first.reset_s) == (2, 1, 1)
    assert (refused.allowed, refused.remaining, refused.retry_after_s) == (False, 0, 1)


def test_below_one_per_second_retry_after_tells_the_wait() -> None:
    """0.1/s: ten seconds."""
    bucket = TokenBucket(0.1, Clock())
    bucket.take()
    assert bucket.take().retry_after_s == 10


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=200), st.floats(1, 50))
@settings(derandomize=True, deadline=None)
def test_never_more_than_the_rate_plus_one_burst(gaps_s: list[float], rate: float) -> None:
    """Over any time t at most rate * t + rate requests pass."""
    clock = Clock()
    bucket = TokenBucket(rate, clock)
    passed = 0
    for gap_s in gaps_s:
        clock.now_s += gap_s
        passed += bucket.take().allowed
    assert passed <= rate * clock.now_s + max(1.0, rate) + 1e-6


def test_a_lower_rate_shrinks_what_is_in_the_bucket() -> None:
    """set_rate takes effect at once."""
    bucket = TokenBucket(100, Clock())
    bucket.set_rate(3)
    assert sum(bucket.take().allowed for _ in range(10)) == 3
