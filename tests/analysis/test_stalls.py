"""A service that stands still for a while is slow; harness and host are not."""

from pathlib import Path

from analysis.judge import judge
from analysis.limits.thresholds import parse_thresholds
from analysis.words.values import Outcome, Verdict
from tests.analysis.recordings import SERVICES, Recording

LIMITS = parse_thresholds('[payment-gateway]\nlatency = ["p99 < 1000 ms"]')
PAYMENT = ("payment-gateway",)


def judged(folder: Path, recording: Recording) -> Verdict:
    return judge(recording.write(folder / "run"), LIMITS)


def test_a_service_that_stood_still_is_a_fail_and_not_distortion(tmp_path: Path) -> None:
    """It alone gave no metrics: what its clients waited breaks the rule, and it is said why."""
    verdict = judged(tmp_path, Recording(stalled=PAYMENT))
    assert verdict.verdict is Outcome.FAIL, verdict.summary
    assert [breach.subject for breach in verdict.breaches] == ["payment-gateway/charge"]
    said = "payment-gateway alone gave no metrics for up to 3.0 s at T+20s"
    assert any(finding.startswith(said) for finding in verdict.findings)


def test_a_machine_that_stood_still_is_no_evidence(tmp_path: Path) -> None:
    """No service gave metrics: that was the host, whose waiting is nobody's latency."""
    verdict = judged(tmp_path, Recording(stalled=SERVICES, silent=SERVICES))
    assert any("distortion p99" in reason for reason in verdict.invalid_reasons)


def test_a_service_that_gave_its_metrics_all_the_time_is_not_excused(tmp_path: Path) -> None:
    """Its requests were late and it was not: distortion, as before."""
    verdict = judged(tmp_path, Recording(stalled=PAYMENT, silent=()))
    assert any("distortion p99" in reason for reason in verdict.invalid_reasons)
