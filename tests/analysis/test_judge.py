"""The judge as a whole: verdicts on recordings made to order."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis.judge import judge
from analysis.limits.thresholds import Thresholds, parse_thresholds
from analysis.report.markdown import markdown
from analysis.report.single import run_document
from analysis.words.values import Outcome, Verdict
from recording.flow import STEPS
from recording.rundir import RunDir
from tests.analysis.recordings import RATE, SMALL, Recording

LIMITS = parse_thresholds(
    """
    [journey]
    latency = ["p99 < 300 ms"]
    errors = ["error_rate < 0.5 %"]
    [payment-gateway]
    latency = ["p95 < 200 ms"]
    [inventory-lock-service]
    pool = ["exhausted_windows == 0", "utilization < 90 %"]
    [cart-service]
    memory = ["slope < 10 MB/h", "time_to_limit > 72 h", "oom_killed == 0"]
    [orders]
    orders = ["lost == 0", "unmatched == 0"]
    """
)
JudgeIt = Callable[..., Verdict]


@pytest.fixture
def judged(tmp_path: Path) -> JudgeIt:
    """Write a recording with these faults and judge it."""
    numbers = itertools.count()

    def judge_it(limits: Thresholds = LIMITS, **faults: Any) -> Verdict:
        return judge(Recording(**faults).write(tmp_path / f"made{next(numbers)}"), limits)

    return judge_it


def test_a_healthy_recording_passes(judged: JudgeIt) -> None:
    """No breach, no reason for doubt, orders reconciled, exit code 0."""
    verdict = judged()
    assert (verdict.verdict, verdict.exit_code) == (Outcome.PASS, 0), verdict.summary
    assert not verdict.breaches
    assert not verdict.invalid_reasons
    assert any("100 % reconciled" in text for text in verdict.findings)


@pytest.mark.parametrize(
    ("faults", "subject", "metric", "actual", "required", "because"),
    [
        # one slow step breaks its service's rule; the cause is the service itself
        ({"latency_ms": {"charge": 250.0}}, "payment-gateway/charge", "p95", 274, "< 200 ms",
         "the time was spent in payment-gateway"),
        # 2 % of one step is 0.29 % of the flow: only its own share would show; here 4 steps
        ({"outcomes": {s: {"ok": 0.98, "http_5xx": 0.02} for s in ("browse", "detail", "charge")}},
         "journey", "error_rate", 0.70, "< 0.5 %", "http_5xx"),
        ({"pool": ((0, 10, 2, 0), (20, 10, 10, 4), (30, 10, 2, 0)), "timeouts": 3.0},
         "inventory-lock-service", "exhausted_windows", 1, "== 0", "T+20s to T+30s"),
        ({"pool": ((0, 10, 2, 0), (20, 10, 10, 4), (30, 10, 2, 0)), "timeouts": 3.0},
         "inventory-lock-service", "utilization", 100, "< 90 %", "4 waiting"),
        ({"rss_mb_per_h": 3600.0}, "cart-service", "slope", 3600, "< 10 MB/h", "grows"),
        ({"rss_mb_per_h": 3600.0}, "cart-service", "time_to_limit", 0.54, "> 72 h", "limit 2048"),
        ({"events": ({"t_s": 33.0, "source": "cart-service", "event": "oom_killed"},)},
         "cart-service", "oom_killed", 1, "== 0", ""),
        # confirmed to a client, gone from the ledger
        ({"ledger": ((20.0, "ord-1"),)}, "orders", "lost", 1, "== 0", "ord-2"),
        # in the ledger long before the stop, never seen by a client
        ({"ledger": ((20.0, "ord-1"), (30.0, "ord-2"), (5.0, "ord-3"))},
         "orders", "unmatched", 1, "== 0", "ord-3"),
    ],
)  # fmt: skip
def test_a_breach_names_subject_metric_actual_required_and_cause(
    judged: JudgeIt,
    faults: dict[str, Any],
    subject: str,
    metric: str,
    actual: float,
    required: str,
    because: str,
) -> None:
    """Each broken rule is a FAIL with everything needed to act on it."""
    verdict = judged(**faults)
    assert (verdict.verdict, verdict.exit_code) == (Outcome.FAIL, 3), verdict.summary
    (breach,) = [b for b in verdict.breaches if (b.subject, b.metric) == (subject, metric)]
    assert breach.actual == pytest.approx(actual, rel=0.05)
    assert breach.required == required
    assert because in breach.because


def test_all_breaches_are_collected(judged: JudgeIt) -> None:
    """Not the first one only."""
    verdict = judged(latency_ms={"charge": 250.0}, rss_mb_per_h=3600.0, ledger=((20.0, "ord-1"),))
    assert {b.subject for b in verdict.breaches} == {
        "payment-gateway/charge", "cart-service", "orders",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        ({"ended": "service_died"}, "end of the run service_died"),
        ({"ended": "generator_died"}, "end of the run generator_died"),
        ({"ended": "aborted"}, "end of the run aborted"),
        # the harness was killed: no closing count, still "running"
        ({"ended": "running"}, "closing count missing"),
        # the log holds less than the recorder counted, or Locust saw more than we did
        ({"closing": {"recorded": 999_999}}, "requests in latency.hlog"),
        ({"closing": {"locust_requests": 999_999}}, "Locust's own count"),
        ({"closing": {"orders": 3}}, "orders in confirmed.csv"),
        ({"closing": {"given_up": 1}}, "orders in unconfirmed.csv"),
        ({"closing": {"errors": 1}}, "recorder errors 1"),
        ({"seconds_lost": frozenset(range(20, 30))}, "recorded intervals"),
        ({"rate": 0.0}, "measured requests 0"),
        # load not delivered: too few users, or too few requests for the users there were
        ({"users": 80.0, "rate": 80.0}, "users delivered 80"),
        ({"rate": 60.0}, "request rate 60"),
        # starved generator or mock
        ({"distortion_ms": 80.0}, "distortion p99 88"),
        ({"distortion_ms": 80.0, "stolen_cores": 0.6}, "the hypervisor took 30 % of the CPU"),
        ({"lag_ms": 80.0}, "generator lag p99 88"),
        ({"cpu": {"locust": 0.97}}, "CPU of locust-worker-01 97 %"),
        ({"cpu_wait": 0.4}, "CPU wait of locust-worker-01 40 %"),
        ({"foreign_cores": 1.2}, "CPU taken by others 60 %"),
        ({"cpu": {"payment-gateway": 0.97}}, "CPU of the payment-gateway mock 97 %"),
    ],
)  # fmt: skip
def test_a_run_that_is_no_evidence_is_invalid_and_says_why(
    judged: JudgeIt, faults: dict[str, Any], reason: str
) -> None:
    """Exit code 4, whatever the rules would say."""
    verdict = judged(**faults)
    assert (verdict.verdict, verdict.exit_code) == (Outcome.INVALID, 4)
    assert any(reason in text for text in verdict.invalid_reasons), verdict.invalid_reasons


@pytest.mark.parametrize(("wait_s", "rate"), [(0.0, 114.8), (3.0, 76.9)])
def test_waits_before_retries_explain_another_rate(
    judged: JudgeIt, wait_s: float, rate: float
) -> None:
    """Of seven requests one is made again, after no wait or a long one, not a think time."""
    failing: dict[str, Any] = {"outcomes": {"charge": {"http_5xx": 1.0}}, "rate": rate}
    for again_s, explained in (({"charge": wait_s}, True), ({}, False)):
        reasons = judged(**failing, again_s=again_s).invalid_reasons
        assert any("request rate" in text for text in reasons) is not explained, reasons


def test_invalid_outranks_a_breach_and_still_shows_it(judged: JudgeIt) -> None:
    """A starved generator makes latencies worthless; the breach is listed, not the verdict."""
    verdict = judged(distortion_ms=80.0, latency_ms={"charge": 250.0})
    assert verdict.verdict is Outcome.INVALID
    assert verdict.breaches


def test_a_run_in_which_every_request_failed_is_a_fail(judged: JudgeIt) -> None:
    """The load was delivered and the shop answered 500 to all of it: evidence, and bad."""
    verdict = judged(outcomes={step: {"http_5xx": 1.0} for step in STEPS}, orders=(), ledger=())
    assert verdict.verdict is Outcome.FAIL
    (breach,) = [b for b in verdict.breaches if b.metric == "error_rate"]
    assert breach.actual == 100


def test_too_few_samples_for_a_percentile_are_inconclusive(judged: JudgeIt) -> None:
    """p99.9 takes 3,688 requests; 857 cannot carry it, whatever their value."""
    limits = parse_thresholds('[charge]\nlatency = ["p99.9 < 9 s"]')
    verdict = judged(limits=limits)
    assert (verdict.verdict, verdict.exit_code) == (Outcome.INCONCLUSIVE, 5)
    assert "takes 3,688" in verdict.inconclusive_reasons[0]


def test_an_interrupted_run_cannot_pass(judged: JudgeIt) -> None:
    """Stopped early, nothing broken: inconclusive; stopped early and broken: FAIL."""
    assert judged(ended="interrupted").verdict is Outcome.INCONCLUSIVE


def test_an_interrupted_run_can_fail(judged: JudgeIt) -> None:
    """What was seen broken is broken."""
    verdict = judged(ended="interrupted", latency_ms={"charge": 250.0})
    assert verdict.verdict is Outcome.FAIL


def test_no_data_for_a_rule_is_never_a_pass(judged: JudgeIt) -> None:
    """A required rule without samples leaves the verdict open."""
    limits = parse_thresholds(
        '[confirm]\nlatency = ["p95 < 9 s"]\n[journey]\nerrors = ["failures < 9"]'
    )
    verdict = judged(limits=limits, outcomes={"confirm": {}}, rate=RATE * 7 / 6)
    assert verdict.verdict is Outcome.INCONCLUSIVE


def test_memory_that_need_not_be_decided_stays_open(judged: JudgeIt) -> None:
    """A rule kind that the profile does not require can FAIL but not spoil a PASS."""
    limits = parse_thresholds(
        '[cart-service]\nmemory = ["slope < 0.001 MB/h"]\n[journey]\nlatency = ["p95 < 9 s"]'
    )
    verdict = judged(limits=limits)
    assert verdict.verdict is Outcome.PASS
    assert verdict.rows[0].outcome is Outcome.INCONCLUSIVE
    required = judged(limits=limits, judged=("memory",))
    assert required.verdict is Outcome.INCONCLUSIVE


LATE_ORDER = ((20.0, "ord-1"), (30.0, "ord-2"), (39.0, "ord-3"))


def test_orders_in_flight_at_the_stop_are_reconciled(judged: JudgeIt) -> None:
    """An order made within 30 s of the stop may be unseen by its client, who had no answer."""
    verdict = judged(ledger=LATE_ORDER, outcomes={"confirm": {"unanswered": 0.05}})
    assert not any("unmatched" in breach.rule for breach in verdict.breaches)
    assert any("1 in flight" in text for text in verdict.findings)


@pytest.mark.parametrize("outcomes", [{}, {"charge": {"unanswered": 0.05}}])
def test_no_more_orders_are_in_flight_than_requests_without_answer(
    judged: JudgeIt, outcomes: dict[str, dict[str, float]]
) -> None:
    """All that were for an order were answered, so nobody waits for this one."""
    verdict = judged(ledger=LATE_ORDER, outcomes=outcomes)
    assert any("unmatched" in breach.rule for breach in verdict.breaches)


def test_an_order_of_long_after_the_stop_is_of_another_clock(judged: JudgeIt) -> None:
    """Neither in flight nor unmatched: nobody knows when it was made."""
    verdict = judged(ledger=(*LATE_ORDER[:2], (1e9, "ord-3")))
    assert verdict.verdict is Outcome.INCONCLUSIVE
    assert "its clock is another" in verdict.summary


def test_the_same_recording_gives_the_same_bytes(tmp_path: Path) -> None:
    """verdict.json is a function of recording and thresholds."""
    run = Recording(latency_ms={"charge": 250.0}).write(tmp_path / "made")
    assert judge(run, LIMITS).to_json() == judge(run, LIMITS).to_json()


def test_verdict_json_has_the_keys_that_tools_rely_on(judged: JudgeIt) -> None:
    """The contract of docs/architecture.md."""
    table = json.loads(judged(latency_ms={"charge": 250.0}).to_json())
    assert table.keys() >= {
        "verdict", "exit_code", "breaches", "measurements", "invalid_reasons", "findings",
    }  # fmt: skip
    assert table["breaches"][0].keys() == {
        "rule", "subject", "metric", "actual", "required", "unit", "because",
    }  # fmt: skip
    assert table["measurements"][0].keys() >= {
        "subject", "metric", "value", "unit", "n", "ci_low", "ci_high", "phase",
    }  # fmt: skip


def test_the_report_tells_verdict_breach_and_measurements(judged: JudgeIt) -> None:
    """One page that stands alone."""
    text = markdown(run_document(judged(latency_ms={"charge": 250.0})))
    assert text.startswith("# FAIL: do not ship")
    assert "| payment-gateway/charge | p95 |" in text
    assert "## Can this run be trusted?" in text


@pytest.mark.parametrize(
    "name",
    ["latency.hlog", "events.jsonl", "resources.csv", "load.csv", "manifest.json",
     "ledger/confirmed.csv", "ledger/orders.sqlite"],
)  # fmt: skip
def test_a_file_cut_at_any_byte_never_raises_and_never_passes(tmp_path: Path, name: str) -> None:
    """Whatever is left of a file, the verdict is readable; a cut recording is no evidence."""
    run = Recording(**SMALL).write(tmp_path / "made")
    path = run.root / name
    data = path.read_bytes()
    for part in range(4):
        path.write_bytes(data[: len(data) * part // 4 + (part % 2)])
        verdict = judge(run, LIMITS)
        assert verdict.to_json()
        assert verdict.verdict is Outcome.INVALID, (name, part)


def test_a_missing_file_never_raises_and_never_passes(tmp_path: Path) -> None:
    """Each file of the recording is needed for a PASS."""
    for name in ("latency.hlog", "events.jsonl", "resources.csv", "load.csv"):
        run = Recording(**SMALL).write(tmp_path / name)
        (run.root / name).unlink()
        assert judge(run, LIMITS).verdict is Outcome.INVALID


def test_a_folder_with_only_a_manifest_is_invalid(tmp_path: Path) -> None:
    """The run never got anywhere."""
    run = Recording(**SMALL).write(tmp_path / "made")
    only = RunDir(tmp_path / "only")
    only.root.mkdir()
    only.manifest.write_bytes(run.manifest.read_bytes())
    assert judge(only, LIMITS).verdict is Outcome.INVALID


def test_a_generator_that_died_took_its_requests_with_it(judged: JudgeIt) -> None:
    """So its late orders are in flight, though no request is known to have had no answer."""
    verdict = judged(ledger=LATE_ORDER, ended="generator_died")
    assert verdict.verdict is Outcome.INVALID
    assert any("1 in flight" in text for text in verdict.findings)
