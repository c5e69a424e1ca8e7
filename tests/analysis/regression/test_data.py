"""What does not fit together never reaches the statistics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.calibration.simulated import HOSTS, Shape, simulate
from analysis.limits.regression import RegressionSettings, tail_of
from analysis.regression.data import GateData
from analysis.statistics.looks import LookPlan


def one() -> GateData:
    """A small run of four endpoints and 40 rounds."""
    return simulate(HOSTS["iid"], Shape(4, 400, LookPlan((40,))), 1)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"control": ("nobody",)}, "nobody"),
        ({"control": ("e0", "e1", "e2", "e3")}, "nothing is left to judge"),
        ({"endpoints": ("e0", "e0", "e2", "e3")}, "unique"),
        ({"head_first": np.zeros(38, dtype=bool)}, "rounds, endpoints, buckets"),
        ({"endpoints": ()}, "none of them 0"),
    ],
)
def test_data_that_do_not_fit_are_refused(wrong: dict[str, object], message: str) -> None:
    """Shapes and names are checked before any number is made of them."""
    with pytest.raises(ValueError, match=message):
        replace(one(), **wrong)  # type: ignore[arg-type]


def test_negative_counts_and_disordered_buckets_are_refused() -> None:
    """A histogram has ascending positive buckets and no negative count."""
    data = one()
    with pytest.raises(ValueError, match="ascending"):
        replace(data, values_us=data.values_us[::-1])
    with pytest.raises(ValueError, match="negative"):
        replace(data, base=data.base - 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"metrics": ()},
        {"metrics": ("p99", "p99")},
        {"metrics": ("mean",)},
        {"metrics": ("p100",)},
        {"min_effect": 0.2},
        {"floor_ms": -1.0},
        {"floor_ms": float("nan")},
        {"alpha": 0.0},
        {"confidence": 1.0},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    """Nothing that would let every gate pass, or none, can be configured."""
    with pytest.raises(ValueError, match=r"need|metrics"):
        RegressionSettings(**wrong)  # type: ignore[arg-type]


def test_metrics_name_the_mass_of_their_tail() -> None:
    """p99.9 leaves a thousandth beyond it."""
    assert tail_of("p99.9") == pytest.approx(0.001)
