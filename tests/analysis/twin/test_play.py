"""One play: against Ciw, against the theory of processor sharing, and by hand."""

from dataclasses import replace

import ciw
import numpy as np
import pytest

from analysis.twin.contended import play_contended
from analysis.twin.play import Played, play
from analysis.twin.workload import Callers, Contention, Workload
from tests.analysis.twin.pools import MEAN_S, markov

N = 4_000


def drawn(servers: int, load: float, shape: float, n: int = N) -> tuple[np.ndarray, np.ndarray]:
    """Times of asking and gamma holds of this shape."""
    rng = np.random.default_rng(3)
    asked_s = np.cumsum(rng.exponential(MEAN_S / servers / load, n))
    return asked_s, rng.gamma(shape, MEAN_S / shape, n)


def by_ciw(asked_s: np.ndarray, holds_s: np.ndarray, servers: int, **more: object) -> list:
    """The same arrivals and holds, by a simulator that others wrote."""
    gaps_s = [*np.diff(asked_s, prepend=0.0), np.inf]
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Sequential(gaps_s)],
        service_distributions=[ciw.dists.Sequential([*holds_s])],
        number_of_servers=[servers],
        **more,
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(float(asked_s[-1]) + 100.0)
    return sorted(simulation.get_all_records(), key=lambda record: record.arrival_date)


@pytest.mark.parametrize(("servers", "shape"), [(1, 1.0), (5, 1.0), (5, 4.0)])
def test_waits_are_those_of_ciw(servers: int, shape: float) -> None:
    """M/M/c and M/G/c, caller by caller."""
    asked_s, holds_s = drawn(servers, 0.9, shape)
    ours = play(markov(servers, 0.9), servers, asked_s, holds_s)
    theirs = [record.waiting_time for record in by_ciw(asked_s, holds_s, servers)]
    assert ours.waited_s == pytest.approx(np.array(theirs), abs=1e-6)
    assert ours.waited_s.max() > 0.1


def test_callers_give_up_as_in_ciw() -> None:
    """Reneging after a constant time: as many do, and the others wait as long."""
    asked_s, holds_s = drawn(4, 1.1, 1.0)
    workload = markov(4, 1.1, wait_timeout_s=0.05)
    ours = play(workload, 4, asked_s, holds_s)
    patience = [ciw.dists.Deterministic(0.05)]
    records = by_ciw(asked_s, holds_s, 4, reneging_time_distributions=patience)
    gone = np.array([record.record_type == "renege" for record in records])
    assert float(ours.in_vain.mean()) == pytest.approx(float(gone.mean()), abs=0.02)
    theirs_s = [record.waiting_time for record in records if record.record_type == "service"]
    ours_s = ours.waited_s[~ours.in_vain]
    assert float(ours_s.mean()) == pytest.approx(float(np.mean(theirs_s)), rel=0.1)


CALLERS = {
    "patient": Callers(),
    "ask again": Callers(3, backoff_s=0.02),
    "leave before the pool's timeout": Callers(2, patience_s=0.03, backoff_s=0.01),
}


@pytest.mark.parametrize("callers", CALLERS.values(), ids=CALLERS)
def test_without_contention_both_plays_are_one(callers: Callers) -> None:
    """From event to event, on a core for each, comes what the recursion says, caller by caller."""
    asked_s, holds_s = drawn(5, 1.0, 1.0)
    workload = markov(5, 1.0, wait_timeout_s=0.08, callers=callers)
    ample = replace(workload, contention=Contention(cores=100, share=0.4))
    one, other = (
        by_time(p(w, 5, asked_s, holds_s)) for p, w in ((play, workload), (play_contended, ample))
    )
    n = min(one.asked_s.size, other.asked_s.size) - 50  # who would ask again after the last
    assert 0 < one.in_vain.sum() < n
    for name in ("asked_s", "waited_s", "held_s"):
        assert getattr(one, name)[:n] == pytest.approx(getattr(other, name)[:n], nan_ok=True)


def by_time(played: Played) -> Played:
    order = np.argsort(played.asked_s, kind="stable")
    return Played(played.asked_s[order], played.waited_s[order], played.held_s[order])


@pytest.mark.parametrize("shape", [1.0, 4.0])
def test_one_core_is_processor_sharing(shape: float) -> None:
    """M/G/1-PS: a mean hold is s / (1 - load), whatever the law of the work (Kleinrock, 1967)."""
    asked_s, work_s = drawn(1, 0.6, shape, 40_000)
    workload = markov(1, 0.6, contention=Contention(cores=1))
    played = play_contended(workload, 10_000, asked_s, work_s)
    assert float(np.mean(played.held_s)) == pytest.approx(MEAN_S / (1 - 0.6), rel=0.05)


def test_who_asks_again_asks_as_often_as_told() -> None:
    """By hand: one connection, held for 1 s; the second caller waits 0.1 s, pauses 0.2 s, and is
    served at his fourth attempt.
    """
    workload = Workload(
        np.array([0.0, 0.15]), 2.0, markov(1, 0.5).holds, 0.1, Callers(4, backoff_s=0.2)
    )
    played = play(workload, 1, np.array([0.0, 0.15, 5.0]), np.array([1.0, 0.5, 0.1]))
    assert played.asked_s == pytest.approx([0.0, 0.15, 0.45, 0.75, 1.05, 5.0])
    assert played.in_vain.tolist() == [False, True, True, True, False, False]
