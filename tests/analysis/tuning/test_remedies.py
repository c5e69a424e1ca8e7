"""analysis/tuning/remedies.py: what each lever on the seed's lock pool has to be set to."""

from pathlib import Path

from analysis.report.tuning import remedies_document
from analysis.tuning.lock_model import play
from analysis.tuning.remedies import remedies, suffices
from analysis.words.values import Outcome
from harness.scene.lock_plan import changed, is_slow, plan_of
from recording.profile_file import load_profile

PROFILES = Path(__file__).parents[3] / "profiles"
LIMIT, HEADROOM = 81.0, 0.1


def test_each_lever_suffices_alone_and_the_sweepers_cost_least() -> None:
    """The seed's pool, scaled: today it runs dry; what the profile's comments say comes out."""
    profile = load_profile(PROFILES / "lock-pool.toml")
    plan, today = plan_of(profile), play(plan_of(profile))
    assert not suffices(today, 100.0)
    found = {
        each.name: each
        for each in remedies(plan, lambda n, v: changed(profile, n, v), LIMIT, HEADROOM)
    }
    assert found.keys() == {"pool_max", "scale_threshold_percent", "expiry_per_s"}
    assert all(each.peak < LIMIT for each in found.values())
    assert 80 <= found["pool_max"].value <= 90
    assert 60 <= found["scale_threshold_percent"].value <= 70
    assert found["expiry_per_s"].value * 2 * (1 - HEADROOM) >= 8.0
    assert min(found.values(), key=lambda each: each.change).name == "expiry_per_s"
    document = remedies_document(tuple(found.values()), today, LIMIT)
    assert document.outcome is Outcome.FAIL
    assert "expiry_per_s" in document.summary


def test_only_a_pool_that_fills_for_minutes_is_played() -> None:
    """What a slot can see is loaded."""
    pool = ["inventory_lock.pool_max"]
    assert is_slow(load_profile(PROFILES / "lock-pool.toml"), pool)
    assert not is_slow(load_profile(PROFILES / "lock-pool.toml"), ["checkout.pool_max"])
    assert not is_slow(load_profile(PROFILES / "tune.toml"), pool)
