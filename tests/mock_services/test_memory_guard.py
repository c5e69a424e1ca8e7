"""Eviction on schedule, collection at a share of the limit, death past it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mock_services.cart.memory_guard import OOM_EXIT_CODE, MemoryGuard
from mock_services.cart.session_cache import SessionCache
from mock_services.cart.settings import CartSettings
from mock_services.kit.events import EventLog


class Bench:
    """A guard whose memory is handed in and whose kill is noted."""

    def __init__(self, events_path: Path, **settings: Any) -> None:
        self.events_path = events_path
        self.now_s = 1000.0
        self.settings = CartSettings(memory_limit_bytes=1000, ttl_s=10, **settings)
        self.cache = SessionCache(10, 100, 1, lambda: self.now_s)
        self.cache.leaks.share = float(self.settings.eviction == "lazy")
        self.rss: list[int] = []
        self.killed: list[int] = []
        self.guard = MemoryGuard(
            self.cache,
            EventLog("cart-service"),
            lambda: self.settings,
            lambda: self.rss.pop(0),
            self.killed.append,
        )

    def look(self, at_s: float, *rss: int) -> None:
        self.rss = list(rss)
        self.guard.look(at_s)

    def events(self) -> list[dict[str, Any]]:
        if not self.events_path.exists():
            return []
        return [json.loads(line) for line in self.events_path.read_text().splitlines()]


@pytest.fixture
def events_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "events.jsonl"
    monkeypatch.setenv("MOCK_EVENTS", str(path))
    return path


def test_collection_drops_the_expired_and_says_what_it_reclaimed(events_path: Path) -> None:
    """At 90 % of the limit: expired sessions go, and the event has memory before and after."""
    bench = Bench(events_path, eviction="lazy")
    bench.cache.open("old", None)
    bench.now_s += 10
    bench.cache.open("young", None)
    bench.look(0, 900, 300)
    event = bench.events()[0]
    assert len(bench.cache) == 1
    assert (event["event"], event["source"]) == ("gc", "cart-service")
    assert (event["cause"], event["rss_before_bytes"]) == ("memory_limit", 900)
    assert (event["rss_after_bytes"], event["reclaimed_bytes"]) == (300, 600)


def test_below_the_share_nothing_happens(events_path: Path) -> None:
    """No event, no collection, no kill."""
    bench = Bench(events_path, eviction="lazy")
    bench.look(0, 899)
    assert (bench.events(), bench.killed) == ([], [])


def test_a_collection_that_frees_nothing_is_not_repeated_at_once(events_path: Path) -> None:
    """At least 5 s lie between two collections."""
    bench = Bench(events_path, eviction="lazy")
    bench.look(100.0, 950, 950)
    bench.look(101.0, 950)
    bench.look(104.9, 950)
    bench.look(105.0, 950, 950)
    assert len(bench.events()) == 2


def test_past_the_limit_the_process_is_killed(events_path: Path) -> None:
    """After a collection that did not help: an event, then exit code 137."""
    bench = Bench(events_path, eviction="lazy")
    bench.look(0, 1100, 1050)
    assert bench.killed == [OOM_EXIT_CODE]
    assert [event["event"] for event in bench.events()] == ["gc", "oom_killed"]


def test_the_kill_can_be_switched_off(events_path: Path) -> None:
    """oom_kill = false lets it live past the limit."""
    bench = Bench(events_path, eviction="lazy", oom_kill=False)
    bench.look(0, 1100, 1050)
    assert bench.killed == []


@pytest.mark.parametrize(("eviction", "left"), [("scheduled", 0), ("lazy", 1)])
def test_only_scheduled_eviction_evicts_on_schedule(
    events_path: Path, eviction: str, left: int
) -> None:
    """After the interval expired sessions are gone, or (lazy) still there."""
    bench = Bench(events_path, eviction=eviction, eviction_interval_s=5)
    bench.cache.open("a", None)
    bench.now_s += 10
    bench.look(1e12, 100)
    assert len(bench.cache) == left


def test_after_a_collection_another_share_may_leak(events_path: Path) -> None:
    """From the first one on, and whatever is told meanwhile; before it, and evicting, not."""
    bench = Bench(events_path, eviction="lazy", leak_share=0.25, leak_share_collected=0.75)
    bench.cache.leaks.share = bench.settings.lost_share(collected=bench.guard.collected)
    bench.look(0, 100)
    assert bench.cache.leaks.share == 0.25
    bench.look(6, 900, 300)
    assert bench.cache.leaks.share == 0.75
    assert bench.settings.updated({"ttl_s": 5}).lost_share(collected=True) == 0.75
    assert bench.settings.updated({"eviction": "scheduled"}).lost_share(collected=True) == 0.0
    unsaid = bench.settings.updated({"leak_share_collected": None})
    assert unsaid.lost_share(collected=True) == 0.25
