"""Where each kind of rule begins to break, and when only yes and no are known."""

from math import exp, log

import numpy as np
import pytest

from analysis.capacity.causes import Trial, by_causes
from analysis.capacity.design import border, safe
from analysis.levels.margins import Fullness

LOADS = (45.0, 48.0, 50.0, 52.0, 53.0, 55.0, 57.0, 58.0, 60.0, 63.0, 66.0, 70.0)


def full(load: float, at: float, spread: float, seed: int) -> Fullness:
    """A pool whose mean reaches what it may have at some load."""
    rng = np.random.default_rng(seed)
    return Fullness(load / at * (1 + spread * rng.standard_normal(14)), 2.0, 50.0, starved=False)


def of_pool(load: float, at: float = 60.0, spread: float = 0.0, seed: int = 0) -> Trial:
    pool = full(load, at, spread, seed)
    return Trial(load, not pool.broke, full={"locks": pool})


def of_latency(load: float, at: float) -> Trial:
    margin = 4.0 * log(load / at)
    return Trial(load, margin < 0, latency=margin)


def test_a_latency_breaks_where_its_margin_is_zero() -> None:
    found = border([of_latency(load, 56.0) for load in LOADS])
    assert exp(found.x) == pytest.approx(56.0, rel=1e-3)
    assert exp(found.high) < 56.5


def test_the_peak_of_a_run_is_higher_than_those_of_slots() -> None:
    """Of 120 samples that scatter by 4 % the largest is some 10 % above the mean."""
    trials = [of_pool(load, spread=0.04, seed=i) for i, load in enumerate(LOADS)]
    found = border(trials)
    assert 52.5 < exp(found.x) < 56.5
    assert safe(trials) < exp(found.low)


def test_the_first_of_several_causes_is_the_border() -> None:
    trials = [Trial(load, load < 52, 4.0 * log(load / 60.0), otherwise=load > 52) for load in LOADS]
    found = border(trials)
    assert 50 < exp(found.x) < 55


def test_what_broke_for_an_unknown_reason_is_left_to_yes_and_no() -> None:
    """A latency that was not measured, or too few margins: no line is drawn."""
    unknown = [Trial(load, load < 55, full={"locks": full(load, 90.0, 0.0, 0)}) for load in LOADS]
    few = [of_latency(load, 56.0) for load in (50.0, 54.0, 58.0)]
    for trials in (unknown, few):
        assert by_causes(trials, log(55.0)) is None
        assert border(trials).low < log(56.0) < border(trials).high


def test_a_starved_pool_says_nothing_of_what_is_used() -> None:
    """What waits is not in use: such slots are no part of the line."""
    starved = Fullness(np.full(14, 1.1), 2.0, 50.0, starved=True)
    trials = [of_pool(load) for load in LOADS]
    more = [Trial(72.0 + i, held=False, full={"locks": starved}) for i in range(5)]
    assert border([*trials, *more]).x == pytest.approx(border(trials).x, abs=1e-6)
