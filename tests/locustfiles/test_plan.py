"""What a Locust process is asked to do."""

from pathlib import Path

from harness.generator.generator import plan_json
from locustfiles.plan import Plan, plan_from
from recording.profile_file import load_profile

TINY = Path(__file__).parents[1] / "fixtures" / "tiny.toml"


def planned(paired: dict[str, object] | None) -> Plan:
    plan = plan_json(load_profile(TINY, ["seed=1"]), "1a2b3c4d", {}, paired, 1)(None)
    return plan_from({"LOADGATE_PLAN": plan, "LOADGATE_EPOCH": "0"})


def test_an_arm_is_asked_for_the_steps_that_it_has() -> None:
    """Whatever the other one has; outside a paired run all are there."""
    steps = {"base": ["browse"], "head": ["browse", "charge"]}
    plan = planned({"arms": {"base": {}, "head": {}}, "head_first": (True,), "steps": steps})
    assert [plan.has("charge", arm) for arm in ("base", "head")] == [False, True]
    assert plan.head_first == (True,)
    assert planned(None).has("charge", None)
