"""analysis/levels/margins.py: how full pools were, where replicas come, go, and are resized."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from analysis.evidence.pool_series import PoolSeries
from analysis.evidence.resources import Pool
from analysis.levels.margins import Fullness, fullnesses
from analysis.levels.replicas import changed
from analysis.limits.thresholds import parse_thresholds
from recording.arrays import Floats

LOCKS = "inventory-lock-service"
LIMITS = parse_thresholds(f'[{LOCKS}]\npool = ["utilization < 80 %"]')
SECONDS = 5.0
T_S = np.arange(10) / 2.0


def pool(label: str, active: Any, size: Any = 64.0, t_s: Floats = T_S) -> Pool:
    none, whole = np.zeros(t_s.size), np.ones(t_s.size)
    return Pool(LOCKS, label, PoolSeries(t_s, size * whole, active * whole, none, none), ())


def fullness(*pools: Pool) -> Fullness:
    evidence = SimpleNamespace(measured_s=SECONDS)
    case = cast(Any, SimpleNamespace(pools={LOCKS: list(pools)}, evidence=evidence))
    return dict(fullnesses(case, LIMITS))[LOCKS]


def test_a_replica_that_comes_late_hides_no_peak() -> None:
    """What the first one held before it came counts."""
    found = fullness(pool("locks/0", [63.0] * 8 + [30.0] * 2), pool("locks/1", 30.0, t_s=T_S[8:]))
    assert found.samples.max() == pytest.approx(63 / 64 / 0.8)
    assert found.broke
    assert not found.starved
    assert found.room == pytest.approx(0.8 * 64 * 1.2)


def test_every_replicas_samples_are_ones_in_which_a_peak_may_be() -> None:
    """Their mean is that of what is in use, over what may be."""
    found = fullness(pool("locks/0", 20.0), pool("locks/1", 40.0))
    assert found.per_s == pytest.approx(4.0)
    assert found.room == pytest.approx(0.8 * 128)
    assert found.samples.mean() * found.room == pytest.approx(60.0)


def test_of_two_pools_the_fuller_one_counts_by_itself() -> None:
    """Its room is its own."""
    found = fullness(pool("locks/0", 40.0), pool("reads/0", 2.0, size=20.0))
    assert found.room == pytest.approx(0.8 * 64)
    assert found.samples.max() == pytest.approx(40 / 64 / 0.8)


def test_all_of_a_replicas_in_use_says_too_little() -> None:
    """As callers who wait do."""
    assert fullness(pool("locks/0", [64.0] + [30.0] * 9), pool("locks/1", 30.0)).starved


def seen(*pools: Pool) -> Any:
    return SimpleNamespace(case=SimpleNamespace(pools={LOCKS: list(pools), "cart-service": []}))


def test_replicas_that_differ_from_slot_to_slot_are_told() -> None:
    """Between slots or within one; another pool of the same replica is none."""
    one, other, late = pool("locks/0", 9.0), pool("locks/1", 9.0), pool("locks/1", 9.0, t_s=T_S[8:])
    of_its_own = pool("requests/0", 9.0)
    for slots in ([seen(one), seen(one, other)], [seen(one, late)], [seen(one, of_its_own, late)]):
        assert [text.partition(" with")[0] for text in changed(slots)] == [
            f"{LOCKS} had 1 to 2 replicas"
        ]
    for slots in ([], [seen(one, other), seen(one, other)], [seen(one, of_its_own)], [seen()]):
        assert list(changed(slots)) == []
