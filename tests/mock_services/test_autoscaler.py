"""The autoscaler and the CPU it looks at, in virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError
from virtual_time import play

from mock_services.inventory_lock.autoscaler import Autoscaler
from mock_services.inventory_lock.cpu import CpuMeter, utilization
from mock_services.inventory_lock.replicas import Replicas
from mock_services.inventory_lock.settings import InventoryLockSettings
from mock_services.kit.pool import Pool


class Scene:
    """An autoscaler that sees what it is told, once a second; `told` has (second, event)."""

    def __init__(self, **settings: Any) -> None:
        self.settings = InventoryLockSettings.model_validate(settings)
        self.replicas = Replicas("locks", self.settings.replicas, 10, "round_robin")
        self.scaler = Autoscaler("lock", lambda: self.settings, self.replicas, self._write)
        self.told: list[tuple[int, str]] = []

    def _write(self, event: str, **fields: Any) -> None:
        to = f" {fields['replicas_after']}" if event == "scaled" else ""
        self.told.append((round(asyncio.get_running_loop().time()), event + to))

    async def see(self, seconds: int, percent_of_all: float) -> None:
        """Replicas that share a load; percent of one."""
        for _ in range(seconds):
            serving = len(self.replicas)
            now_s = asyncio.get_running_loop().time()
            self.scaler.look(now_s, [percent_of_all / serving] * serving)
            await asyncio.sleep(1)


def test_it_scales_when_the_metric_stays_above_for_the_hold_time() -> None:
    """One second below begins it anew; the new replica serves once it is ready."""

    async def scenario() -> tuple[list[tuple[int, str]], int]:
        scene = Scene()
        await scene.see(119, 168)
        await scene.see(1, 160)
        await scene.see(420, 168)
        return scene.told, len(scene.replicas)

    events = [(240, "scaled 3"), (372, "pod_scheduled"), (407, "pod_started"), (422, "pod_ready")]
    assert play(scenario()) == (events, 3)


def test_it_wants_as_many_as_carry_the_load_but_no_more_than_the_least_it_wanted() -> None:
    """500 % at 80 % are seven, five at most; a moment at 250 % makes it four."""

    async def scenario() -> list[tuple[int, str]]:
        scene, calmer = Scene(), Scene()
        await scene.see(121, 500)
        await calmer.see(100, 500)
        await calmer.see(1, 250)
        await calmer.see(20, 500)
        return [*scene.told, *calmer.told]

    assert play(scenario()) == [(120, "scaled 5"), (241, "scaled 4")]


def test_it_scales_down_after_the_quiet_time_and_only_if_it_may() -> None:
    """Kubernetes' formula: 128 % of three replicas fit on two, as the seed's never did."""

    async def scenario() -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
        kept, shrunk = Scene(replicas=3), Scene(replicas=3, scale_down_after_s=300)
        await kept.see(3600, 128)
        await shrunk.see(1000, 128)
        return kept.told, shrunk.told

    assert play(scenario()) == ([], [(3900, "scaled 2")])


def test_replicas_outside_of_the_range_widen_it() -> None:
    """A single replica is not doubled, seven are not reduced."""

    async def scenario() -> list[list[tuple[int, str]]]:
        scenes = [Scene(replicas=1), Scene(replicas=7, scale_down_after_s=1)]
        for scene, load in zip(scenes, (79, 600), strict=True):
            await scene.see(300, load)
        return [scene.told for scene in scenes]

    assert play(scenario()) == [[], []]


def test_scaling_by_hand_drops_what_was_starting() -> None:
    """As kubectl scale does; from then on the autoscaler starts from that number."""

    async def scenario() -> tuple[list[tuple[int, str]], int, int]:
        scene = Scene(scale_hold_s=0)
        await scene.see(10, 168)
        scene.scaler.set(4)
        by_hand = len(scene.replicas)
        await scene.see(400, 168)
        return scene.told, by_hand, len(scene.replicas)

    assert play(scenario()) == ([(0, "scaled 3")], 4, 4)


def test_switched_off_it_does_nothing() -> None:
    """Whatever it sees."""

    async def scenario() -> list[tuple[int, str]]:
        scene = Scene(autoscale=False)
        await scene.see(300, 500)
        return scene.told

    assert play(scenario()) == []


def test_a_range_that_is_none_is_refused() -> None:
    """By both names."""
    with pytest.raises(ValidationError, match=r"replicas_min = 6 .* replicas_max = 5"):
        InventoryLockSettings(replicas_min=6)
    with pytest.raises(ValidationError, match=r"at least 0\.001"):
        InventoryLockSettings(expiry_per_s=1e-310)


@pytest.mark.parametrize(
    ("requests_per_s", "held", "waiting", "percent"),
    [(0, 0, False, 0), (84, 1480, False, 63), (84, 2000, False, 79), (84, 2000, True, 84)],
)
def test_cpu_of_a_replica_at_the_seeds_peak(
    requests_per_s: float, held: int, waiting: bool, percent: float
) -> None:
    """88 acquires and 80 releases a second on two replicas; 84 % as the pool runs dry."""
    share = utilization(InventoryLockSettings(), requests_per_s, held, waiting)
    assert 100 * share == pytest.approx(percent, abs=0.5)


def test_cpu_is_measured_between_two_readings() -> None:
    """Requests of that time, locks held now, and who waited in it though nobody does now."""

    async def scenario() -> list[dict[str, float]]:
        settings = InventoryLockSettings()
        meter, pools = CpuMeter(), [Pool("locks", "0", 1), Pool("locks", "1", 1)]
        meter.read(100.0, settings, pools)
        begun = dict(meter.utilization)
        lease = await pools[1].acquire(1)
        waiter = asyncio.create_task(pools[1].acquire(9))
        await asyncio.sleep(0)
        lease.release()
        await waiter
        meter.requests += 400
        meter.read(102.0, settings, pools)
        waited = dict(meter.utilization)
        meter.read(104.0, settings, pools)
        return [begun, waited, dict(meter.utilization)]

    begun, waited, after = asyncio.run(scenario())
    assert begun == {}
    assert waited == pytest.approx({"0": 0.205, "1": 0.205 + 0.05 + 0.000309})
    assert after == pytest.approx({"0": 0.0, "1": 0.000309})
