"""A run against five stored ones or more."""

from math import sqrt

import numpy as np
import pytest
from scipy import stats

from analysis.compare.against_baselines import compare_with_baselines, variation
from analysis.compare.baseline import Baseline
from analysis.compare.side_by_side import Comparison
from analysis.limits.regression import GateSettings
from analysis.regression.latency import LatencyRow
from analysis.words.values import Outcome
from tests.analysis.compare.baselines import SUBJECTS, figure, made, scattered

RULES = GateSettings(baseline_spread=0.10)
STORED = scattered(10, 0.01, seed=1)


def judged(run: Baseline, stored: list[Baseline] = STORED) -> Comparison:
    return compare_with_baselines(run, stored, RULES, "baselines/")


def row(found: Comparison, subject: str, metric: str) -> LatencyRow:
    return next(r for r in found.rows if (r.subject, r.metric) == (subject, metric))


def test_one_more_run_like_the_others_passes() -> None:
    """Ten baselines that agree to 1 % exclude +10 %."""
    found = judged(made("new"))
    assert found.verdict is Outcome.PASS
    assert len(found.rows) == 2 * len(SUBJECTS)


def test_a_slow_step_fails_and_is_named() -> None:
    """+30 % of charge is a FAIL of charge and of nothing else."""
    found = judged(made("new", {"charge": 1.3}))
    failed = {r.subject for r in found.rows if r.verdict is Outcome.FAIL}
    assert (found.verdict, failed) == (Outcome.FAIL, {"charge"})
    assert "charge p99" in found.summary


def test_the_interval_is_the_prediction_interval_of_one_further_run() -> None:
    """Student's t with k - 1 degrees of freedom, s * sqrt(1 + 1/k), on the log scale."""
    found = row(judged(made("new", 1.02)), "browse", "p99")
    logs = np.log([f.value for b in STORED if (f := b.figure("browse", "p99"))])
    half = stats.t.ppf(0.975, 9) * logs.std(ddof=1) * sqrt(1 + 1 / 10)
    centre = np.log(400 * 1.02) - logs.mean()
    assert found.ci_low == pytest.approx(np.exp(centre - half))
    assert found.ci_high == pytest.approx(np.exp(centre + half))


def test_a_change_below_the_minimum_effect_never_fails() -> None:
    """However well the baselines agree."""
    found = judged(made("new", 1.04), scattered(30, 0.001, seed=2))
    assert all(r.verdict is not Outcome.FAIL for r in found.rows)


def test_four_baselines_are_too_few() -> None:
    """The message says how many there are, of what, and how many it takes."""
    found = judged(made("new", 2.0), STORED[:4])
    assert found.verdict is Outcome.INCONCLUSIVE
    assert found.reasons[0] == (
        "baselines/ holds 4 baselines of host class xeon-2c-8gb-linux6 and load 0123456789ab "
        "(release), need 5"
    )


@pytest.mark.parametrize("changed", [{"host_class": "epyc-4c"}, {"digest": "ffffffffffff"}])
def test_baselines_of_another_host_or_load_do_not_count(changed: dict[str, str]) -> None:
    """They are named, so that nobody wonders where they went."""
    found = judged(made("new", **changed))
    assert found.verdict is Outcome.INCONCLUSIVE
    assert "10 of xeon-2c-8gb-linux6 0123456789ab (release)" in found.reasons[1]


def test_unknown_hosts_are_not_alike() -> None:
    """Neither says where it ran, so nothing makes them one class."""
    stored = [b.model_copy(update={"host_class": "unknown"}) for b in STORED]
    assert judged(made("new", host_class="unknown"), stored).verdict is Outcome.INCONCLUSIVE


def test_a_run_is_not_its_own_baseline() -> None:
    """Stored first and compared then, it would excuse itself."""
    found = judged(STORED[0], STORED[:5])
    assert "holds 4 baselines" in found.reasons[0]


def test_baselines_that_spread_decide_nothing() -> None:
    """Past the limit a row is refused with the spread, even at three times the latency."""
    found = judged(made("new", 3.0), scattered(10, 0.3, seed=3))
    assert found.verdict is Outcome.INCONCLUSIVE
    assert "the baselines spread" in found.reasons[0]
    assert "allowed 10 %" in found.reasons[0]


def test_the_spread_is_the_coefficient_of_variation() -> None:
    """Of lognormal values: what a user gets from sd / mean."""
    values = np.exp(np.random.default_rng(4).normal(0.0, 0.25, 200_000))
    assert variation(0.25) == pytest.approx(values.std() / values.mean(), rel=0.01)


def test_one_noisy_row_does_not_hide_another_rows_regression() -> None:
    """Rows are refused one by one."""
    factors = np.exp(np.random.default_rng(5).normal(0.0, 0.3, len(STORED)))
    mixed = [
        made(b.run_id, {s: float(f) if s == "browse" else _factor(b, s) for s in SUBJECTS})
        for b, f in zip(STORED, factors, strict=True)
    ]
    found = judged(made("new", {"charge": 1.3}), mixed)
    assert found.verdict is Outcome.FAIL
    assert row(found, "browse", "p99").verdict is Outcome.INCONCLUSIVE


def _factor(baseline: Baseline, subject: str) -> float:
    found = baseline.figure(subject, "p50")
    assert found is not None
    return found.value / 100


def test_copies_of_one_run_are_no_baselines() -> None:
    """A spread of zero is not certainty."""
    copies = [made(f"c{i}") for i in range(6)]
    assert "copies of one run" in judged(made("new", 2.0), copies).reasons[0]


def test_a_step_that_was_not_measured_spoils_a_pass() -> None:
    """Missing data is never a PASS."""
    without = tuple(f for f in made("x").figures if f.subject != "confirm")
    found = judged(made("new", figures=without))
    assert found.verdict is Outcome.INCONCLUSIVE
    assert any("confirm p99: not measured: 0 requests" in reason for reason in found.reasons)


def test_too_few_requests_for_a_percentile_spoil_a_pass() -> None:
    """The row says how many it takes."""
    found = judged(made("new", n=300))
    assert row(found, "browse", "p95").verdict is Outcome.PASS
    assert row(found, "browse", "p99").because == (
        "not measured: 300 requests in this run, p99 takes 368"
    )


def test_more_errors_forbid_a_pass() -> None:
    """A request that fails fast is not a fast request."""
    base = made("x").figures
    errors = (figure("charge", "error_rate", 3.0, 2.5, 3.5, unit="%"),)
    kept = tuple(f for f in base if (f.subject, f.metric) != ("charge", "error_rate"))
    found = judged(made("new", figures=kept + errors))
    assert found.verdict is Outcome.INCONCLUSIVE
    assert found.reasons == (
        "charge: 3 % errors, at most 0 % before: latencies of failed requests are in the "
        "percentiles",
    )


def test_what_a_run_lacks_forbids_a_pass() -> None:
    """As it does where it is judged by limits."""
    doubts = ("a worker never sent its last report",)
    found = judged(made("new").model_copy(update={"doubts": doubts}))
    assert found.verdict is Outcome.INCONCLUSIVE
    assert found.summary.endswith(doubts[0])
    assert found.reasons[-1] == doubts[0]


def test_failing_as_fast_as_ever_is_no_pass() -> None:
    """Past 5 % failures latency means nothing, though every baseline failed as often."""

    def failing(name: str, factor: float = 1.0) -> Baseline:
        errors = figure("charge", "error_rate", 40.0, 38.0, 42.0, unit="%")
        kept = [f for f in made(name, factor).figures if f.metric != "error_rate"]
        return made(name, figures=(*kept, errors))

    stored = [failing(f"run-{i}", 1 + i / 1000) for i in range(10)]
    found = judged(failing("new"), stored)
    assert found.verdict is Outcome.INCONCLUSIVE
    assert "40 % of its requests failed" in row(found, "charge", "p95").because


def test_mixed_settings_of_the_services_are_refused() -> None:
    """Baselines of two configurations have no common mean."""
    mixed = [*STORED[:5], *(b.model_copy(update={"services": {"cart": {}}}) for b in STORED[5:])]
    assert "different [services]" in judged(made("new"), mixed).reasons[0]


def test_settings_under_test_are_named_and_judged() -> None:
    """A pool size that differs from the baselines' is what the comparison is about."""
    found = judged(made("new", {"charge": 1.3}, services={"payment": {"pool_max": 10}}))
    assert found.verdict is Outcome.FAIL
    assert "services differs: payment.pool_max = not set, then 10" in found.notes


def test_a_shift_of_everything_is_called_what_it_may_be() -> None:
    """A slower host slows all steps alike."""
    notes = judged(made("new", 1.3)).notes
    assert any("a slower host looks the same" in note for note in notes)


def test_an_interrupted_run_is_not_judged() -> None:
    """Half a run is another load."""
    found = judged(made("new", ended="interrupted"))
    assert found.reasons == ("new did not complete (interrupted)",)


def test_false_alarms_stay_within_the_promise() -> None:
    """100 equal runs against 5 baselines that spread 4 %, 16 rows each: at most one FAIL."""
    failed = 0
    for gate in range(100):
        *stored, run = scattered(6, 0.04, seed=gate)
        failed += judged(run, stored).verdict is Outcome.FAIL
    assert failed <= 1


def twins(k: int, within: float) -> list[Baseline]:
    """Baselines that drew the same: they agree twenty times as well as runs do."""
    near = scattered(k, within / 20, seed=7)
    seeds = {"load": 1}
    return [
        made(b.run_id, {s: _factor(b, s) for s in SUBJECTS}, within=within, seeds=seeds)
        for b in near
    ]


def test_baselines_that_drew_the_same_accuse_no_run_that_did_not() -> None:
    """A run with draws of its own lies as far off as its own noise; it was a FAIL before."""
    found = judged(made("new", {"browse": 1.068}, within=0.03), twins(5, 0.03))
    assert found.verdict is not Outcome.FAIL
    assert row(found, "browse", "p95").p_value == pytest.approx(
        stats.norm.sf(np.log(1.068) / (0.03 * sqrt(2))), rel=0.2
    )


def test_what_neither_noise_explains_still_fails() -> None:
    """+30 % against twins whose runs are known to 3 %."""
    found = judged(made("new", {"charge": 1.3}, within=0.03), twins(5, 0.03))
    assert found.verdict is Outcome.FAIL
    assert "charge p99" in found.summary


def test_the_interval_is_the_wider_of_both() -> None:
    """Twins do not make it narrower than a run knows itself."""
    found = row(judged(made("new", within=0.03), twins(5, 0.03)), "browse", "p99")
    half = stats.norm.ppf(0.975) * 0.03 * sqrt(2)  # one draw five times averages nothing out
    assert np.log(found.ci_high / found.ci_low) == pytest.approx(2 * half, rel=0.01)
    assert 0.1 < found.smallest_detectable < 0.25


def test_a_run_that_knows_itself_badly_does_not_fail_for_it() -> None:
    """Baselines that agree to 1 %, and one further run of a tenth of their precision."""
    assert judged(made("new", {"charge": 1.15}, within=0.1)).verdict is not Outcome.FAIL


def test_baselines_without_intervals_cannot_tell() -> None:
    """Those of some earlier format: it is said what to do about it."""
    old = [b.model_copy(update={"figures": made(b.run_id, within=None).figures}) for b in STORED]
    found = judged(made("new", 2.0), old)
    assert found.verdict is Outcome.INCONCLUSIVE
    assert "10 of these runs were kept without an interval" in found.reasons[0]


@pytest.mark.parametrize(
    ("seeds", "says"),
    [({}, "do not say what they drew from"), ({"load": 1}, "drew from the same seeds")],
)
def test_baselines_whose_draws_are_common_or_unknown_are_named(
    seeds: dict[str, int], says: str
) -> None:
    """Their spread is not that of runs."""
    stored = [b.model_copy(update={"seeds": seeds}) for b in STORED]
    assert any(says in note for note in judged(made("new"), stored).notes)
    assert not any(says in note for note in judged(made("new")).notes)


def test_no_false_alarm_of_runs_with_draws_of_their_own() -> None:
    """10 equal runs against five others, 50 times: at most 1 % FAIL."""
    failed = 0
    for number in range(50):
        rng = np.random.default_rng(number)
        runs = [
            made(
                f"r{i}",
                dict(zip(SUBJECTS, np.exp(rng.normal(0, 0.03, 8)), strict=True)),
                within=0.03,
            )
            for i in range(15)
        ]
        failed += sum(judged(run, runs[:5]).verdict is Outcome.FAIL for run in runs[5:])
    assert failed <= 5
