"""Formulas against tables, and against a long play of what they are about."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.twin.holds import Holds
from analysis.twin.play import play
from analysis.twin.theory import allen_cunneen, doubts, erlang_a, erlang_b, erlang_c, wait_share
from analysis.twin.workload import Callers, Contention, Recorded
from tests.analysis.twin.pools import MEAN_S, markov


@pytest.mark.parametrize(
    ("offered", "servers", "blocked", "waits"),
    [(1.0, 2, 0.2, 1 / 3), (8.0, 10, 0.1217, 0.4092), (0.5, 1, 1 / 3, 0.5)],
)
def test_erlangs_tables(offered: float, servers: int, blocked: float, waits: float) -> None:
    """B and C as printed in tables (8 Erlang on 10 lines), and by hand."""
    assert erlang_b(offered, servers) == pytest.approx(blocked, abs=1e-4)
    assert wait_share(offered, servers) == pytest.approx(waits, abs=1e-4)


def long_waits_s(servers: int, load: float, **more: object) -> np.ndarray:
    rng = np.random.default_rng(5)
    asked_s = np.cumsum(rng.exponential(MEAN_S / servers / load, 200_000))
    workload = markov(servers, load, **more)
    return play(workload, servers, asked_s, rng.exponential(MEAN_S, asked_s.size)).waited_s


def test_erlang_c_is_a_patient_queue() -> None:
    """Its quantiles are those of M/M/c."""
    found, waits_s = erlang_c(markov(5, 0.8), 5), long_waits_s(5, 0.8)
    assert found.wait_share == pytest.approx(float((waits_s > 0).mean()), rel=0.05)
    assert found.wait_p99_ms == pytest.approx(1000 * np.quantile(waits_s, 0.99), rel=0.1)
    assert allen_cunneen(markov(5, 0.8, 600), 5).wait_p99_ms == pytest.approx(
        found.wait_p99_ms, rel=0.1
    )


@pytest.mark.parametrize("load", [0.9, 1.0, 1.3])
def test_erlang_a_is_an_impatient_queue(load: float) -> None:
    """M/M/c + D, below and above what can be served: quantiles, and who goes."""
    workload = markov(5, load, wait_timeout_s=0.06)
    found, waits_s = erlang_a(workload, 5), long_waits_s(5, load, wait_timeout_s=0.06)
    assert found.timeouts_share == pytest.approx(float((waits_s == 0.06).mean()), rel=0.1)
    for q, said_ms in ((0.5, found.wait_p50_ms), (0.99, found.wait_p99_ms)):
        assert said_ms == pytest.approx(1000 * np.quantile(waits_s, q), rel=0.1, abs=1.0)


def test_more_than_can_be_served_waits_for_ever() -> None:
    """Unless callers give up."""
    over = markov(5, 1.2)
    assert erlang_c(over, 5).wait_p99_ms == allen_cunneen(over, 5).wait_p99_ms == np.inf
    assert erlang_a(replace(over, wait_timeout_s=0.2), 5).wait_p99_ms == pytest.approx(200)


def test_constant_holds_halve_the_wait() -> None:
    """Allen and Cunneen: M/D/c waits half as long as M/M/c."""
    workload = replace(markov(5, 0.8, 600), holds=Holds.from_values([MEAN_S]))
    ratio = allen_cunneen(workload, 5).wait_p99_ms / erlang_c(workload, 5).wait_p99_ms
    assert ratio == pytest.approx(0.5, rel=0.05)


def test_theory_says_where_it_does_not_hold() -> None:
    """A sentence for bursts, regular arrivals, retries, holds that change together, contention."""
    plain = markov(5, 0.8, seconds=300)
    assert list(doubts(plain)) == []
    waves = np.sort(np.concatenate([plain.asked_s[:6_000], plain.asked_s[:3_000] + 0.01]))
    for less, word in (
        (replace(plain, asked_s=waves), "bursts"),
        (replace(plain, asked_s=np.linspace(0, 299, 6_000)), "regular"),
        (replace(plain, callers=Callers(attempts=2)), "again"),
        (replace(plain, recorded=Recorded(hold_dispersion=4.0)), "together"),
        (replace(plain, contention=Contention(cores=4)), "4 cores"),
    ):
        assert word in " ".join(doubts(less))
