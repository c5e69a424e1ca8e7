"""What is drawn at random: anew for each run, arm and service, and again where asked for."""

from pathlib import Path
from typing import Any

import pytest

from harness.generator.generator import Workers
from harness.run.conduct import Order, checked, conduct
from harness.scene.arms import PreparedArm, prepared, seeded
from harness.scene.seeds import derived, drawn, seeded_services
from harness.screen.live import LiveView
from mock_services.table import SERVICES
from recording.manifest import PairedRun
from recording.profile import Profile
from recording.profile_file import load_profile
from recording.rundir import RunDir
from recording.slots import ARMS, BASE, HEAD
from tests.harness.conftest import FIXTURES


def ordered(monkeypatch: pytest.MonkeyPatch, seed: int, *overrides: str) -> Order:
    """What a run on the tiny profile would carry out."""
    orders: list[Order] = []

    def kept(order: Order, runs: Path, _view: LiveView) -> RunDir:
        orders.append(order)
        return RunDir(runs)

    monkeypatch.setattr("harness.run.conduct.record", kept)
    profile = load_profile(FIXTURES / "tiny.toml", overrides)
    conduct(
        profile,
        checked(profile, "tiny.toml"),
        (),
        Path(),
        None,
        Workers(),
        seed,
        {},  # type: ignore[arg-type]
    )
    return orders[0]


def seeds_of(profile: Profile) -> dict[str, Any]:
    """Every seed that a resolved profile carries."""
    return {"load": profile.seed} | {n: dict(t).get("seed") for n, t in profile.services.items()}


def test_a_run_is_seeded_as_a_whole_and_in_each_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """The manifest's profile has one for the load and for each service, all different."""
    order = ordered(monkeypatch, 1)
    found = seeds_of(order.profile)
    assert sorted(found) == sorted(["load", *SERVICES])
    assert len(set(found.values())) == len(found)
    assert order.seed == 1


def test_the_same_seed_repeats_a_run_and_another_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of one run's draws is in another's."""
    first, again, other = (seeds_of(ordered(monkeypatch, seed).profile) for seed in (1, 1, 2))
    assert first == again
    assert not {*first.values()} & {*other.values()}


def test_without_a_seed_one_is_drawn() -> None:
    """Seeds that repeat would make twins of runs that are to be compared."""
    assert drawn(7) == 7
    assert len({drawn(None) for _ in range(100)}) == 100


def test_what_a_profile_seeds_stays_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the load and of single services."""
    found = seeds_of(ordered(monkeypatch, 1, "seed=5", "services.cart.seed=6").profile)
    assert (found["load"], found["cart"]) == (5, 6)
    assert found["payment"] == derived(1, "services", "payment")


def test_services_started_by_hand_draw_for_themselves() -> None:
    """Two replicas of a deployment are not twins either."""
    for mock in SERVICES.values():
        assert mock.settings().seed != mock.settings().seed


def arms(of: tuple[str, str], *overrides: str) -> PairedRun:
    """Both arms of this tree, seeded."""
    profile, ready = load_profile(FIXTURES / "tiny_gate.toml", overrides), []
    for arm, name in zip(ARMS, of, strict=True):
        with prepared(arm, ".", [], profile, "gate.toml") as found:
            ready.append(seeded(found, 1, name))
    assert all(_settings_carry(arm) for arm in ready)
    return PairedRun(base=ready[0].facts, head=ready[1].facts, seed=1, head_first=())


def _settings_carry(arm: PreparedArm) -> bool:
    return {name: own["seed"] for name, own in arm.settings.items()} == arm.facts.seeds


def test_the_arms_of_a_gate_draw_for_themselves() -> None:
    """No service of base has the seed of any of head."""
    paired = arms((BASE, HEAD))
    assert paired.common_draws == ()
    assert not {*paired.base.seeds.values()} & {*paired.head.seeds.values()}


def test_same_draws_are_the_same_in_both_arms() -> None:
    """Each service still draws for itself."""
    paired = arms(("both", "both"))
    assert paired.common_draws == tuple(sorted(SERVICES))
    assert len({*paired.base.seeds.values()}) == len(SERVICES)


def test_a_service_that_the_profile_seeds_has_common_draws() -> None:
    """As asked, and named."""
    assert arms((BASE, HEAD), "services.payment.seed=3").common_draws == ("payment",)


def test_a_seed_of_one_arm_alone_is_no_common_one() -> None:
    """`--head-set services.cart.seed=...` stands."""
    settings = seeded_services({"cart": {"seed": 9}}, 1, HEAD)
    assert settings == {"cart": {"seed": 9}}
