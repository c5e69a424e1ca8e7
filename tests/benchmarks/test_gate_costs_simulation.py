"""The simulated recordings of benchmarks/studies/gate_costs_simulation.py."""

import pytest

from analysis.limits.regression import CostSettings
from benchmarks.studies.gate_costs_simulation import HOSTS, Change, run


@pytest.mark.parametrize("host", HOSTS)
def test_equal_arms_do_not_fail(host: str) -> None:
    """An A/A gate on each host, both looks: no FAIL."""
    assert run(host, Change(), CostSettings(), 1, 1).fail == 0


def test_the_change_that_is_put_in_is_the_one_that_is_blamed() -> None:
    """A quarter more CPU of one service FAILs by its CPU and nothing else."""
    found = run("quiet", Change("CPU", cpu=1.25), CostSettings(), 1, 1)
    assert found.metrics == {"cpu_per_request": 1}
