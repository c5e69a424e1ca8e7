"""Sessions that really hold memory."""

from __future__ import annotations

import pytest

from mock_services.cart.session_cache import SessionCache


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def filled(clock: Clock, *names: str) -> SessionCache:
    cache = SessionCache(10, 100, 1, clock)
    for name in names:
        cache.open(name, None)
    return cache


def test_an_expired_session_stays_in_memory_until_somebody_looks() -> None:
    """Lazy eviction: time alone frees nothing; access does, and only that session."""
    clock = Clock()
    cache = filled(clock, "a", "b")
    clock.now_s += 10
    assert len(cache) == 2
    assert cache.find("a") is None
    assert (len(cache), cache.evicted) == (1, 1)


def test_access_keeps_a_session_alive() -> None:
    """The time to live counts from the last access."""
    clock = Clock()
    cache = filled(clock, "a")
    for _ in range(5):
        clock.now_s += 9
        assert cache.find("a") is not None


def test_evict_drops_exactly_the_expired_ones() -> None:
    """And says how many bytes they held."""
    clock = Clock()
    cache = filled(clock, "a", "b", "c")
    clock.now_s += 6
    kept = cache.find("b")
    cache.open("d", None)
    clock.now_s += 4
    assert cache.evict() == 200
    assert (len(cache), cache.find("b")) == (2, kept)


def test_what_leaks_stays_until_a_collection() -> None:
    """Every second expired session is lost by evict() and its memory held; its cart is gone."""
    clock = Clock()
    cache = filled(clock, *"abcdef")
    cache.leaks.share = 0.5
    clock.now_s += 10
    assert cache.evict() == 300
    assert ([name for name in "abcdef" if cache.find(name)], len(cache)) == ([], 3)
    assert cache.collect() == 300
    assert (len(cache), cache.evicted) == (0, 6)


def test_past_the_bound_the_least_recently_accessed_makes_room() -> None:
    """Expired or not: no number of carts takes more memory."""
    clock = Clock()
    cache = filled(clock, "a", "b")
    cache.sessions_max = 2
    cache.find("a")
    cache.open("c", None)
    assert (len(cache), cache.find("b"), cache.evicted) == (2, None, 1)


@pytest.mark.parametrize("size", [0, 1, 16_384, 1 << 20, (1 << 20) + 7])
def test_a_session_holds_its_bytes(size: int) -> None:
    """Whatever the size, beyond the noise block too."""
    assert len(SessionCache(10, size, 1).open("a", None).ballast) == size


def test_sessions_do_not_share_their_bytes() -> None:
    """Two sessions hold different memory with different content."""
    cache = SessionCache(10, 4096, 1)
    assert cache.open("a", None).ballast != cache.open("b", None).ballast
