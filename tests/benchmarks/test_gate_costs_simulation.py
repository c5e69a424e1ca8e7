"""The simulated recordings of benchmarks/studies/gate_costs_simulation.py."""

import pytest

from analysis.limits.regression import CostSettings
from analysis.paired.costs import cost_rows
from analysis.paired.rounds import Rounds
from benchmarks.studies.gate_costs_simulation import (
    HOSTS,
    PLAN,
    Change,
    run,
    simulate,
    timetable,
)


@pytest.mark.parametrize("host", HOSTS)
def test_equal_arms_do_not_fail(host: str) -> None:
    """An A/A gate on each host, both looks: no FAIL."""
    assert run(host, Change(), CostSettings(), 1, 1).fail == 0


def test_the_change_that_is_put_in_is_the_one_that_is_blamed() -> None:
    """A quarter more CPU of one service FAILs by its CPU and nothing else."""
    found = run("quiet", Change("CPU", cpu=1.25), CostSettings(), 1, 1)
    assert found.metrics == {"cpu_per_request": 1}


def test_the_slowest_requests_are_judged_beyond_every_percentile() -> None:
    """One in 200 takes four times as long: a FAIL of that step, of nothing else."""
    found = run("stalls", Change("slowest", slowest=4.0), CostSettings(), 1, 1)
    assert found.metrics == {"slowest_half_percent": 1}


def test_how_much_slower_the_slowest_are_is_said_in_ms() -> None:
    """The geometric mean of a lognormal's slowest 0.5 % is 567 ms; a control's are not judged."""
    slots = timetable(1)
    evidence = simulate(HOSTS["quiet"], Change("slowest", slowest=4.0), slots, 1)
    rows = cost_rows(Rounds(evidence, slots, 40), PLAN, CostSettings(), ("detail",))
    slowest = {row.subject: row for row in rows if row.metric == "slowest_half_percent"}
    row = slowest["browse"]
    assert row.base == pytest.approx(567, rel=0.1)
    assert row.head == pytest.approx(4 * 567, rel=0.15)
    assert "detail" not in slowest
    assert len(slowest) == 6
