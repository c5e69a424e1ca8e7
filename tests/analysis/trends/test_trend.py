"""Levels of a metric over runs, and the runs that began them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.trends.change_points import FEWEST, change_points
from analysis.trends.history import Known, history, kept_of_baseline
from analysis.trends.trend import trend_of
from tests.analysis.compare.baselines import stepped

CHARGE = ("charge", "p99")


def past(n: int, factor: float, **changed: Any) -> Any:
    return history([kept_of_baseline(it) for it in stepped(n, {"charge": factor}, **changed)])


def test_a_step_is_found_at_its_run() -> None:
    """With both levels, their ratio, and the revisions on either side."""
    trend = trend_of(past(20, 1.2), CHARGE)
    (change,) = trend.changes
    assert change.first.run_id == "20260311-101500-release-1f2e3d4c"
    assert (change.last.revision, change.first.revision) == ("09" * 4 + "0", "10" * 4 + "1")
    assert change.percent == pytest.approx(20, abs=2)
    assert "(+20 %)" in trend.said or "(+19 %)" in trend.said or "(+21 %)" in trend.said


def test_an_endpoint_that_did_not_change_has_no_change() -> None:
    """Beside one that did."""
    assert trend_of(past(20, 1.2), ("confirm", "p99")).said == "no change"


def test_too_few_runs_cannot_tell() -> None:
    """However clear the step."""
    trend = trend_of(past(FEWEST - 1, 5.0), CHARGE)
    assert not trend.can_tell
    assert not trend.changes
    assert trend_of(past(FEWEST, 5.0), CHARGE).changes


def test_two_steps_are_two_changes() -> None:
    """There and back."""
    runs = stepped(24, {"charge": 1.3}) + [
        it.model_copy(update={"started_utc": it.started_utc.replace("-03-", "-04-")})
        for it in stepped(24, {"charge": 1.3})[:12]
    ]
    trend = trend_of(history([kept_of_baseline(it) for it in runs]), CHARGE)
    assert trend.starts == (0, 12, 24)


def bounded(value: float, from_run: int, n: int = 20) -> Any:
    """A charge whose p99 is known to be at least this only, from a run on."""
    runs = past(n, 1.0).runs
    bound = Known(value, "ms", at_least=True)
    late = [replace(run, figures={**run.figures, CHARGE: bound}) for run in runs[from_run:]]
    return trend_of(history([*runs[:from_run], *late]), CHARGE)


def test_a_level_of_lower_bounds_is_one() -> None:
    """How much more than before it is nobody knows."""
    trend = bounded(30_000.0, 10)
    assert trend.shown[-1] == "at least 30000 ms"
    assert "→ at least 30000 ms from" in trend.said
    assert trend.to_json()["points"][-1]["at_least"]


def test_a_few_lower_bounds_above_a_level_change_nothing() -> None:
    """However much more they are, its median is the same."""
    assert "at least" not in bounded(30_000.0, 18).shown[-1]


def test_only_runs_like_the_newest_are_points() -> None:
    """Others are counted."""
    others = [kept_of_baseline(it) for it in stepped(5, {}, digest="another load")]
    early = [kept_of_baseline(it) for it in stepped(6, {}, host_class="a laptop")]
    late = kept_of_baseline(stepped(9, {})[-1])
    found = history([late, *others, *early])
    assert (len(found.runs), found.other) == (1, 11)


def test_of_no_runs_there_is_no_history() -> None:
    """Nor an error."""
    assert history([]).runs == ()


def test_a_constant_has_no_change() -> None:
    """Ranks of what is equal tell nothing."""
    assert change_points(np.zeros(30)) == ()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.sampled_from([1e-9, 1.0, 1e9]))
def test_what_is_found_does_not_depend_on_the_unit(seed: int, scale: float) -> None:
    """Ranks: no unit and no monotone change of the scale moves a change point."""
    values = np.random.default_rng(seed).normal(loc=10, size=24)
    values[12:] += 3
    found = change_points(values)
    assert change_points(values * scale) == change_points(np.exp(values / 10)) == found
