"""The simulation behind the figures on `loadgate compare` draws what it says."""

import numpy as np
import pytest

from analysis.compare.baseline import Baseline
from benchmarks.compare_simulation import runs, slower


def logs(found: list[Baseline], subject: str) -> np.ndarray:
    return np.log([f.value for run in found if (f := run.figure(subject, "p99"))])


@pytest.mark.parametrize("kind", ["shared", "own"])
def test_runs_spread_as_asked(kind: str) -> None:
    """The standard deviation of log percentiles between runs."""
    found = runs(400, 0.03, kind, np.random.default_rng(1))
    assert logs(found, "charge").std() == pytest.approx(0.03, rel=0.1)


@pytest.mark.parametrize(("kind", "least", "most"), [("shared", 0.99, 1.0), ("own", -0.2, 0.2)])
def test_the_host_moves_all_rows_or_none(kind: str, least: float, most: float) -> None:
    """A shared factor correlates rows, one of each row's own does not."""
    found = runs(400, 0.03, kind, np.random.default_rng(2))
    r = np.corrcoef(logs(found, "charge"), logs(found, "browse"))[0, 1]
    assert least <= r <= most


def test_only_charge_gets_slower() -> None:
    """The injected change is known exactly."""
    (run,) = runs(1, 0.03, "own", np.random.default_rng(3))
    assert logs([slower(run, 1.2)], "charge") - logs([run], "charge") == pytest.approx(np.log(1.2))
    assert logs([slower(run, 1.2)], "browse") == logs([run], "browse")
