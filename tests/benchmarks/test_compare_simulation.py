"""The simulation behind the figures on `loadgate compare` draws what it says."""

import numpy as np
import pytest

from analysis.compare.baseline import Baseline
from benchmarks.studies.compare_simulation import runs, slower


def logs(found: list[Baseline], subject: str) -> np.ndarray:
    return np.log([f.value for run in found if (f := run.figure(subject, "p99"))])


@pytest.mark.parametrize("kind", ["shared", "own", "draws"])
def test_runs_spread_as_asked(kind: str) -> None:
    """The standard deviation of log percentiles between runs."""
    found = runs(400, 0.03, kind, np.random.default_rng(1))
    assert logs(found, "charge").std() == pytest.approx(0.03, rel=0.1)


@pytest.mark.parametrize(("kind", "least", "most"), [("shared", 0.99, 1.0), ("own", -0.2, 0.2)])
def test_the_host_moves_all_rows_or_none(kind: str, least: float, most: float) -> None:
    """A shared factor correlates rows, one of each row's own does not."""
    found = runs(400, 0.03, kind, np.random.default_rng(2))
    r = np.corrcoef(logs(found, "charge"), logs(found, "browse"))[0, 1]
    assert least - 0.02 <= r <= most


def test_twins_agree_and_the_run_to_judge_does_not() -> None:
    """Stored runs that drew the same, and an interval that says what a run is worth."""
    *stored, run = runs(6, 0.03, "twins", np.random.default_rng(4))
    assert logs(stored, "charge").std() < 0.003
    figure = run.figure("charge", "p99")
    assert figure is not None
    assert figure.log_error == pytest.approx(0.03)


def test_only_charge_gets_slower() -> None:
    """The injected change is known exactly."""
    (run,) = runs(1, 0.03, "own", np.random.default_rng(3))
    assert logs([slower(run, 1.2)], "charge") - logs([run], "charge") == pytest.approx(np.log(1.2))
    assert logs([slower(run, 1.2)], "browse") == logs([run], "browse")
