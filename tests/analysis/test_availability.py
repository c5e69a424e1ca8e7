"""Availability of a service as a whole, and what a run takes of a month's error budget."""

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.evidence.downtime import downtime
from analysis.evidence.run import load_evidence
from analysis.judge import judge
from analysis.limits.thresholds import parse_thresholds
from analysis.report.document import Row
from analysis.report.error_budget import error_budget
from analysis.words.values import Outcome, RuleRow, Verdict
from tests.analysis.recordings import Recording

PLATFORM = '[journey]\navailability = ["availability >= 99.95 %"]\n'
LIMITS = parse_thresholds(
    PLATFORM + '[payment-gateway]\navailability = ["availability >= 99.95 %"]'
)
LOOSE = parse_thresholds('[payment-gateway]\navailability = ["availability >= 99 %"]')


def failing(share: float, **changes: object) -> Recording:
    """Charges that fail so often, of 200 requests a second to two steps for 90 seconds."""
    outcomes = {"charge": {"ok": 1 - share, "http_5xx": share}}
    found = Recording(rate=200.0, steps=("browse", "charge"), end_s=100.0, outcomes=outcomes)
    return replace(found, **changes)


def rows(verdict: Verdict) -> dict[str, RuleRow]:
    return {row.subject: row for row in verdict.rows}


def test_a_service_below_its_target_is_a_breach_although_the_platform_passes(
    tmp_path: Path,
) -> None:
    """0.09 % of charges fail, and half as many of all requests."""
    verdict = judge(failing(0.0009).write(tmp_path / "run"), LIMITS)
    found = rows(verdict)
    assert found["journey"].outcome is Outcome.PASS
    assert found["payment-gateway"].outcome is Outcome.FAIL
    (breach,) = verdict.breaches
    assert (breach.subject, breach.metric) == ("payment-gateway", "availability")
    assert "http_5xx" in breach.because


def test_too_few_requests_decide_nothing_and_need_not(tmp_path: Path) -> None:
    """A single failure of 900 would be below any such target."""
    verdict = judge(replace(failing(0.01), rate=20.0).write(tmp_path / "run"), LIMITS)
    found = rows(verdict)["payment-gateway"]
    assert (found.outcome, found.required) == (Outcome.INCONCLUSIVE, False)
    assert "it takes 6,000" in found.because


def test_a_minute_is_down_by_its_share_of_failed_requests(tmp_path: Path) -> None:
    """As long as everything failed: 6 s of 90, whatever the load was then."""
    recording = replace(failing(0.0), breaks={"charge": "http_5xx"}, breaks_s=range(60, 66))
    found = downtime(load_evidence(recording.write(tmp_path / "run")), ["charge"])
    assert found.down_s == pytest.approx(6.0)
    assert found.asked_s == pytest.approx(90.0)
    assert found.availability == pytest.approx(1 - 6 / 90)


def test_what_never_ended_may_have_failed(tmp_path: Path) -> None:
    """2 % of charges were cut off: 98 % to 100 % keep no target of 99 %."""
    recording = failing(0.0, outcomes={"charge": {"ok": 0.98, "unanswered": 0.02}})
    (found,) = judge(recording.write(tmp_path / "run"), LOOSE).rows
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "requests never ended" in found.because


def test_no_requests_are_no_availability(tmp_path: Path) -> None:
    """Unknown is no pass."""
    recording = failing(0.0, steps=("browse",))
    found = rows(judge(recording.write(tmp_path / "run"), LIMITS))["payment-gateway"]
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "no data" in found.because


def test_the_error_budget_is_what_the_target_leaves_of_thirty_days(tmp_path: Path) -> None:
    """99.95 % of 43,200 minutes leave 21.6; 0.1 % of 1.5 minutes are 0.0015, at twice the pace."""
    verdict = judge(failing(0.001).write(tmp_path / "run"), LIMITS)
    (cells,) = (
        row.cells for row in error_budget(verdict).rows if row.cells[0] == "payment-gateway"
    )
    assert cells[1:8] == (
        "9,000", "99.9 %", "99.95 %", "0.0015 min", "21.6 min", "100 %", "2.00",
    )  # fmt: skip
    assert isinstance(error_budget(verdict).rows[0], Row)
