"""What to do under a verdict: the command, the requests, what would decide it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.advice.again import again, without_overrides
from analysis.advice.decisions import for_gate
from analysis.metrics.decide import longer, longest
from analysis.words.causes import Cause, CauseKind
from analysis.words.folding import unfiled
from analysis.words.values import Breach, Outcome, Verdict
from recording.load import Load, Phase
from recording.manifest import ArmFacts, Manifest, PairedRun
from recording.profile import Gate, Profile
from tests.analysis.ci.verdicts import verdict_of


def manifest(**more: Any) -> Manifest:
    """Of a run of a profile named p."""
    load = Load(phases=(Phase(name="sustained", duration=60, users=10, measured=True),))
    made = {"run_id": "r", "profile": Profile(name="p", load=load), "started_utc": "now"}
    return Manifest.model_validate(made | {"epoch_wall_s": 0.0, "seed": 7} | more)


def paired(**head: Any) -> Manifest:
    """Of a gate."""
    base = ArmFacts(what="ref:main", revision="b" * 40)
    both = PairedRun(base=base, head=ArmFacts(**head), seed=7, head_first=(True, False))
    return manifest(paired=both, command="gate --profile=p")


def test_a_run_is_repeated_with_its_overrides_and_seed() -> None:
    """Quoted as a shell reads it; the file as it was named."""
    command = "run profiles/p.toml --set 'a.b=[1, 2]' --runs x --workers-expected 3"
    said = again(manifest(command=command, overrides=("a.b=[1, 2]",)))
    assert said == ("loadgate run profiles/p.toml --set 'a.b=[1, 2]' --workers-expected 3 --seed 7")
    assert again(manifest(command="run p --set a='"), seeded=False) == "loadgate run p"
    assert again(manifest(source="imported")) == ""


def test_what_was_changed_for_a_run_is_left_out_but_for_whom_it_loads() -> None:
    """Another locustfile, or another shop, would be no run to hold it against."""
    changed = manifest(command="run p", overrides=("services.cart.ttl_s=1", "target.host=x"))
    assert without_overrides(changed) == "loadgate run p --set target.host=x --seed 7"
    assert without_overrides(manifest(command="run p", overrides=("target.host=x",))) == ""
    assert without_overrides(manifest(command="run p")) == ""


def test_a_gate_is_repeated_by_revisions() -> None:
    """A branch moves, a revision does not; a changed tree has no other name."""
    clean = paired(what=".", revision="c" * 40, overrides=("services.cart.ttl_s=1",))
    assert again(clean) == (
        "loadgate gate --base ref:bbbbbbbbbbbb --head ref:cccccccccccc "
        "--head-set services.cart.ttl_s=1 --profile p --seed 7"
    )
    assert "--head . " in again(paired(what=".", revision="c" * 40, dirty=True))


@pytest.mark.parametrize("s", [1.0, 59.2, 3600.0, 80_000.0])
def test_how_much_longer_is_read_back(s: float) -> None:
    """To what is shown of it."""
    assert longest([f"x: {longer(s)} could decide", ""]) == pytest.approx(s, rel=0.02, abs=1)
    assert longest(["", longer(1e6)]) is None


def test_an_undecided_run_says_how_long_to_measure(tmp_path: Path) -> None:
    """As the command that does it."""
    (step,) = verdict_of("inconclusive", tmp_path).next_steps
    assert "which could decide it" in step.text
    assert "--set load.phases.sustained.duration=" in step.command


def test_a_failed_gate_names_what_stands_between_the_arms(tmp_path: Path) -> None:
    """And what stands in no commit."""
    steps = verdict_of("gate-fail", tmp_path).next_steps
    assert any(step.command == "git diff HEAD" for step in steps)
    assert steps[-1].command.startswith("loadgate gate --base ref:")


def breach(subject: str, because: str) -> Breach:
    """One."""
    return Breach("p99 < 1 s", subject, "p99", 2.0, "< 1 s", "s", because)


def test_breaches_of_one_reason_are_together() -> None:
    """The same words of one service; without a reason, or of two services, each stands alone."""
    dry = "pool p exhausted"
    found = [
        breach("checkout-service", dry),
        breach("payment-gateway", dry),
        breach("x", ""),
        breach("checkout-service/confirm", dry),
        breach("y", ""),
    ]
    groups = [[one.subject for one in group] for group in unfiled(found, ())]
    together = ["checkout-service", "checkout-service/confirm"]
    assert groups == [together, ["payment-gateway"], ["x"], ["y"]]
    (left,) = unfiled(found[:2], (Cause(CauseKind.SLOW, "x", 0.0, None, "", breaches=(0,)),))
    assert left == (found[1],)


def test_an_undecided_gate_asks_for_rounds() -> None:
    """As many as it would take, and how long that is."""
    load = Load(phases=(Phase(name="rounds", duration=400, users=10, measured=True),))
    profile = Profile(name="p", load=load, gate=Gate(slot=2.5, looks=(24, 40)))
    known = paired(what=".").model_copy(update={"profile": profile})
    verdict = Verdict("r", "p", Outcome.INCONCLUSIVE, "", context={"rounds_recorded": 40})
    context = verdict.context | {"more_rounds_needed": 19}
    (step,) = for_gate(known, replace(verdict, context=context))
    assert step.text == "60 rounds could decide it, in about 8m20s"
    assert "--rounds 60" in step.command
    assert "--seed" not in step.command
