"""What never ended: failures past their deadline, undecided before it, and never lost."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.evidence.begun import requests_begun
from analysis.evidence.run import load_evidence
from analysis.judge import judge
from analysis.limits.thresholds import parse_thresholds
from analysis.report.markdown import markdown
from analysis.report.single import run_document
from analysis.words.values import Outcome, Verdict
from recording.flow import STEPS
from tests.analysis.recordings import Recording

LIMITS = parse_thresholds(
    """
    [journey]
    latency = ["p99 < 300 ms", "p50 < 300 ms"]
    errors = ["error_rate < 0.5 %"]
    [payment-gateway]
    errors = ["error_rate < 1 %"]
    pool = ["utilization < 90 %"]
    """
)


def judged(root: Path, **faults: Any) -> Verdict:
    return judge(Recording(**faults).write(root / "made"), LIMITS)


def every_step(**shares: float) -> Mapping[str, Mapping[str, float]]:
    return dict.fromkeys(STEPS, shares)


def found(verdict: Verdict, metric: str) -> dict[str, Any]:
    rows = json.loads(verdict.to_json())["measurements"]
    return next(m for m in rows if (m["subject"], m["metric"]) == ("journey", metric))


def test_requests_past_their_deadline_are_failures_and_the_step_is_named(tmp_path: Path) -> None:
    """5 % of the charges: FAIL, how many of how many, and what the deadline was."""
    shares = {"charge": {"ok": 0.95, "timeout": 0.05}}
    verdict = judged(tmp_path, outcomes=shares, late_ms=1000.0)
    assert verdict.verdict is Outcome.FAIL
    (breach,) = [b for b in verdict.breaches if b.subject == "payment-gateway/charge"]
    assert "requests had no whole answer within 30s" in breach.because


def test_what_was_cut_off_before_its_deadline_spoils_a_pass_and_never_fails(tmp_path: Path) -> None:
    """2 % of all requests: were they failures, the rule would break; nobody knows."""
    shares = every_step(ok=0.98, unanswered=0.02)
    verdict = judged(tmp_path, outcomes=shares, late_ms=1.0)
    assert verdict.verdict is Outcome.INCONCLUSIVE, verdict.summary
    assert not verdict.breaches
    assert any("some requests never ended" in text for text in verdict.inconclusive_reasons)


def test_undecided_requests_that_could_break_no_rule_leave_a_pass(tmp_path: Path) -> None:
    """One of 3,000 is 0.03 % of a limit of 0.5 %, and no percentile reaches it."""
    shares = {"browse": {"ok": 0.998, "unanswered": 0.002}}
    verdict = judged(tmp_path, outcomes=shares, late_ms=1000.0)
    assert verdict.verdict is Outcome.PASS, verdict.summary


def test_a_percentile_that_reaches_what_never_ended_is_a_lower_bound(tmp_path: Path) -> None:
    """Of 2 %, p99 is; p50 is not. In verdict.json and in the report."""
    verdict = judged(tmp_path, outcomes=every_step(ok=0.98, timeout=0.02), rate=64.0)
    assert (found(verdict, "p99")["at_least"], found(verdict, "p50")["at_least"]) == (True, False)
    assert found(verdict, "p99")["ci_high"] is None
    assert re.search(r"at least \d+ ms", markdown(run_document(verdict)))


def test_a_percentile_is_a_lower_bound_however_young_they_were(tmp_path: Path) -> None:
    """Cut off after 1 ms they look fast: p99 stays where it was, and says that it may be more."""
    verdict = judged(tmp_path, outcomes=every_step(ok=0.98, unanswered=0.02), late_ms=1.0)
    assert found(verdict, "p99")["at_least"]


@pytest.mark.parametrize("late_s", [2.0, 30.0])
def test_a_shop_that_hangs_is_not_invalid_for_the_rate(tmp_path: Path, late_s: float) -> None:
    """A tenth of the requests never answers: users wait for them, and fewer requests begin.

    With a deadline of 30 s most of that wait lies beyond the end of the measured phase.
    """
    spent_s = 0.9 * 0.1 + 0.1 * (late_s if late_s < 30 else 15.0) + 0.9
    verdict = judged(
        tmp_path,
        outcomes=every_step(ok=0.9, timeout=0.1),
        late_ms=1000 * late_s,
        rate=100 / spent_s,
    )
    assert not [text for text in verdict.invalid_reasons if "request rate" in text]
    assert verdict.verdict is Outcome.FAIL, verdict.invalid_reasons


def test_too_few_requests_without_a_hang_are_still_invalid(tmp_path: Path) -> None:
    """The same rate, and everything answered: the load was not delivered."""
    assert judged(tmp_path, rate=60.0).verdict is Outcome.INVALID


def test_a_request_that_vanished_makes_the_run_invalid_and_is_named(tmp_path: Path) -> None:
    """One charge began that is recorded nowhere."""
    run = Recording().write(tmp_path / "made")
    text = run.events.read_text()
    n = json.loads(next(row for row in text.splitlines() if "begun" in row))["begun"]["charge"]
    run.events.write_text(text.replace(f'"charge":{n}', f'"charge":{n + 1}'))
    verdict = judge(run, LIMITS)
    assert verdict.verdict is Outcome.INVALID
    assert any(f"charge: {n + 1} begun, {n} recorded" in text for text in verdict.invalid_reasons)


@pytest.mark.parametrize(("written", "ok"), [(1, [True]), (2, [False])])
def test_only_recordings_of_format_1_may_not_say_what_began(
    tmp_path: Path, written: int, ok: list[bool]
) -> None:
    """They could not; one of today that does not is not whole."""
    evidence = load_evidence(Recording().write(tmp_path / "made"))
    manifest = evidence.manifest.model_copy(update={"format": written})
    found = list(requests_begun(replace(evidence, manifest=manifest), {"recorded": 1}, 0.0))
    assert ([check.ok for check in found] or [True]) == ok


def test_a_hanging_service_that_gives_no_metrics_is_a_finding_and_no_data(tmp_path: Path) -> None:
    """Its charges time out as well: FAIL, and not INVALID for samples that it did not give."""
    verdict = judged(
        tmp_path,
        outcomes={"charge": {"ok": 0.9, "timeout": 0.1}},
        late_ms=1000.0,
        without=("up",),
    )
    assert verdict.verdict is Outcome.INVALID  # the other services were well, and not sampled
    assert not any("payment-gateway" in text for text in verdict.invalid_reasons)
    assert any(text.startswith("payment-gateway did not give") for text in verdict.findings)
    (row,) = [row for row in verdict.rows if row.kind == "pool" or "utilization" in row.rule]
    assert row.outcome is Outcome.INCONCLUSIVE


def test_a_worker_that_was_lost_for_good_spoils_a_pass(tmp_path: Path) -> None:
    """What it had under way is recorded nowhere, and nobody knows how it would have ended."""
    assert judged(tmp_path / "whole", closing={"unfinished": []}).verdict is Outcome.PASS
    verdict = judged(tmp_path, closing={"unfinished": ["locust-worker-02"]})
    assert verdict.verdict is Outcome.INCONCLUSIVE, verdict.summary
    assert "locust-worker-02 never sent its last report" in verdict.inconclusive_reasons[0]
