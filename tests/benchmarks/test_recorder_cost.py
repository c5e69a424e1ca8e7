"""benchmarks/figures/recorder_cost.py: every part of it runs, and ours records what it is given."""

import pytest

from benchmarks.figures.child import ask

MODULE = "benchmarks.figures.recorder_cost"


@pytest.mark.parametrize("part", ["ours", "hdrhistogram", "locust"])
def test_a_part_costs_something(part: str) -> None:
    """Ours raises where a call was not recorded."""
    assert ask(MODULE, part, "1000")["us_per_call"] > 0
