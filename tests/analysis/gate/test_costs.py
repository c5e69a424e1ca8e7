"""The cost rows: what they measure, when they FAIL, and that equal arms do not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.limits.regression import CostSettings
from analysis.paired.cost_rows import CostRow, Measured, bound, compared
from analysis.paired.costs import cost_rows
from analysis.paired.rounds import Rounds
from analysis.regression.rows import Stakes
from analysis.statistics.looks import LookPlan, balanced_order
from analysis.words.values import Outcome
from tests.analysis.gate.metered_recordings import MeteredRecording

FAIL, PASS, OPEN = Outcome.FAIL, Outcome.PASS, Outcome.INCONCLUSIVE
STAKES = Stakes(alpha=0.002, pass_error=0.05, confidence=0.95, tests=10)
Rows = dict[tuple[str, str], CostRow]
CHECKOUT_POOL = "checkout-service requests/0"
LOCKS = "inventory-lock-service locks/0"
PROCESSOR = "payment-gateway processor/0"


def judged(recording: MeteredRecording, folder: Path) -> Rows:
    """The rows of a recording after its last round, by subject and metric."""
    evidence = recording.evidence(folder / "run")
    rounds = Rounds(evidence, recording.slots, recording.rounds)
    rows = cost_rows(rounds, recording.plan, CostSettings())
    return {(row.subject, row.metric): row for row in rows}


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """Equal arms."""
    return judged(MeteredRecording(), tmp_path_factory.mktemp("quiet"))


@pytest.fixture(scope="module")
def costly(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """Head fails, computes, holds, starves and leaks, each in another place."""
    recording = MeteredRecording(
        base_errors={"confirm": 0.05},
        head_errors={"browse": 1.0, "charge": 0.05, "confirm": 0.05},
        head_cpu={"checkout-service": 1.3, "cart-service": 1.05},
        head_active={"inventory-lock-service": 2.0},
        head_waiting={"payment-gateway": 3.0},
        head_mb_per_h={"cart-service": 400.0, "checkout-service": 40.0},
    )
    return judged(recording, tmp_path_factory.mktemp("costly"))


def test_equal_arms_have_no_fail(quiet: Rows) -> None:
    """Every row of an A/A recording is PASS or not decided."""
    assert {row.verdict for row in quiet.values()} == {PASS, OPEN}


def test_every_cost_of_every_service_has_a_row(quiet: Rows) -> None:
    """Seven steps, four services' CPU and memory, and three pools twice."""
    metrics = [metric for _, metric in quiet]
    assert {metric: metrics.count(metric) for metric in set(metrics)} == {
        "error_rate": 7,
        "cpu_per_request": 4,
        "memory_slope": 4,
        "pool_high_water": 3,
        "starved_slots": 3,
    }


def test_a_head_that_answers_only_errors_fails(costly: Rows) -> None:
    """100 % of errors against none is a FAIL that says so."""
    row = costly["browse", "error_rate"]
    assert (row.verdict, row.base, row.head) == (FAIL, 0.0, 100.0)
    assert "+100 points" in row.because


def test_only_errors_fail_at_the_first_of_two_looks(tmp_path: Path) -> None:
    """The first look's thirtieth of alpha is enough for what nobody needs a test for."""
    plan = LookPlan((24, 40))
    recording = MeteredRecording(plan=plan, head_errors={"browse": 1.0}, services=())
    evidence = recording.evidence(tmp_path / "run")
    rows = cost_rows(Rounds(evidence, recording.slots, 24), plan, CostSettings())
    assert [(r.subject, r.metric) for r in rows if r.verdict is FAIL] == [("browse", "error_rate")]


def test_errors_that_base_has_too_are_no_fail(costly: Rows) -> None:
    """5 % in both arms is a matter for the thresholds, not for the gate."""
    assert costly["charge", "error_rate"].verdict is FAIL
    row = costly["confirm", "error_rate"]
    assert row.verdict is PASS
    assert row.change == pytest.approx(0.0, abs=1e-9)


def test_cpu_is_the_growth_of_a_slot_over_its_requests(quiet: Rows) -> None:
    """400 µs a request; the 2 ms/s of idling are no request's cost."""
    row = quiet["checkout-service", "cpu_per_request"]
    assert row.base == pytest.approx(400, rel=0.02)
    assert row.change == pytest.approx(0, abs=5)


def test_a_third_more_cpu_fails_and_a_twentieth_does_not(costly: Rows) -> None:
    """The size of the change is found; one below the minimum effect is no FAIL."""
    row = costly["checkout-service", "cpu_per_request"]
    assert row.verdict is FAIL
    assert row.change == pytest.approx(120, rel=0.05)
    assert row.ci_low < 120 < row.ci_high
    assert costly["cart-service", "cpu_per_request"].verdict is PASS


def test_a_service_without_users_is_counted_by_its_own_requests(quiet: Rows) -> None:
    """The lock service's CPU is shared by the requests of its own counter."""
    row = quiet["inventory-lock-service", "cpu_per_request"]
    assert row.base == pytest.approx(400, rel=0.3)


def test_a_slower_host_is_nobodys_cpu(tmp_path: Path) -> None:
    """A host that slows down by half in mid-run, for both arms, is no FAIL."""
    rows = judged(
        MeteredRecording(host=lambda t_s: 1.5 if t_s > 50 else 1.0, services=("checkout-service",)),
        tmp_path,
    )
    assert {r.verdict for (_, m), r in rows.items() if m == "cpu_per_request"} == {PASS}


def test_twice_the_connections_fail(costly: Rows) -> None:
    """The high-water mark of the lock pool doubles; the other pools' do not move."""
    assert costly[LOCKS, "pool_high_water"].verdict is FAIL
    assert costly[CHECKOUT_POOL, "pool_high_water"].verdict is PASS


def test_callers_that_wait_only_in_head_fail(costly: Rows) -> None:
    """A pool that is short in every slot of head and in none of base."""
    row = costly[PROCESSOR, "starved_slots"]
    assert (row.verdict, row.base, row.head) == (FAIL, 0.0, 100.0)
    assert costly[LOCKS, "starved_slots"].verdict is PASS


def test_a_steep_leak_fails_even_in_minutes(costly: Rows) -> None:
    """400 MB/h beyond base is proven in two minutes, and measured."""
    row = costly["cart-service", "memory_slope"]
    assert row.verdict is FAIL
    assert row.change == pytest.approx(400, rel=0.1)


def test_a_slope_that_minutes_cannot_decide_stays_open(costly: Rows, quiet: Rows) -> None:
    """1 MB more may be the allocator's; the row says what a FAIL takes."""
    assert costly["checkout-service", "memory_slope"].verdict is OPEN
    row = quiet["cart-service", "memory_slope"]
    assert row.verdict is OPEN
    assert "a FAIL takes +78.3 MB/h at least, and a growth that goes on" in row.because


def test_what_a_system_does_not_export_has_no_row(tmp_path: Path) -> None:
    """Without CPU, memory and pool metrics only the errors are judged."""
    missing = (
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "connection_pool_active",
    )
    rows = judged(MeteredRecording(without=missing, services=("cart-service",)), tmp_path)
    assert {metric for _, metric in rows} == {"error_rate"}


@pytest.mark.parametrize("metric", ["connection_pool_waiting", "connection_pool_timeouts_total"])
def test_a_pool_that_does_not_say_who_waited_is_no_data(metric: str, tmp_path: Path) -> None:
    """Nobody is known to have waited: that is not that nobody did."""
    row = judged(MeteredRecording(without=(metric,)), tmp_path)[LOCKS, "starved_slots"]
    assert (row.verdict, row.because) == (OPEN, "no data: nothing measured in 48 of 48 slots")


def test_too_few_rounds_are_no_data(tmp_path: Path) -> None:
    """Six rounds prove nothing, not even that everything fails."""
    recording = MeteredRecording(plan=LookPlan((6,)), head_errors={"browse": 1.0})
    rows = judged(recording, tmp_path)
    assert {row.verdict for row in rows.values()} == {OPEN}
    assert not any(row.judged for row in rows.values())
    assert rows["browse", "error_rate"].because == "no data: 6 rounds, need 8"


def test_a_slot_without_requests_is_no_data_for_its_step() -> None:
    """One hole in a row leaves it untested and the others as they were."""
    rng = np.random.default_rng(1)
    whole, holed = rng.normal(size=(2, 2, 24))
    holed[1, 3] = np.nan
    order = np.array(balanced_order(LookPlan((24,)), 1))
    rows = [Measured(name, "m", "u", v, 1.0, 2.0) for name, v in (("a", whole), ("b", holed))]
    a, b = compared(rows, order, (24,), 0, replace(STAKES, alpha=0.1))
    assert (a.lacks, b.lacks) == ("", "nothing measured in 1 of 48 slots")


def test_equal_arms_are_proven_different_no_more_often_than_promised() -> None:
    """Ten costs that share a drifting, heavy-tailed host: at 5 % for all, 150 gates, at most 15.

    More would have a probability of 0.6 % if the true rate were 5 %.
    """
    rng = np.random.default_rng(20261121)
    plan = LookPlan((24,))
    proven = 0
    for gate in range(150):
        order = np.array(balanced_order(plan, gate))
        host = np.cumsum(rng.standard_t(3, 48)) + np.linspace(0, 20, 48)
        own = rng.standard_t(3, (10, 48)) + host
        first, second = own[:, 0::2], own[:, 1::2]
        base, head = np.where(order, second, first), np.where(order, first, second)
        costs = [
            Measured(str(i), "m", "u", np.array([base[i], head[i]]), 0.0, 1.0) for i in range(10)
        ]
        found = compared(costs, order, (24,), gate, Stakes(0.05, 0.05, 0.95, 10))
        proven += min(cost.p_value for cost in found) <= 0.005
    assert proven <= 15


def test_an_excuse_keeps_a_proven_growth_from_failing() -> None:
    """A warm-up is reported as what it is."""
    found = bound(50.0, 1.0, 20.0, STAKES, 0.0)
    row = CostRow(
        "s", "memory_slope", "MB/h", STAKES, found=found, degrees=20.0, p_holm=1e-6, minimum=10.0
    )
    assert row.verdict is FAIL
    warm = replace(row, excuse="it slows down")
    assert warm.verdict is OPEN
    assert "it slows down" in warm.because


@pytest.mark.parametrize("name", ["alpha", "cpu", "memory_mb_per_h"])
def test_settings_out_of_range_are_refused(name: str) -> None:
    """A limit of 0 would make every difference a FAIL."""
    with pytest.raises(ValueError, match=r"need alpha|above 0"):
        CostSettings(**{name: 0.0})
