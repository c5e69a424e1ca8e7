"""Predictions: right where theory is exact, wide where little was recorded, and honest about it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from analysis.twin import simulate
from analysis.twin.simulate import OPTIMISM, predict
from analysis.twin.theory import erlang_a, erlang_c
from analysis.twin.workload import Contention, Recorded
from tests.analysis.twin.pools import markov


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short plays, for what shows in them as well."""
    monkeypatch.setattr(simulate, "ARRIVALS", 6_000)
    monkeypatch.setattr(simulate, "CONTENDED_ARRIVALS", 1_500)


def test_a_markov_pool_is_predicted() -> None:
    """Where Erlang-C is exact: p99, occupancy and throughput, with theory inside the interval."""
    workload = markov(10, 0.8, seconds=600.0, wait_timeout_s=5.0)
    found, known = predict(workload, 10), erlang_c(workload, 10)
    assert found.wait_p99_ms == pytest.approx(known.wait_p99_ms, rel=0.2)
    assert found.wait_p99_low_ms < known.wait_p99_ms < found.wait_p99_high_ms
    assert found.occupancy_mean == pytest.approx(0.8, rel=0.03)
    assert found.throughput_per_s == pytest.approx(80.0, rel=0.03)
    assert found.arrivals > 500_000


def test_an_impatient_pool_is_predicted() -> None:
    """Where M/M/c + D is exact: who does without."""
    workload = markov(10, 1.1, wait_timeout_s=0.05)
    found, known = predict(workload, 10), erlang_a(workload, 10)
    assert found.timeouts_share == pytest.approx(known.timeouts_share, rel=0.1)
    assert found.wait_p99_ms == pytest.approx(50.0)


@pytest.mark.usefixtures("brief")
def test_the_same_seed_predicts_the_same() -> None:
    """And no other does."""
    workload = markov(5, 0.9, wait_timeout_s=1.0)
    assert predict(workload, 5, seed=1) == predict(workload, 5, seed=1)
    assert predict(workload, 5, seed=1).wait_p99_ms != predict(workload, 5, seed=2).wait_p99_ms


@pytest.mark.usefixtures("brief")
def test_p99_is_on_the_upper_side_where_little_is_known() -> None:
    """Close to saturation 60 s say little: the prediction keeps its promise, and says so."""
    found = predict(markov(10, 0.98, wait_timeout_s=5.0), 10)
    assert found.wait_p99_high_ms > 2 * found.wait_p99_low_ms
    assert found.wait_p99_ms >= (1 - OPTIMISM) * found.wait_p99_high_ms
    assert "the upper side is told" in " ".join(found.extrapolated)


@pytest.mark.usefixtures("brief")
def test_what_grows_without_end_is_no_number() -> None:
    """More than can be served, and nobody gives up."""
    found = predict(markov(5, 1.3), 5)
    assert found.wait_p99_ms == found.wait_p50_ms == found.time_p99_ms == math.inf
    assert "not in equilibrium" in " ".join(found.extrapolated)


@pytest.mark.usefixtures("brief")
def test_waves_make_longer_waits() -> None:
    """As many arrivals, of which most come in every other second."""
    plain = markov(10, 0.6, wait_timeout_s=5.0)
    moved = np.where(np.random.default_rng(1).random(plain.asked_s.size) < 0.6, 0.5, 1.0)
    waves = np.sort(np.floor(plain.asked_s / 2) * 2 + np.mod(plain.asked_s, 2) * moved)
    bursty = replace(plain, asked_s=waves)
    assert bursty.blocks() < plain.blocks()
    assert predict(bursty, 10).wait_p99_ms > 1.5 * predict(plain, 10).wait_p99_ms


@pytest.mark.usefixtures("brief")
def test_turns_make_longer_waits_than_one_queue() -> None:
    """Two replicas asked in turn are two small pools; by least connections, one large one."""
    shared = markov(10, 0.9, wait_timeout_s=5.0, replicas=2)
    turns = replace(shared, routing="round_robin")
    one, two = predict(shared, 5), predict(turns, 5)
    assert two.wait_p50_ms > 1.5 * one.wait_p50_ms
    assert two.occupancy_mean == pytest.approx(one.occupancy_mean, rel=0.03)
    assert two.throughput_per_s == pytest.approx(one.throughput_per_s, rel=0.03)


@pytest.mark.usefixtures("brief")
def test_more_connections_hurt_a_contended_database() -> None:
    """Past the cores each is slower, so a larger pool serves less."""
    contention = Contention(cores=8, switch_cost=0.1)
    workload = markov(8, 1.1, wait_timeout_s=0.5, contention=contention)
    right, large = predict(workload, 8), predict(workload, 40)
    assert large.throughput_per_s < 0.8 * right.throughput_per_s


@pytest.mark.parametrize("load", [0.5, 1.0, 1.5, 2.0])
def test_load_is_scaled_in_the_same_time(load: float) -> None:
    """So many times the arrivals, in the same waves."""
    plain = markov(10, 0.6)
    waves = replace(plain, asked_s=np.sort(np.floor(plain.asked_s / 4) * 4 + plain.asked_s % 2))
    scaled = waves.scaled(load, np.random.default_rng(1))
    assert scaled.asked_s.size == pytest.approx(load * waves.asked_s.size, rel=0.05)
    assert (np.diff(scaled.asked_s) >= 0).all()
    assert scaled.seconds == waves.seconds
    quiet = (scaled.asked_s % 4 > 2.5).mean()
    assert quiet < 0.05


@pytest.mark.usefixtures("brief")
def test_every_reason_to_doubt_is_said() -> None:
    """More load than was recorded, a size that was never short, unfinished holds, few arrivals."""
    recorded = Recorded(size=20.0, wait_p99_ms=0.0, unfinished_share=0.3)
    workload = markov(10, 0.5, seconds=6.0, wait_timeout_s=1.0, recorded=recorded)
    said = " ".join(predict(workload, 10, load=2.0).extrapolated)
    for words in ("more than was recorded", "found one free", "not given back", "a p99 takes"):
        assert words in said


@pytest.mark.parametrize(("size", "load"), [(0, 1.0), (5, 0.0), (5, math.nan)])
def test_nothing_is_no_pool(size: int, load: float) -> None:
    """Nor no load one."""
    with pytest.raises(ValueError, match="is none"):
        predict(markov(5, 0.5), size, load)
