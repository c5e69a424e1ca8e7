"""From a recording of a known pool back to what it had to carry."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from analysis.evidence.run import Evidence, load_evidence
from analysis.twin.from_recording import NoWorkloadError, workload_of
from analysis.twin.play import Played, play
from analysis.twin.workload import Callers, Workload
from recording.series import Sample
from tests.analysis.recordings import SMALL, Recording
from tests.analysis.twin.pools import MEAN_S, markov

LOCKS = "inventory-lock-service"
START_S, END_S = 1.0, 61.0
HOLD_S = np.array([*(0.001 * 2.0**k for k in range(20)), np.inf])
ACQUIRE_S = np.array([0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, np.inf])
TOLD = {
    "inventory_lock": {"wait_timeout_s": 0.5, "routing": "round_robin"},
    "checkout": {"lock_attempts": 2, "lock_attempt_timeout_s": 0.2, "lock_retry_backoff_s": 0.1},
}


def played(workload: Workload, servers: int) -> Played:
    rng = np.random.default_rng(4)
    n = workload.asked_s.size
    return play(workload, servers, workload.asked_s, rng.exponential(MEAN_S, n))


def samples(of: Played, servers: int, pool: str = "mine/0") -> Iterator[Sample]:
    """What the pool would have exported each second."""
    begun_s = of.asked_s + of.waited_s
    ended_s = np.where(of.in_vain, np.inf, begun_s + of.held_s)
    for t_s in np.arange(START_S, END_S + 1):
        now_s = t_s - START_S
        got, done = begun_s <= now_s, ended_s <= now_s
        values = {
            "max": servers,
            "active": (got & ~of.in_vain & ~done).sum(),
            "waiting": ((of.asked_s <= now_s) & ~got).sum(),
            "timeouts_total": (got & of.in_vain).sum(),
            "acquire_seconds_count": got.sum(),
            "hold_seconds_count": done.sum(),
            "hold_seconds_sum": of.held_s[done].sum(),
        }
        for name, value in values.items():
            yield Sample(t_s, LOCKS, f"connection_pool_{name}/{pool}", float(value))
        buckets = (("acquire", ACQUIRE_S, of.waited_s[got]), ("hold", HOLD_S, of.held_s[done]))
        for name, bounds, seen in buckets:
            below = np.searchsorted(np.sort(seen), bounds, side="right")
            for bound, count in zip(bounds, below, strict=True):
                le = "+Inf" if np.isinf(bound) else f"{bound}"
                metric = f"connection_pool_{name}_seconds_bucket/{pool}/{le}"
                yield Sample(t_s, LOCKS, metric, float(count))


def recorded(tmp_path: Path, of: Played, servers: int) -> Evidence:
    small = SMALL | {"start_s": START_S, "end_s": END_S}
    return load_evidence(Recording(samples=list(samples(of, servers)), **small).write(tmp_path))


def test_a_recorded_workload_comes_back(tmp_path: Path) -> None:
    """Rate, hold times, size, waits and what its service was told."""
    truth = markov(8, 0.8, wait_timeout_s=0.5)
    found = workload_of(recorded(tmp_path, played(truth, 8), 8), LOCKS, "mine", told=TOLD)
    assert found.rate_per_s == pytest.approx(truth.rate_per_s, rel=0.01)
    assert found.holds.mean_s == pytest.approx(MEAN_S, rel=0.03)
    assert found.holds.squared_cv == pytest.approx(1.0, abs=0.15)
    assert (found.recorded.size, found.replicas, found.routing) == (8.0, 1, "round_robin")
    assert found.callers == Callers(2, 0.2, 0.1)
    assert found.wait_timeout_s == 0.5
    assert 50 < found.recorded.wait_p99_ms < 250
    assert found.recorded.hold_dispersion == pytest.approx(1.0, abs=0.5)
    assert found.recorded.unfinished_share < 0.01


def test_who_asked_again_is_counted_once(tmp_path: Path) -> None:
    """Attempts are no callers."""
    callers = Callers(2, backoff_s=0.1)
    truth = markov(8, 1.1, wait_timeout_s=0.05, callers=callers)
    of = played(truth, 8)
    assert of.asked_s.size > 1.1 * truth.asked_s.size
    told = TOLD | {"inventory_lock": {"wait_timeout_s": 0.3}}
    found = workload_of(recorded(tmp_path, of, 8), LOCKS, "mine", told=told)
    assert found.rate_per_s == pytest.approx(truth.rate_per_s, rel=0.05)


def test_a_stretch_can_be_asked_for(tmp_path: Path) -> None:
    """Half of the time has half of the callers, at the same rate."""
    truth = markov(8, 0.8, wait_timeout_s=0.5)
    evidence = recorded(tmp_path, played(truth, 8), 8)
    found = workload_of(evidence, LOCKS, "mine", (START_S + 30.0, END_S), TOLD)
    assert found.seconds == 30.0
    assert found.rate_per_s == pytest.approx(truth.rate_per_s, rel=0.05)


def test_what_was_not_said_is_said(tmp_path: Path) -> None:
    """Without settings nobody knows when a wait ends."""
    evidence = recorded(tmp_path, played(markov(8, 0.8), 8), 8)
    found = workload_of(evidence, LOCKS, "mine")
    assert found.wait_timeout_s == np.inf
    said = " ".join(found.assumed)
    assert "does not say when a wait times out" in said
    assert "how often callers ask" in said


def test_replicas_that_come_are_said(tmp_path: Path) -> None:
    """The twin has as many throughout."""
    of = played(markov(8, 0.8, wait_timeout_s=0.5), 8)
    late = [row for row in samples(of, 8, "mine/1") if row.t_s > START_S + 30.0]
    small = SMALL | {"start_s": START_S, "end_s": END_S}
    run = Recording(samples=[*samples(of, 8), *late], **small).write(tmp_path)
    found = workload_of(load_evidence(run), LOCKS, "mine", told=TOLD)
    assert found.replicas == 2
    assert any("1 to 2 replicas" in text for text in found.assumed)
    since = workload_of(load_evidence(run), LOCKS, "mine", (START_S + 31.0, END_S), TOLD)
    assert not any("replicas" in text for text in since.assumed)


@pytest.mark.parametrize("pool", ["other", "min"])
def test_a_pool_that_is_not_there_is_no_workload(tmp_path: Path, pool: str) -> None:
    """Nor is one whose name only begins alike."""
    evidence = recorded(tmp_path, played(markov(8, 0.8), 8), 8)
    with pytest.raises(NoWorkloadError, match="says nothing of a pool"):
        workload_of(evidence, LOCKS, pool)


def test_a_recording_without_hold_times_is_no_workload(tmp_path: Path) -> None:
    """As those of before, and of services that export no histogram."""
    some = [s for s in samples(played(markov(8, 0.8), 8), 8) if "hold_seconds_b" not in s.metric]
    small = SMALL | {"start_s": START_S, "end_s": END_S}
    evidence = load_evidence(Recording(samples=some, **small).write(tmp_path))
    with pytest.raises(NoWorkloadError, match="hold_seconds_bucket is not in the recording"):
        workload_of(evidence, LOCKS, "mine")


def test_holds_under_contention_are_shortened(tmp_path: Path) -> None:
    """To those of an idle database, which the recorded size stretches to what was recorded."""
    truth = markov(8, 0.8, wait_timeout_s=0.5)
    told = {"inventory_lock": {"wait_timeout_s": 0.5, "db_cores": 4, "db_switch_cost": 0.02}}
    found = workload_of(recorded(tmp_path, played(truth, 8), 8), LOCKS, "mine", told=told)
    assert found.contention.cores == 4
    assert 0.4 < found.holds.mean_s / MEAN_S < 0.75
    assert "an idle database" in " ".join(found.assumed)
