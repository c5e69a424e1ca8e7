"""Forecasts of recordings: the seed's own series, and pools under a load that stands or grows."""

from dataclasses import replace
from math import inf
from pathlib import Path

import pytest

from analysis.evidence.run import load_evidence
from analysis.forecast.steady import steady
from analysis.judge import judge
from analysis.limits.thresholds import parse_thresholds
from analysis.metrics.case import Case
from analysis.words.values import Outcome
from recording.rundir import RunDir
from recording.series import NAMES, Sample
from tests.analysis.recordings import LOAD, Recording
from tests.fixtures.seed_run import H, build

LIMITS = parse_thresholds('[inventory-lock-service]\npool = ["time_to_exhaustion > 72 h"]')
LOCKS = "inventory-lock-service"


def cut(run: RunDir, hours: float) -> RunDir:
    """The seed's run as it was known at a moment: later samples, events and intervals are gone."""
    for path in (run.resources, run.load):
        head, *lines = path.read_text().splitlines()
        moments = [line.partition(",")[0] for line in lines]
        kept = [line for line, at_s in zip(lines, moments, strict=True)
                if at_s == NAMES or float(at_s) <= hours * H]  # fmt: skip
        path.write_text("\n".join([head, *kept]) + "\n")
    lines = run.events.read_text().splitlines()
    kept = [line for line in lines if float(line.split('"t_s":')[1].split(",")[0]) <= hours * H]
    run.events.write_text("\n".join(kept) + "\n")
    return run


def of_locks(run: RunDir) -> list[str]:
    """Findings on the climb and the forecast."""
    found = judge(run, LIMITS).findings
    return [text for text in found if text.startswith(f"{LOCKS}: pool locks ")]


def test_by_its_first_four_hours_the_seeds_exhaustion_is_foreseen(tmp_path: Path) -> None:
    """Between T+5h45m and T+6h18m, which rounding leaves open, and it climbs at constant load."""
    climb, full = of_locks(cut(build(tmp_path / "seed"), 4.0))
    assert "78 % at T+2h00m, 89 % at T+4h00m, 5 to 6 points/h: what is never freed?" in climb
    assert "is full between T+5h45m and T+6h18m (likely T+6h00m) at this load" in full


def test_before_there_are_two_figures_nothing_is_foreseen(tmp_path: Path) -> None:
    """45 % at T+0h was another load."""
    assert of_locks(cut(build(tmp_path / "seed"), 3.9)) == []


def test_of_the_whole_seed_it_says_what_could_be_foreseen_and_what_a_third_replica_does(
    tmp_path: Path,
) -> None:
    """Foreseen at T+4h, exhausted at T+6h14m; full again after 7 to 16 h, and it was not."""
    climb, told = of_locks(build(tmp_path / "seed"))
    assert "78 % at T+2h00m, 96 % at T+6h00m, 3.5 to 5.5 points/h: what is never freed?" in climb
    assert "62 % of the 3,000 connections since T+6h19m are full again after 7 to 16 h" in climb
    assert "by T+44h00m they were not" in climb
    assert "was exhausted at T+6h14m; foreseen at T+4h00m" in told
    assert "full between T+5h45m and T+6h18m" in told


def pool(
    at_percent: float, per_s: float, until_s: int = 160, doubled_s: float = inf
) -> tuple[Sample, ...]:
    """Of 1,000 connections in the lock service, sampled each second, each given back again; of
    twice as many from a moment on.
    """
    found = []
    for second in range(until_s + 1):
        used = 10 * (at_percent + per_s * second)
        spent_s = 10 * second * (at_percent + per_s * second / 2)
        values = {
            "pool_max": 2000.0 if second >= doubled_s else 1000.0, "pool_active": round(used),
            "pool_waiting": 0.0, "pool_timeouts_total": 0.0, "pool_hold_seconds_sum": spent_s,
        }  # fmt: skip
        found += [
            Sample(float(second), LOCKS, f"connection_{name}/locks/0", value)
            for name, value in values.items()
        ]
    return tuple(found)


def only_locks(sample: Sample) -> float | None:
    """No other pool exports anything."""
    return None if "/p/" in sample.metric else sample.value


STANDS = Recording(start_s=10.0, end_s=160.0, steps=("charge",), said=only_locks)
"""A ramp of ten seconds, then the same load."""


@pytest.mark.parametrize(
    ("percent", "per_s", "expected", "because"),
    [
        (20.0, 0.2, Outcome.FAIL, "pool locks climbs at constant load, 720 to 720 points/h"),
        (20.0, 0.0, Outcome.PASS, ""),
    ],
)
def test_the_rule_on_the_time_to_exhaustion(
    tmp_path: Path, percent: float, per_s: float, expected: Outcome, because: str
) -> None:
    """A pool that would be full in minutes breaks it, one that stands keeps it."""
    run = replace(STANDS, samples=pool(percent, per_s)).write(tmp_path / "run")
    (row,) = judge(run, LIMITS).rows
    assert (row.outcome, row.because) == (expected, because)


def test_what_was_enlarged_is_not_foreseen_as_it_was(tmp_path: Path) -> None:
    """It would have been full at T+6m40s, and climbs on, of twice as many by half the pace."""
    run = replace(STANDS, samples=pool(20.0, 0.2, doubled_s=130.0)).write(tmp_path / "run")
    climb, *_, full = of_locks(run)
    assert "of the 2,000 connections since T+2m10s are full again after" in climb
    assert "T+15m00s" in full
    assert not any("T+6m40s" in text for text in of_locks(run))


def test_a_story_is_foreseen_at_its_own_pace(tmp_path: Path) -> None:
    """30 times as fast to its end, then 300 times; 20 to 52 % in 160 s are full at T+3h20m."""
    phases = tuple(
        phase.model_copy(update={"duration": length_s, "tells": 30 * length_s})
        for phase, length_s in zip(LOAD.phases, (10.0, 150.0), strict=True)
    )
    quick = phases[1].model_copy(update={"name": "quick", "duration": 10.0, "tells": 3000.0})
    load = LOAD.model_copy(update={"phases": (*phases, quick)})
    run = replace(STANDS, load=load, samples=pool(20.0, 0.2)).write(tmp_path / "run")
    (full,) = (text for text in of_locks(run) if "is full" in text)
    assert "(likely T+3h20m) at this load" in full


def test_under_a_load_that_grows_nothing_is_a_climb(tmp_path: Path) -> None:
    """The plan's load stands, and the requests come more often all the same."""
    run = replace(STANDS, samples=pool(20.0, 0.2)).write(tmp_path / "run")
    evidence = load_evidence(run)
    assert [(s.start_s, s.end_s) for s in steady(evidence)] == [(10.0, 160.0)]
    intervals = evidence.log.intervals
    grown = replace(evidence.log, intervals=(*intervals, *(i for i in intervals if i.start_s > 90)))
    more = replace(evidence, log=grown)
    assert steady(more) == ()
    assert Case(more).outlooks[LOCKS] == ()
    (row,) = judge(run, LIMITS).rows
    assert row.outcome is Outcome.FAIL
