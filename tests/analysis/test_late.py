"""Late by one service alone is its latency; late by all, or with nobody to ask, is distortion."""

from dataclasses import replace
from pathlib import Path

from analysis.judge import judge
from analysis.limits.thresholds import parse_thresholds
from analysis.words.values import Outcome, Verdict
from tests.analysis.recordings import SERVICES, Recording

LIMITS = parse_thresholds('[payment-gateway]\nlatency = ["p99 < 1000 ms"]')
WIDE = parse_thresholds('[payment-gateway]\nlatency = ["mean < 1000 ms"]')
LATE = Recording(stalled=("payment-gateway",), silent=(), distortion_every_s=1)
"""Its answers take three seconds more for three seconds, and it gives its metrics meanwhile."""


def judged(folder: Path, recording: Recording, limits: object = LIMITS) -> Verdict:
    return judge(recording.write(folder / "run"), limits)  # type: ignore[arg-type]


def distorted(verdict: Verdict) -> bool:
    return any("distortion p99" in reason for reason in verdict.invalid_reasons)


def test_a_service_that_is_late_alone_breaks_its_own_rule(tmp_path: Path) -> None:
    """What its clients waited is its latency, and the finding says where it was lost."""
    verdict = judged(tmp_path, LATE)
    assert verdict.verdict is Outcome.FAIL, verdict.summary
    assert [breach.subject for breach in verdict.breaches] == ["payment-gateway/charge"]
    (said,) = (text for text in verdict.findings if text.startswith("network of"))
    assert "network of payment-gateway: " in said
    assert "between T+20s and T+23s (charge +3s)" in said


def test_within_its_limit_it_passes(tmp_path: Path) -> None:
    """The fault itself is no reason for INVALID."""
    assert judged(tmp_path, LATE, WIDE).verdict is Outcome.PASS


def test_all_services_late_at_once_are_distorted(tmp_path: Path) -> None:
    """That was the generator or its machine."""
    assert distorted(judged(tmp_path, replace(LATE, stalled=SERVICES)))


def test_a_service_late_when_the_generators_timers_are_is_distorted(tmp_path: Path) -> None:
    """A generator that stands still is late for whoever is slow just then."""
    lag = replace(LATE, lag_ms=500.0)
    assert distorted(judged(tmp_path, lag))


def test_without_other_services_it_is_distorted(tmp_path: Path) -> None:
    """Nobody can say that harness and host were well."""
    assert distorted(judged(tmp_path, replace(LATE, steps=("charge",))))


def test_with_too_few_others_it_is_distorted(tmp_path: Path) -> None:
    """Two requests a second to all of them prove nothing."""
    assert distorted(judged(tmp_path, replace(LATE, rate=2.0, users=2.0)))
