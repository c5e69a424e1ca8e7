"""The diagnosis names the shape of a shift, its beginning and its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.paired.diagnosis import diagnose
from analysis.paired.onset import change_point, onset, sure_from
from analysis.paired.rounds import Rounds
from analysis.paired.shift import in_words, quantile_shifts
from recording.histogram import Histogram, bucket_mid_us, merge
from tests.analysis.gate.metered_recordings import MeteredRecording, Stretch


def diagnosed(recording: MeteredRecording, folder: Path, endpoint: str) -> str:
    """All sentences about the p99 of an endpoint."""
    evidence = recording.evidence(folder / "run")
    rounds = Rounds(evidence, recording.slots, recording.rounds)
    return "\n".join(diagnose(rounds, endpoint, "p99"))


def shape(stretch: Stretch, n: int = 400) -> str:
    """In words, what a change does to 24 rounds of lognormal latencies."""
    rng = np.random.default_rng(3)
    ms = 100 * np.exp(rng.normal(0, 0.4, (2, 24, n)))
    ms[1] = stretch("x", 0, ms[1])
    cells = [[Histogram.from_values(np.rint(1000 * row)) for row in arm] for arm in ms]
    indices = merge(cell for arm in cells for cell in arm).indices
    counts = np.zeros((2, 24, indices.size), np.int64)
    for arm, row in np.ndindex(2, 24):
        at = np.searchsorted(indices, cells[arm][row].indices)
        counts[arm, row, at] = cells[arm][row].counts
    return in_words(quantile_shifts(bucket_mid_us(indices), counts))


def test_a_factor_is_called_a_factor() -> None:
    """All requests 20 % slower."""
    assert shape(lambda s, r, ms: 1.2 * ms).startswith("the whole distribution moved by about +")


def test_a_fixed_delay_is_called_fixed() -> None:
    """All requests 40 ms slower."""
    words = shape(lambda s, r, ms: ms + 40)
    assert words.startswith("a fixed +")
    assert 38 < float(words.split()[2]) < 42


def test_a_tail_is_called_a_tail() -> None:
    """Only the slowest twentieth is 30 % slower."""
    words = shape(lambda s, r, ms: np.where(ms > np.quantile(ms, 0.95), 1.3 * ms, ms), n=2000)
    assert words.startswith(("only the slowest 5 % moved", "only the slowest 1 % moved"))
    assert "p90" in words or "p95" in words


@pytest.mark.parametrize(
    ("power", "said"),
    [(1.5, "the distribution spread: faster at p10"), (0.6, "the distribution drew together: ")],
)
def test_what_moved_both_ways_is_never_said_to_have_stood_still(power: float, said: str) -> None:
    """Around a median that stays: a wider and a narrower distribution."""
    words = shape(lambda s, r, ms: 100 * (ms / 100) ** power)
    assert words.startswith(said)
    assert "did not" not in words


def test_an_uneven_shift_shows_both_ends() -> None:
    """10 % at the fast end and 60 % at the slow one is neither a factor nor a fixed time."""
    words = shape(lambda s, r, ms: ms * (1.1 + 0.5 * (ms / 300) ** 2))
    assert "its slow end more than its fast end" in words


def test_nothing_is_called_nothing() -> None:
    """Equal arms."""
    assert shape(lambda s, r, ms: ms).startswith("no part of the distribution moved")


def test_a_change_during_the_run_has_a_round() -> None:
    """Scores that rise at the thirteenth of 24 rounds."""
    rng = np.random.default_rng(7)
    scores = rng.normal(0, 0.3, 24) + (np.arange(24) >= 12)
    assert change_point(scores) in (11, 12, 13)
    assert "something changed during the run" in onset(scores)


def test_a_change_that_ended_is_told_from_one_that_began() -> None:
    """Scores that fall back after round 12."""
    scores = np.random.default_rng(7).normal(0, 0.3, 24) + (np.arange(24) < 12)
    assert onset(scores).startswith("it shows up to round 1")


def test_steady_scores_have_no_change_point() -> None:
    """Of 200 runs with heavy-tailed noise at most 5 are given one (0.5 % are meant to)."""
    rng = np.random.default_rng(11)
    found = [change_point(1 + rng.standard_t(3, 24)) for _ in range(200)]
    assert sum(at is not None for at in found) <= 5


def test_sure_from_is_the_round_from_which_it_stays_sure() -> None:
    """A mean of 1 with a spread of 1 is beyond three standard errors after about nine rounds."""
    scores = 1 + np.tile([1.0, -1.0], 20)
    assert sure_from(scores) in range(8, 13)
    assert sure_from(scores - 1) is None


@pytest.fixture(scope="module")
def starved(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Head's lock pool makes start_checkout wait 30 ms longer."""
    recording = MeteredRecording(
        head_ms=lambda step, r, ms: ms + 30 * (step == "start_checkout"),
        head_wait_ms={"inventory-lock-service": 30.0},
    )
    return diagnosed(recording, tmp_path_factory.mktemp("starved"), "start_checkout")


def test_a_starved_lock_pool_is_named(starved: str) -> None:
    """The wait for a lock connection accounts for the shift of start_checkout, its own pool not."""
    assert "pool locks (inventory-lock-service) grew from 0.5 to 30 ms" in starved
    assert "about 9" in starved
    assert "did not move: requests (checkout-service)" in starved


def test_one_endpoint_alone_is_its_handler(starved: str) -> None:
    """The four others of checkout-service stood still, and so did the CPU."""
    assert "no other endpoint of checkout-service moved" in starved
    assert "CPU per request of checkout-service did not grow" in starved
    assert "the time went in the service" in starved


def test_a_whole_service_and_its_cpu_are_named(tmp_path: Path) -> None:
    """Every endpoint of checkout-service 30 % slower, and 40 % more CPU."""
    own = ("browse", "detail", "apply_coupon", "start_checkout", "confirm")
    recording = MeteredRecording(
        head_ms=lambda step, r, ms: ms * (1.3 if step in own else 1.0),
        head_cpu={"checkout-service": 1.4},
    )
    text = diagnosed(recording, tmp_path, "browse")
    assert "every endpoint of checkout-service moved" in text
    assert "CPU per request of checkout-service grew" in text


def test_the_clients_own_time_is_not_blamed_on_the_service(tmp_path: Path) -> None:
    """50 ms between the client and the service are distortion, and all steps have them."""
    text = diagnosed(MeteredRecording(head_distortion_ms=50.0, services=()), tmp_path, "charge")
    assert "the time went in the client or on the way to it" in text
    assert "all 7 steps moved" in text


def test_a_change_in_mid_run_is_found_in_a_recording(tmp_path: Path) -> None:
    """start_checkout is 40 % slower from the thirteenth round on."""
    recording = MeteredRecording(
        head_ms=lambda step, r, ms: ms * (1.4 if step == "start_checkout" and r >= 12 else 1.0),
        services=(),
    )
    text = diagnosed(recording, tmp_path, "start_checkout")
    assert "it shows from round 13 of 24 on, not before it" in text


def test_the_journey_names_the_step_that_moved(tmp_path: Path) -> None:
    """Without service metrics, and all requests together, the slower step is still found."""
    recording = MeteredRecording(
        head_ms=lambda step, r, ms: ms * (1.5 if step == "charge" else 1.0),
        services=(),
    )
    text = diagnosed(recording, tmp_path, "journey")
    assert "steps that got slower: charge (+" in text


def test_equal_arms_are_given_no_cause(tmp_path: Path) -> None:
    """Asked about an endpoint that did not move, it says so and accuses nobody."""
    text = diagnosed(MeteredRecording(), tmp_path, "start_checkout")
    assert "no part of the distribution moved" in text
    assert "the mean moved by no more than its noise" in text
    assert "the time went" not in text


def test_an_endpoint_nobody_asked_for_has_no_diagnosis(tmp_path: Path) -> None:
    """No requests, no sentences, no exception."""
    assert diagnosed(MeteredRecording(services=()), tmp_path, "refund") == ""
