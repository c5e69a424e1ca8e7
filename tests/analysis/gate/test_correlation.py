"""Arms that answer in step are told from arms that share a host, and from independent ones."""

from pathlib import Path

import numpy as np
import pytest

from analysis.calibration.simulated import HOSTS, Shape, simulate
from analysis.limits.thresholds import load_thresholds
from analysis.paired.correlation import Correlation, arms_correlation, remarks
from analysis.paired.judge import GateReport
from analysis.regression.data import GateData
from analysis.report.markdown import markdown
from analysis.report.paired import gate_document
from analysis.statistics.looks import LookPlan
from recording.manifest import ArmFacts, PairedRun
from tests.analysis.gate.paired_recordings import ONE_LOOK, PairedRecording, judged

ROOT = Path(__file__).parents[3]
THRESHOLDS = load_thresholds(ROOT / "thresholds.toml")
SHAPE = Shape(4, 10_000, LookPlan((24,)))
IN_STEP = "the services of both arms answer in step"


def told(found: Correlation, base: dict[str, int], head: dict[str, int]) -> str:
    """What is said of it."""
    arms = [ArmFacts(what=".", seeds=seeds) for seeds in (base, head)]
    paired = PairedRun(base=arms[0], head=arms[1], seed=1, head_first=())
    return " ".join(remarks(found, paired))


def twins(data: GateData) -> GateData:
    """Head serves what base did, but for what chance does to a tenth of it."""
    kept = np.random.default_rng(1).binomial(data.base, 0.9)
    return GateData(data.endpoints, data.values_us, data.base, kept, data.head_first)


def test_independent_arms_do_not_correlate() -> None:
    """Within the noise of 24 rounds and 4 steps, on average over gates; nothing is said."""
    found = [arms_correlation(simulate(HOSTS["iid"], SHAPE, seed)) for seed in range(10)]
    mean = np.mean([one.same_step for one in found if one.same_step is not None])
    assert abs(float(mean)) < 0.1
    assert not any(one.telling for one in found)
    assert told(found[0], {"cart": 1}, {"cart": 2}) == ""


def test_twins_correlate_step_by_step() -> None:
    """And only so: different steps draw for themselves."""
    found = arms_correlation(twins(simulate(HOSTS["iid"], SHAPE, 1)))
    assert found.same_step is not None
    assert found.same_step > 0.7
    assert not found.of_the_host
    assert IN_STEP in told(found, {"cart": 1}, {"cart": 2})


def test_a_host_that_both_slots_share_is_not_taken_for_twins() -> None:
    """It slows all steps at once, and the rounds take it out."""
    found = arms_correlation(simulate(HOSTS["drift"], SHAPE, 1))
    assert found.telling
    assert found.of_the_host
    assert "the host slowed both slots" in told(found, {"cart": 1}, {"cart": 2})


@pytest.mark.parametrize("r", [0.0, 0.9])
def test_same_draws_are_said_whatever_they_did(r: float) -> None:
    """And of which services."""
    all_of_them = told(Correlation(r, 0.0), {"cart": 1, "pay": 2}, {"cart": 1, "pay": 2})
    assert all_of_them.startswith("same draws in both arms: sharper for a change of code")
    assert "same draws of cart in" in told(Correlation(r), {"cart": 1, "pay": 2}, {"cart": 1})


def test_what_does_not_vary_has_no_correlation() -> None:
    """Arms that always answer in one time are no evidence of anything."""
    data = simulate(HOSTS["iid"], SHAPE, 1)
    still = np.zeros_like(data.base)
    still[..., 3] = 100
    flat = GateData(data.endpoints, data.values_us, still, still, data.head_first)
    assert arms_correlation(flat) == Correlation(None, None)


def gate(folder: Path, **changes: object) -> GateReport:
    run = PairedRecording(looks=ONE_LOOK, **changes).write(folder / "run")  # type: ignore[arg-type]
    return judged(run, THRESHOLDS)


def test_the_verdict_names_same_draws_everywhere(tmp_path: Path) -> None:
    """In the summary, the findings, the context and the report."""
    seeds = {"cart": 1, "payment": 2}
    report = gate(tmp_path, twins=True, seeds={"base": seeds, "head": seeds})
    named = "(same draws: sharper for a change of code, no evidence about services)"
    assert named in report.summary
    assert any(text.startswith("same draws in both arms") for text in report.findings)
    assert report.context["same_draws"] == ("cart", "payment")
    assert report.context["arms_correlation"] > 0.9
    assert "- draws: the same in both arms of cart, payment; " in markdown(gate_document(report))


def test_twins_are_found_without_a_word_of_their_seeds(tmp_path: Path) -> None:
    """As in recordings of before, and with services at urls."""
    report = gate(tmp_path, twins=True)
    assert any(IN_STEP in text for text in report.findings)
    assert "draws: not recorded" in markdown(gate_document(report))


def test_independent_arms_are_said_to_be(tmp_path: Path) -> None:
    """With the figure, and without a finding."""
    report = gate(tmp_path, seeds={"base": {"cart": 1}, "head": {"cart": 2}})
    assert abs(report.context["arms_correlation"]) < 0.4
    assert not any("draws" in text or "in step" in text for text in report.findings)
    assert "- draws: independent; " in markdown(gate_document(report))
