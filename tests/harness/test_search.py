"""A search runs its levels in one recording, and what it saw is what the recording says."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from rich.console import Console

from analysis.evidence.run import load_evidence
from analysis.levels.seen import Seen, due_in, levels_seen
from analysis.limits.thresholds import load_thresholds
from harness.run.conduct import Order, record
from harness.run.search import Latest, Search, Wanted
from harness.scene.behaviour import change_all
from harness.scene.running import running_of
from harness.scene.scene import Scene, single
from harness.screen.live import LiveView
from recording.manifest import Searched
from recording.profile import Profile

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
PROFILE = {
    "name": "levels",
    "seed": 7,
    "load": {
        "model": "arrivals",
        "processes": 2,
        "max_concurrent": 200,
        "phases": [{"name": "search", "duration": 60, "arrivals_per_s": 40, "measured": True}],
    },
    "recording": {"interval": 0.5},
    "sampling": {"interval": 0.5},
    "journey": {
        "think": {"min": 0, "max": 0.02},
        "session": {"min": 1, "max": 2},
    },
}
SERVICES: dict[str, dict[str, Any]] = {
    name: {"latency_scale": 0.05} for name in ("checkout", "payment", "cart", "inventory_lock")
}


class Planned:
    """Three levels known beforehand; the last is given up as soon as it counts."""

    def __init__(self) -> None:
        self.seen: Sequence[Seen] = ()

    def next(self, seen: Sequence[Seen]) -> Wanted | None:
        self.seen = tuple(seen)
        told = ({}, {"checkout.pool_max": 3}, {"checkout.pool_max": 2})
        if len(seen) == len(told):
            return None
        return Wanted(20.0 + 10 * len(seen), 3.0, 1.0, told[len(seen)], "trying")

    def hopeless(self, wanted: Wanted, latest: Latest) -> bool:
        return wanted.load == 40.0 and bool(latest)


def test_a_search_sees_what_its_recording_says(tmp_path: Path) -> None:
    """Levels in their order, loads to the journey, settings in force, one given up early."""
    profile, chooser, told = Profile.model_validate(PROFILE), Planned(), []

    def applying(scene: Scene) -> Any:
        assert scene.services is not None
        running = running_of(scene.services, 0, 7)

        def apply(settings: Mapping[str, Any], _over: Event) -> None:
            told.append(dict(settings))
            if settings:
                change_all(running, {"checkout": {"pool_max": settings["checkout.pool_max"]}})

        return apply

    limits = load_thresholds(ROOT / "thresholds.toml")
    search = Search(Searched(kind="test"), chooser, limits, applying)
    order = Order(profile, single(profile, SERVICES, "127.0.0.1"), seed=7, search=search)
    view = LiveView(Console(file=io.StringIO()), "test")
    run = record(order, tmp_path, view)

    evidence = load_evidence(run)
    assert (evidence.manifest.ended, evidence.damage) == ("completed", ())
    assert [level.load for level in evidence.levels] == [20.0, 30.0, 40.0]
    assert told == [{}, {"checkout.pool_max": 3}, {"checkout.pool_max": 2}]
    found = levels_seen(evidence, limits)
    assert [one.level for one in found] == list(evidence.levels)
    assert found[2].level.counted_s < 2.0 == found[0].level.counted_s
    for one in found[:2]:
        assert one.samples["browse"].n == due_in(evidence, one.level)
    sizes = [one.case.pools["checkout-service"][0].series.maximum.max() for one in found]
    assert sizes == [200, 3, 2]
    assert [one.level for one in chooser.seen] == list(evidence.levels)
    assert [len(one.broken) for one in chooser.seen[:2]] == [len(one.broken) for one in found[:2]]
