"""Sessions that really hold memory."""

from __future__ import annotations

import pytest

from mock_services.cart.session_cache import SessionCache


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_an_expired_session_stays_in_memory_until_somebody_looks() -> None:
    """Lazy eviction: time alone frees nothing; access does, and only that session."""
    clock = Clock()
    cache = SessionCache(10, 100, 1, clock)
    cache.access("a").items = 5
    cache.access("b")
    clock.now_s += 10
    assert len(cache) == 2
    assert cache.access("a").items == 0
    assert (len(cache), cache.evicted) == (2, 1)


def test_access_keeps_a_session_alive() -> None:
    """The time to live counts from the last access."""
    clock = Clock()
    cache = SessionCache(10, 100, 1, clock)
    cache.access("a").items = 5
    for _ in range(5):
        clock.now_s += 9
        assert cache.access("a").items == 5


def test_evict_drops_exactly_the_expired_ones() -> None:
    """And says how many bytes they held."""
    clock = Clock()
    cache = SessionCache(10, 100, 1, clock)
    for name in "abc":
        cache.access(name)
    clock.now_s += 6
    cache.access("b").items = 1
    cache.access("d")
    clock.now_s += 4
    assert cache.evict() == 200
    assert (len(cache), cache.access("b").items) == (2, 1)


@pytest.mark.parametrize("size", [0, 1, 16_384, 1 << 20, (1 << 20) + 7])
def test_a_session_holds_its_bytes(size: int) -> None:
    """Whatever the size, beyond the noise block too."""
    assert len(SessionCache(10, size, 1).access("a").ballast) == size


def test_sessions_do_not_share_their_bytes() -> None:
    """Two sessions hold different memory with different content."""
    cache = SessionCache(10, 4096, 1)
    assert cache.access("a").ballast != cache.access("b").ballast
