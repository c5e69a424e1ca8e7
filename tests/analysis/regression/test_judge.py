"""The regression gate never cries wolf, finds what is there, and says when it cannot tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.calibration.simulated import HOSTS, Injection, Shape, simulate
from analysis.limits.regression import RegressionSettings
from analysis.regression.data import GateData
from analysis.regression.estimates import host_shift
from analysis.regression.judge import GateResult, judge
from analysis.regression.latency import LatencyRow
from analysis.statistics.looks import LookPlan, balanced_order
from analysis.words.values import Outcome
from benchmarks.studies.noisy_hosts import NOISY_HOSTS, on_grid

PLAN = LookPlan((40,))
SETTINGS = RegressionSettings()


def verdicts(host: str, shape: Shape, gates: int, change: Injection | None = None) -> list[str]:
    """The verdicts of seeded gates on a simulated host."""
    runs = (simulate(HOSTS[host], shape, seed, change) for seed in range(gates))
    return [judge(data, SETTINGS, shape.plan).verdict for data in runs]


def one(
    change: Injection | None = None, seed: int = 1, host: str = "iid", size: int = 4
) -> GateData:
    """One run of 10,000 requests per endpoint and arm."""
    return simulate(HOSTS[host], Shape(size, 10_000, PLAN), seed, change)


def row(result: GateResult, endpoint: str, metric: str) -> LatencyRow:
    """The row of an endpoint and metric."""
    return next(r for r in result.rows if (r.subject, r.metric) == (endpoint, metric))


# --- never cries wolf -----------------------------------------------------------------------


@pytest.mark.parametrize("host", HOSTS)
def test_equal_arms_do_not_fail(host: str) -> None:
    """Of 60 A/A gates on each kind of host at most two FAIL (three would be p < 0.004)."""
    assert verdicts(host, Shape(3, 4_000, LookPlan((16,))), 60).count("FAIL") <= 2


def test_a_host_that_gets_slower_in_steps_does_not_fail_a_single_endpoint() -> None:
    """With no other endpoint to tell of the host, the random order alone protects base = head."""
    assert verdicts("steps", Shape(1, 8_000, PLAN), 100).count("FAIL") <= 3


def test_a_fixed_order_is_refused() -> None:
    """Always base first is what made A/A differ by 40 % elsewhere: it is not evidence."""
    data = replace(one(), head_first=np.zeros(40, dtype=bool))
    with pytest.raises(ValueError, match="head ran first in 0 of 40"):
        judge(data, SETTINGS, PLAN)


def test_the_order_must_balance_between_looks_too() -> None:
    """Balanced over the run but not before the first look is refused at that look's stretch."""
    plan = LookPlan((20, 40))
    data = replace(one(), head_first=np.arange(40) < 20)
    with pytest.raises(ValueError, match="head ran first in 20 of 20"):
        judge(data, SETTINGS, plan)


def test_a_change_below_the_floor_is_not_a_fail() -> None:
    """+20 % of a p99 of some 600 ms is proven, but not worth a FAIL with a floor of 500 ms."""
    result = judge(one(Injection(1.2)), replace(SETTINGS, floor_ms=500.0), PLAN)
    assert result.verdict is Outcome.PASS
    assert row(result, "e0", "p99").p_holm < 0.001


def test_a_change_below_the_minimum_effect_is_not_a_fail() -> None:
    """+20 % is proven, but the settings call only +30 % a regression: it cannot FAIL."""
    strict = replace(SETTINGS, min_effect=0.3, tolerated=0.3)
    assert judge(one(Injection(1.2)), strict, PLAN).verdict is not Outcome.FAIL


def test_improving_the_others_does_not_blame_the_one_left() -> None:
    """Six of seven endpoints 20 % faster on a drifting host: the seventh is not "slower"."""
    change = Injection(0.8, endpoints=tuple(range(1, 7)))
    shape = Shape(7, 8_000, PLAN)
    assert verdicts("ar1-0.8", shape, 15, change).count("FAIL") == 0


def test_others_that_got_faster_by_what_the_host_might_do_blame_nobody() -> None:
    """Six of seven 8 % faster, each slot its own 15 %: the seventh is not called slower.

    The host's share is estimated from the six; before the raw ratio had to bear it out, 18 % of
    such gates FAILed and 73 % called the seventh slower.
    """
    change = Injection(0.92, endpoints=tuple(range(1, 7)))
    shape = Shape(7, 8_000, PLAN)
    runs = (simulate(NOISY_HOSTS["slot-noise-15"], shape, seed, change) for seed in range(20))
    results = [judge(data, SETTINGS, PLAN) for data in runs]
    assert [result.verdict for result in results].count("FAIL") <= 1
    assert sum(any(found.proven for found in result.rows) for result in results) <= 2


@pytest.mark.parametrize("median_ms", [150.0, 75.0, 50.0])
def test_a_coarse_clock_passes_no_slower_tail(median_ms: float) -> None:
    """Recorded 50 ms apart, +10 % may fall between two values: no row PASSes, and it says why."""
    for seed in range(3):
        data = on_grid(one(Injection(1.1), seed, size=1), median_ms, 50.0)
        for found in judge(data, SETTINGS, PLAN).rows:
            assert found.verdict is not Outcome.PASS
            assert "recorded in steps of" in found.because


def test_a_fine_clock_changes_nothing() -> None:
    """Recorded 1 ms apart, equal arms PASS as they do by the microsecond."""
    data = on_grid(simulate(HOSTS["iid"], Shape(1, 20_000, PLAN), 1), 150.0, 1.0)
    assert judge(data, SETTINGS, PLAN).verdict is Outcome.PASS


def test_an_interval_without_zero_beside_a_large_p_is_explained() -> None:
    """One-sided p, Holm's p of all rows, and a change of the others: each has its words."""
    faster = judge(one(Injection(0.9)), SETTINGS, PLAN)
    assert "p is of being slower" in row(faster, "e0", "p95").because
    for result in (judge(one(Injection(1.03), seed), SETTINGS, PLAN) for seed in range(6)):
        for found in result.rows:
            if (found.ci_low > 1 or found.ci_high < 1) and not found.proven:
                assert ";" in found.because


# --- finds what is there --------------------------------------------------------------------


def test_a_regression_of_the_tail_alone_is_found_and_named() -> None:
    """+20 % of the slowest 3 % of one endpoint FAILs that endpoint's p99 and nothing else."""
    result = judge(one(Injection(1.2, "tail", (2,))), SETTINGS, PLAN)
    failed = {(r.subject, r.metric) for r in result.rows if r.verdict is Outcome.FAIL}
    assert failed == {("e2", "p99")}


def test_ten_percent_is_found_most_of_the_time() -> None:
    """20,000 requests per arm, p99 +10 % on one of seven endpoints: FAIL in most of the gates.

    The simulation in benchmarks/ finds 80 % and more; below 70 % of twenty would be p < 0.05.
    """
    shape = Shape(7, 20_000, PLAN)
    assert verdicts("slot-noise", shape, 20, Injection(1.1, "tail")).count("FAIL") >= 14


def test_twenty_percent_never_passes() -> None:
    """20,000 requests per arm, p99 +20 %: always FAIL on a host that wanders."""
    shape = Shape(7, 20_000, PLAN)
    assert set(verdicts("ar1-0.8", shape, 12, Injection(1.2, "tail"))) == {"FAIL"}


def test_a_common_slow_down_is_not_taken_for_the_host() -> None:
    """+20 % on every endpoint FAILs every endpoint, though all controls moved along."""
    everything = Injection(1.2, endpoints=tuple(range(7)))
    result = judge(one(everything, host="slot-noise", size=7), SETTINGS, PLAN)
    assert {r.subject for r in result.rows if r.verdict is Outcome.FAIL} == {
        f"e{i}" for i in range(7)
    }


def test_the_control_narrows_the_interval_on_a_noisy_host() -> None:
    """With the host taken out, p95's interval is narrower than that of the same endpoint alone."""
    together = one(host="slot-noise", size=7)
    alone = replace(
        together, endpoints=("e0",), base=together.base[:, :1], head=together.head[:, :1]
    )
    widths = []
    for data in (together, alone):
        found = row(judge(data, SETTINGS, PLAN), "e0", "p95")
        widths.append(found.ci_high - found.ci_low)
    assert widths[0] < 0.85 * widths[1]


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.0, 1.3, 3.0, 40.0])
def test_the_ratio_is_found_over_its_whole_range(factor: float) -> None:
    """A true ratio anywhere from a half to forty is estimated within four standard errors."""
    found = row(judge(one(Injection(factor)), SETTINGS, PLAN), "e0", "p99")
    assert abs(np.log(found.ratio / factor)) < 4 * 0.028
    assert found.change == pytest.approx(found.base * (found.ratio - 1))


def test_intervals_cover_the_truth() -> None:
    """95 % intervals of 400 rows cover 1.0 in 93 to 97 % of them."""
    covered = []
    for seed in range(50):
        data = simulate(HOSTS["steps"], Shape(4, 6_000, LookPlan((24,))), seed)
        for found in judge(data, SETTINGS, LookPlan((24,))).rows:
            covered.append(found.ci_low <= 1 <= found.ci_high)
    assert 0.93 <= np.mean(covered) <= 0.97


# --- says when it cannot tell ---------------------------------------------------------------


def test_too_few_rounds_are_inconclusive() -> None:
    """Six rounds decide nothing, not even a factor of two; the gate asks for more rounds."""
    plan = LookPlan((6,))
    data = simulate(HOSTS["iid"], Shape(2, 6_000, plan), 1, Injection(2.0))
    result = judge(data, SETTINGS, plan)
    assert result.verdict is Outcome.INCONCLUSIVE
    assert result.rows[0].because == "not measured: 6 rounds, need 8"
    assert (result.more_rounds_needed or 0) >= 2


def test_an_empty_slot_is_never_a_pass() -> None:
    """One endpoint unheard in one slot: its rows are INCONCLUSIVE and name the gap."""
    data = one()
    data.head[3, 1] = 0
    result = judge(data, SETTINGS, PLAN)
    assert result.verdict is Outcome.INCONCLUSIVE
    assert row(result, "e1", "p99").because == "not measured: no requests in 1 of 80 slots"
    assert row(result, "e0", "p95").verdict is Outcome.PASS
    assert result.more_requests_needed is None  # more of the same would not fill the gap


def test_no_requests_at_all_is_never_a_pass() -> None:
    """A run that recorded nothing is INCONCLUSIVE, not clean."""
    data = one()
    silent = replace(data, base=np.zeros_like(data.base), head=np.zeros_like(data.head))
    assert judge(silent, SETTINGS, PLAN).verdict is Outcome.INCONCLUSIVE


def test_a_thin_tail_is_not_measured() -> None:
    """400 requests per arm leave 4 beyond p99: the row says how many it needs."""
    data = simulate(HOSTS["iid"], Shape(1, 400, PLAN), 1)
    found = row(judge(data, SETTINGS, PLAN), "e0", "p99")
    assert found.because == "not measured: 4.0 requests beyond p99, need 10"
    assert np.isnan(found.ratio)


def test_the_requests_asked_for_are_enough() -> None:
    """Gates as large as an inconclusive one asks for mostly reach a verdict."""
    small = Shape(2, 3_000, PLAN)
    asked = [judge(simulate(HOSTS["iid"], small, s), SETTINGS, PLAN) for s in range(10)]
    more = np.median([r.more_requests_needed for r in asked if r.more_requests_needed])
    large = Shape(2, 3_000 + int(more) // 4 // 40 * 40, PLAN)  # 2 endpoints, 2 arms
    assert verdicts("iid", large, 20).count("INCONCLUSIVE") <= 8


def test_the_smallest_detectable_regression_is_detected() -> None:
    """A regression of the size a quiet run names FAILs about 80 % of the gates of that size."""
    shape = Shape(1, 10_000, PLAN)
    found = row(judge(simulate(HOSTS["iid"], shape, 3), SETTINGS, PLAN), "e0", "p99")
    change = Injection(1 + found.smallest_detectable, "tail")
    failed = verdicts("iid", shape, 24, change).count("FAIL")
    assert 0.6 <= failed / 24 < 1.0


# --- the same data, the same answer ---------------------------------------------------------


def test_the_same_data_give_the_same_result() -> None:
    """Judging twice gives equal results, to the last bit of every number."""
    assert judge(one(Injection(1.1)), SETTINGS, PLAN) == judge(one(Injection(1.1)), SETTINGS, PLAN)


def test_the_order_of_endpoints_does_not_matter() -> None:
    """Permuting the endpoints permutes the rows and changes nothing in them."""
    data, turn = one(Injection(1.1), size=5), [3, 1, 4, 0, 2]
    turned = replace(
        data,
        endpoints=tuple(data.endpoints[i] for i in turn),
        base=data.base[:, turn],
        head=data.head[:, turn],
    )
    rows = {(r.subject, r.metric): r for r in judge(data, SETTINGS, PLAN).rows}
    again = {(r.subject, r.metric): r for r in judge(turned, SETTINGS, PLAN).rows}
    assert rows.keys() == again.keys()
    for key, first in rows.items():
        assert again[key].verdict is first.verdict
        assert again[key].p_value == first.p_value
        assert again[key].ratio == pytest.approx(first.ratio, abs=1e-5)


def test_swapping_the_arms_inverts_the_ratio() -> None:
    """Calling base head and head base turns every ratio over."""
    data = one(Injection(1.2))
    swapped = replace(data, base=data.head, head=data.base, head_first=~data.head_first)
    for there, back in zip(
        judge(data, SETTINGS, PLAN).rows, judge(swapped, SETTINGS, PLAN).rows, strict=True
    ):
        assert there.raw_ratio * back.raw_ratio == pytest.approx(1, abs=1e-5)


def test_recorded_units_do_not_matter() -> None:
    """Latencies three times as long give the same ratios (the floor aside)."""
    data, settings_ = one(Injection(1.1)), replace(SETTINGS, floor_ms=0.0)
    tripled = replace(data, values_us=data.values_us * 3)
    for a, b in zip(
        judge(data, settings_, PLAN).rows, judge(tripled, settings_, PLAN).rows, strict=True
    ):
        assert a.ratio == pytest.approx(b.ratio, abs=1e-3)
        assert a.p_value == pytest.approx(b.p_value, abs=0.01)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_any_histograms_get_a_sane_answer(data: st.DataObject) -> None:
    """Whatever was counted: numbers are finite and ordered or None, and base never beats itself."""
    rounds, endpoints, k = (
        data.draw(st.sampled_from([2, 8, 12])),
        data.draw(st.integers(1, 5)),
        data.draw(st.integers(1, 12)),
    )
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    counts = rng.poisson(data.draw(st.sampled_from([0.1, 3, 400])), (2, rounds, endpoints, k))
    base, head = counts if data.draw(st.booleans()) else counts[[0, 0]]
    plan = LookPlan((rounds,))
    result = judge(
        GateData(
            endpoints=tuple(f"e{i}" for i in range(endpoints)),
            values_us=np.cumsum(rng.uniform(1, 1e5, k)),
            base=base,
            head=head,
            head_first=np.array(balanced_order(plan, 1)),
        ),
        SETTINGS,
        plan,
    )
    if (base == head).all():
        assert result.verdict is not Outcome.FAIL
    for r in result.rows:
        low, middle, high = (r.ci_low, r.ratio, r.ci_high)
        if r.judged:
            assert 0 < low <= middle * 1.001 <= high * 1.002 < np.inf
        else:
            assert np.isnan([low, middle, high]).all()


# --- controls and derived endpoints ---------------------------------------------------------


def test_a_declared_control_is_not_judged() -> None:
    """An endpoint no change touches has no rows, however it moved."""
    data = replace(one(Injection(1.5)), control=("e0",))
    result = judge(data, SETTINGS, PLAN)
    assert {r.subject for r in result.rows} == {"e1", "e2", "e3"}
    assert result.verdict is not Outcome.FAIL


def test_a_derived_endpoint_is_no_evidence_about_the_host() -> None:
    """With only two endpoints of their own beside two derived ones there is no control."""
    data = replace(one(host="slot-noise"), derived=("e2", "e3"))
    assert not row(judge(data, SETTINGS, PLAN), "e0", "p95").host_removed


def test_an_endpoint_is_no_control_of_itself() -> None:
    """However far one endpoint moves, what is called the host's doing for it stays the same."""
    data = one(size=4)
    shift = np.random.default_rng(1).normal(size=(4, 40))
    moved = shift.copy()
    moved[2] += 0.1
    assert (host_shift(data, moved)[2] == host_shift(data, shift)[2]).all()


def test_an_endpoint_that_moved_alone_is_no_control_of_others() -> None:
    """Five endpoints, one of them far off: the other four are judged by each other only."""
    data = one(size=5)
    rng = np.random.default_rng(1)
    shift = rng.normal(0, 0.1, 40) + rng.normal(0, 0.03, (5, 40))
    moved = shift.copy()
    moved[2] += 0.2
    assert (host_shift(data, moved)[0] == np.median(shift[[1, 3, 4]], axis=0)).all()


def test_one_regression_leaves_the_others_intervals_honest() -> None:
    """With e0 10 % slower on a noisy host, intervals of the six others still cover 1.0."""
    shape = Shape(7, 10_000, PLAN)
    covered = []
    for seed in range(10):
        data = simulate(HOSTS["slot-noise"], shape, seed, Injection(1.1))
        found = [r for r in judge(data, SETTINGS, PLAN).rows if r.subject != "e0"]
        covered += [r.ci_low <= 1 <= r.ci_high for r in found]
    assert 0.91 <= np.mean(covered) <= 0.99


def test_only_declared_looks_are_judged() -> None:
    """Peeking after 40 rounds when the look was declared after 48 is refused."""
    with pytest.raises(ValueError, match="no look was declared after 40"):
        judge(one(), SETTINGS, LookPlan((48,)))
