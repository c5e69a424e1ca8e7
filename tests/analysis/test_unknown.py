"""What was not measured, or too little to tell, is neither zero nor a pass."""

from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.judge import judge
from analysis.limits.rules import parse_rule
from analysis.limits.thresholds import parse_thresholds
from analysis.metrics.catalogue import kinds_of
from analysis.metrics.decide import decided
from analysis.metrics.latency import straddles
from analysis.words.values import Measurement, Outcome, RuleRow, Verdict
from recording.errors import ConfigError
from recording.flow import STEPS
from recording.journey import Funnel
from recording.metric_names import RSS
from recording.series import Sample, SeriesRows, SeriesWriter
from tests.analysis.recordings import END_S, JOURNEY, SERVICES, Recording

ALL = ("latency", "errors", "pool", "memory", "orders")
CART = "cart-service"
LOCKS = "inventory-lock-service"


def verdict(folder: Path, section: str, rule: str, **faults: Any) -> Verdict:
    """The verdict by one rule, which is required; ``section`` is ``cart-service.memory``."""
    subject, _, kind = section.partition(".")
    limits = parse_thresholds(f'[{subject}]\n{kind} = ["{rule}"]')
    judged = faults.pop("required", ALL)
    return judge(Recording(judged=judged, **faults).write(folder / "run"), limits)


def row(folder: Path, section: str, rule: str, **faults: Any) -> RuleRow:
    """Its first row. What is not about users' requests goes without any, which is quicker."""
    about_requests = section.partition(".")[0] in ("journey", *STEPS)
    return verdict(
        folder, section, rule, **({} if about_requests else {"rate": 0.0}), **faults
    ).rows[0]


def requests(labels: str, per_s: float) -> list[Sample]:
    return [
        Sample(second, LOCKS, f"http_requests_total{labels}", per_s * second)
        for second in range(int(END_S) + 1)
    ]


def waits(longer: float, bound: str = "0.05") -> list[Sample]:
    """Callers of the lock pool that waited longer than a bound, all at T+20s."""
    name = "connection_pool_acquire_seconds_bucket/p/0"
    rows = [(0, bound, 5.0), (0, "+Inf", 5.0), (20, bound, 90.0), (20, "+Inf", 90.0 + longer)]
    return [Sample(t_s, LOCKS, f"{name}/{le}", n) for t_s, le, n in rows]


@pytest.mark.parametrize(
    ("raised", "failed", "outcome"),
    [
        (3, 0, "INCONCLUSIVE"),
        (3, 2, "INCONCLUSIVE"),
        (3, 3, "PASS"),
        (0, 0, "PASS"),
        ("x", 0, "PASS"),
    ],
)
def test_journeys_that_ended_in_an_error_of_their_own_are_no_pass(
    tmp_path: Path, raised: object, failed: int, outcome: str
) -> None:
    """Unless as many requests failed: those are counted already, by the rules about them."""
    closing = {"raised": raised, "failed": failed, "last_raised": "KeyError: 'id'"}
    found = verdict(tmp_path, "charge.latency", "p50 < 9 s", closing=closing, required=("latency",))
    assert found.verdict.value == outcome, found.summary
    assert ("the last KeyError: 'id'" in found.summary) == (outcome != "PASS")


def test_a_rule_on_a_name_that_nobody_asked_for_is_open(tmp_path: Path) -> None:
    """It may be misspelt, whoever made the load; of ours not everyone asks for all."""
    rules = '[journey]\nlatency = ["p50 < 9 s"]\n[steps."{}"]\nlatency = ["p50 < 9 s"]\n'
    run = Recording(judged=("latency",)).write(tmp_path / "run")
    for name, outcome in (("chrage", "INCONCLUSIVE"), ("charge", "PASS")):
        found = judge(run, parse_thresholds(rules.format(name)))
        assert found.verdict.value == outcome, found.summary


@pytest.mark.parametrize(("share", "missing"), [(0.0, False), (0.1, True)])
def test_a_step_that_nobody_is_let_take_is_not_missed(
    tmp_path: Path, share: float, missing: bool
) -> None:
    """A step of which there are no requests is no data, unless the profile has none of it."""
    journey = JOURNEY.model_copy(update={"funnel": Funnel(apply_coupon=share)})
    steps = [step for step in STEPS if step != "apply_coupon"]
    rule = {"section": "checkout-service.latency", "rule": "p99 < 2000 ms"}
    found = verdict(tmp_path, **rule, journey=journey, steps=steps)
    asked = {row.measurement.subject: row.outcome for row in found.rows}
    assert ("apply_coupon" in asked) is missing
    assert found.verdict is (Outcome.INCONCLUSIVE if missing else Outcome.PASS)


@pytest.mark.parametrize("step", ["journey", "charge"])
@pytest.mark.parametrize("failed", [0.06, 1.0])
def test_failing_fast_is_not_fast(tmp_path: Path, step: str, failed: float) -> None:
    """Past 5 % failures no latency can pass, however short."""
    spoilt = STEPS if step == "journey" else (step,)
    outcomes = {name: {"ok": 1 - failed, "http_5xx": failed} for name in spoilt}
    found = verdict(tmp_path, f"{step}.latency", "p95 < 1000 ms", outcomes=outcomes)
    assert found.verdict is Outcome.INCONCLUSIVE
    assert "of its requests failed: how fast they failed says nothing" in found.summary


def test_failing_slowly_is_a_fail(tmp_path: Path) -> None:
    """What is over its limit stays over it."""
    outcomes = {"charge": {"http_5xx": 1.0}}
    found = row(tmp_path, "charge.latency", "p95 < 50 ms", outcomes=outcomes)
    assert found.outcome is Outcome.FAIL


def test_a_few_failures_leave_latency_alone(tmp_path: Path) -> None:
    """Up to 5 % they could hide nothing that matters."""
    outcomes = {"charge": {"ok": 0.96, "http_5xx": 0.04}}
    found = row(tmp_path, "charge.latency", "p95 < 1000 ms", outcomes=outcomes)
    assert found.outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("rule", "without", "note"),
    [
        ("exhausted_windows == 0", "connection_pool_waiting", "no connection_pool_waiting"),
        ("exhausted_windows == 0", "connection_pool_timeouts_total", "no connection_pool_timeouts"),
        ("exhausted_windows == 0", "connection_pool_active", "no connection_pool_active"),
        ("utilization < 90 %", "connection_pool_max", "no connection_pool_max"),
        ("peak_waiting < 5", "connection_pool_waiting", "no connection_pool_waiting"),
        ("timeouts == 0", "connection_pool_timeouts_total", "no connection_pool_timeouts"),
        ("acquire_wait_p99 < 5 s", "connection_pool_acquire_seconds_bucket", "no data"),
    ],
)
def test_what_a_pool_does_not_export_is_no_data(
    tmp_path: Path, rule: str, without: str, note: str
) -> None:
    """Absence is not zero: the row is there, says why, and is no PASS."""
    found = row(tmp_path, f"{LOCKS}.pool", rule, without=(without,))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert note in found.because
    assert np.isnan(found.measurement.value)


@pytest.mark.parametrize("size", [0.0, -1.0])
def test_an_unlimited_pool_has_no_utilization(tmp_path: Path, size: float) -> None:
    """Neither 100 % nor a division by zero."""
    pool = ((0.0, size, 7.0, 0.0),)
    found = row(tmp_path, f"{LOCKS}.pool", "utilization < 90 %", pool=pool)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert np.isnan(found.measurement.value)


def test_an_unlimited_pool_in_which_nobody_waits_is_not_exhausted(tmp_path: Path) -> None:
    """It says that nobody waits, and that no wait timed out."""
    pool = ((0.0, -1.0, 7.0, 0.0),)
    found = row(tmp_path, f"{LOCKS}.pool", "exhausted_windows == 0", pool=pool)
    assert found.outcome is Outcome.PASS


def test_timeouts_break_the_rule_whatever_else_is_unknown(tmp_path: Path) -> None:
    """A pool without a size can still be seen to turn callers away."""
    pool = ((0.0, 10.0, 2.0, 0.0), (20.0, 10.0, 10.0, 4.0), (30.0, 10.0, 2.0, 0.0))
    faults: dict[str, Any] = {"pool": pool, "timeouts": 3.0, "without": ("connection_pool_max",)}
    found = row(tmp_path, f"{LOCKS}.pool", "exhausted_windows == 0", **faults)
    assert found.outcome is Outcome.FAIL


def test_a_pool_that_says_half_keeps_no_limit(tmp_path: Path) -> None:
    """One of two pools exports its size: the other may be the fuller one."""
    other = [Sample(s, LOCKS, "connection_pool_active/q/0", 99.0) for s in range(41)]
    found = row(tmp_path, f"{LOCKS}.pool", "utilization < 90 %", samples=other)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "at least 20 %: pool q/0: no connection_pool_max" in found.because


def test_exhaustion_between_two_samples_is_no_pass(tmp_path: Path) -> None:
    """No sample shows a waiter, and the histogram shows that three callers waited."""
    found = verdict(tmp_path, f"{LOCKS}.pool", "exhausted_windows == 0", samples=waits(3))
    assert found.verdict is Outcome.INCONCLUSIVE
    (finding,) = [text for text in found.findings if "between the samples" in text]
    assert "3 callers waited longer than 50 ms" in finding


@pytest.mark.parametrize("history", [waits(0), waits(9)[:2], waits(9, bound="0.02")[:3]])
def test_a_pool_that_gives_connections_at_once_passes(
    tmp_path: Path, history: list[Sample]
) -> None:
    """Waits shorter than opening a connection takes, and those before the run, prove nothing."""
    rule = "exhausted_windows == 0"
    assert row(tmp_path, f"{LOCKS}.pool", rule, samples=history).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("faults", "outcome"),
    [
        ({}, Outcome.PASS),
        ({"urls": True}, Outcome.INCONCLUSIVE),
        ({"urls": True, "samples": [Sample(0, CART, "container_oom_events_total", 0)]},
         Outcome.INCONCLUSIVE),
        ({"urls": True, "samples": [Sample(t, CART, "container_oom_events_total", 0)
                                    for t in range(41)]}, Outcome.PASS),
        ({"urls": True, "samples": [Sample(0, "cart-service", "container_oom_events_total", 2),
                                    Sample(9, "cart-service", "container_oom_events_total", 3)]},
         Outcome.FAIL),
        ({"urls": True, "events": ({"t_s": 33.0, "source": CART, "event": "oom_killed"},)},
         Outcome.FAIL),
    ],
)  # fmt: skip
def test_no_kill_is_seen_only_where_it_would_be_said(
    tmp_path: Path, faults: dict[str, Any], outcome: Outcome
) -> None:
    """Our services write events; others must export the kernel's counter."""
    assert row(tmp_path, "cart-service.memory", "oom_killed == 0", **faults).outcome is outcome


@pytest.mark.parametrize(
    "rule", ["peak_rss < 9 GB", "slope < 900000 MB/h", "time_to_limit > 1 min"]
)
def test_memory_that_is_not_exported_is_no_data(tmp_path: Path, rule: str) -> None:
    """Neither small nor flat."""
    faults = {"without": ("process_resident_memory_bytes",)}
    assert row(tmp_path, "cart-service.memory", rule, **faults).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("urls", [False, True])
@pytest.mark.parametrize("rule", ["lost == 0", "unmatched == 0"])
def test_without_a_ledger_orders_are_no_data(tmp_path: Path, rule: str, urls: bool) -> None:
    """Nobody knows what became of them, whoever started the shop."""
    found = row(tmp_path, "orders.orders", rule, ledger=None, urls=urls)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "no ledger" in found.because


@pytest.mark.parametrize(
    ("samples", "rule", "outcome"),
    [
        ([], "error_rate < 1 %", Outcome.INCONCLUSIVE),
        (requests("/x/GET/200", 50.0), "error_rate < 1 %", Outcome.PASS),
        (requests("/200", 50.0) + requests("/503", 25.0), "error_rate < 1 %", Outcome.FAIL),
        (requests("/2xx", 50.0) + requests("/5xx", 25.0), "error_rate < 1 %", Outcome.FAIL),
        (requests("/200", 50.0) + requests("/503", 25.0), "failures < 9", Outcome.FAIL),
        (requests("/200", 50.0), "failures < 9", Outcome.PASS),
        # 150 of 1,650 is 9.1 %: a count that is judged as a rate would hold
        (requests("/200", 50.0) + requests("/503", 5.0), "failures < 20", Outcome.FAIL),
        # recordings made before, of exporters with other labels, and counters without a status
        (requests("/GET", 50.0), "error_rate < 1 %", Outcome.INCONCLUSIVE),
        (requests("", 50.0), "error_rate < 1 %", Outcome.INCONCLUSIVE),
        (requests("/200", 50.0) + requests("", 5.0), "error_rate < 1 %", Outcome.INCONCLUSIVE),
        (requests("/200", 50.0) + requests("", 5.0), "failures < 9", Outcome.INCONCLUSIVE),
        (requests("/500", 50.0) + requests("", 5.0), "error_rate < 1 %", Outcome.FAIL),
        (requests("/500", 0.05) + requests("", 95.0), "error_rate < 1 %", Outcome.INCONCLUSIVE),
        (requests("/200", 5.0), "error_rate < 1 %", Outcome.INCONCLUSIVE),
    ],
)
def test_errors_of_a_service_that_users_never_call(
    tmp_path: Path, samples: list[Sample], rule: str, outcome: Outcome
) -> None:
    """By its counters, and only where they name a status."""
    assert row(tmp_path, f"{LOCKS}.errors", rule, samples=samples).outcome is outcome


def test_latency_of_a_service_that_users_never_call_is_refused() -> None:
    """Nothing could ever answer such a rule."""
    with pytest.raises(ConfigError, match=f"{LOCKS} has no latency rules; allowed: errors, pool"):
        parse_thresholds(f'[{LOCKS}]\nlatency = ["p99 < 1000 ms"]')


@pytest.mark.parametrize(
    ("section", "rule", "outcome"),
    [
        ("journey.errors", "error_rate < 0.1 %", Outcome.PASS),  # 3,000 of 3,000
        ("journey.errors", "error_rate < 0.09 %", Outcome.INCONCLUSIVE),
        ("charge.errors", "error_rate < 0.8 %", Outcome.PASS),  # 428 of 375
        ("charge.errors", "error_rate <= 0.6 %", Outcome.INCONCLUSIVE),
        ("charge.errors", "error_rate == 0 %", Outcome.PASS),  # none of these: a count
        ("charge.errors", "failures < 1", Outcome.PASS),
    ],
)
def test_few_requests_keep_no_small_limit(
    tmp_path: Path, section: str, rule: str, outcome: Outcome
) -> None:
    """The rule of three: none of n failed excludes rates above 3/n only."""
    assert row(tmp_path, section, rule).outcome is outcome


def test_a_rate_over_its_limit_is_a_breach_at_any_number(tmp_path: Path) -> None:
    """One of few is too many where one of a thousand is."""
    outcomes = {"charge": {"ok": 0.99, "http_5xx": 0.01}}
    found = row(tmp_path, "charge.errors", "error_rate < 0.1 %", outcomes=outcomes)
    assert found.outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("value", "low", "high", "outcome", "because"),
    [
        (
            995.0,
            900.0,
            1300.0,
            Outcome.INCONCLUSIVE,
            "its 95 % bound is 1300 ms: more than",
        ),
        (900.0, 800.0, 1100.0, Outcome.INCONCLUSIVE, "bound is 1100 ms: about 7m30s more could"),
        (900.0, 800.0, None, Outcome.INCONCLUSIVE, "too few to bound it"),
        (900.0, 800.0, 999.0, Outcome.PASS, ""),
        (900.0, None, 999.0, Outcome.PASS, ""),
        (1001.0, 900.0, 1300.0, Outcome.FAIL, ""),
    ],
)
def test_an_interval_across_the_limit_decides_nothing(
    value: float, low: float | None, high: float | None, outcome: Outcome, because: str
) -> None:
    """A PASS needs the bound on that side within the limit, a FAIL the estimate past it."""
    measured = Measurement("charge", "p99", value, "ms", 5000, low, high)
    rule = parse_rule("p99 < 1000 ms")
    doubts = (straddles(rule, measured, 150.0),)
    found, why = decided(rule, measured, doubts)
    assert found is outcome
    assert because in why


def test_a_profile_may_require_a_kind_of_one_section(tmp_path: Path) -> None:
    """What is neither required nor decided is named, and the PASS is no word on shipping."""
    limits = parse_thresholds(
        '[journey]\nerrors = ["error_rate < 0.1 %"]\n[charge]\nerrors = ["error_rate < 0.1 %"]'
    )
    made = Recording(judged=("journey.errors",)).write(tmp_path / "run")
    found = judge(made, limits)
    assert found.verdict is Outcome.PASS
    assert found.summary.startswith("It works. This is no verdict on shipping: not decided")
    whole = judge(Recording(judged=("errors",)).write(tmp_path / "whole"), limits)
    assert whole.verdict is Outcome.INCONCLUSIVE


def test_every_service_and_rule_has_a_row(tmp_path: Path) -> None:
    """Whatever was recorded, no rule of the file is silently nothing."""
    kinds = {
        "latency": "p99 < 1 s", "errors": "error_rate < 1 %", "pool": "utilization < 90 %",
        "memory": "slope < 10 MB/h",
    }  # fmt: skip
    text = "".join(
        f"[{service}]\n"
        + "".join(f'{kind} = ["{kinds[kind]}"]\n' for kind in kinds_of(service) if kind in kinds)
        for service in SERVICES
    )
    limits = parse_thresholds(text + '[orders]\norders = ["lost == 0"]\n')
    empty = Recording(rate=0.0, ledger=None, without=("connection_pool_active",))
    rows = judge(empty.write(tmp_path / "run"), limits).rows
    assert {(r.subject, r.rule) for r in rows} == {(s, str(rule)) for s, rule in limits}


def test_a_check_without_data_stays_in_the_list(tmp_path: Path) -> None:
    """What the system does not say is shown as that, and spoils nothing."""
    without = ("run_queue_wait_seconds", "cpu_busy_seconds_total")
    run = Recording(without=without).write(tmp_path / "run")
    kept = [s for s in SeriesRows().samples(run.load.read_text()) if s.metric not in without]
    run.load.unlink()
    with SeriesWriter(run.load) as series:
        series.write(kept)
    limits = parse_thresholds('[orders]\norders = ["lost == 0"]')
    found = {check.name: check for check in judge(run, limits).checks}
    for name in ("CPU taken by others", "CPU wait of locust-worker-01"):
        assert (found[name].actual, found[name].ok) == ("no data", True)


def test_a_generator_that_says_nothing_of_itself_is_no_evidence(tmp_path: Path) -> None:
    """Ours always does: its lag and its CPU are part of every recording."""
    run = Recording().write(tmp_path / "run")
    run.load.write_text("".join(
        line for line in run.load.read_text().splitlines(keepends=True) if "worker" not in line
    ))  # fmt: skip
    verdict = judge(run, parse_thresholds('[orders]\norders = ["lost == 0"]'))
    assert "CPU of the generator no data, allowed present" in verdict.invalid_reasons


def test_no_request_has_no_failures_nor_none(tmp_path: Path) -> None:
    """A count of nothing is not zero."""
    found = row(tmp_path, "charge.errors", "failures < 9", rate=0.0)
    assert isnan(found.measurement.value)
    assert found.outcome is Outcome.INCONCLUSIVE


def test_a_growth_that_is_not_known_is_not_never(tmp_path: Path) -> None:
    """Of one fall nobody can tell whether it was a collection, nor when the limit is reached."""

    def in_other_units(sample: Sample) -> float | None:
        return sample.value / (1024 if sample.metric == RSS and sample.t_s > 100 else 1)

    long = {"start_s": 1.0, "end_s": 200.0, "said": in_other_units}
    found = row(tmp_path, f"{CART}.memory", "time_to_limit > 72 h", **long)
    assert isnan(found.measurement.value)
    assert found.outcome is Outcome.INCONCLUSIVE
