"""The gate's answer as a report, as JUnit XML and as annotations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from analysis.limits.thresholds import load_thresholds
from analysis.paired.judge import GateReport
from analysis.report.cases import of_verdict
from analysis.report.github import annotations
from analysis.report.junit import junit
from analysis.report.markdown import markdown
from analysis.report.paired import gate_document
from tests.analysis.gate.paired_recordings import ONE_LOOK, PairedRecording, judged

THRESHOLDS = load_thresholds(Path(__file__).parents[3] / "thresholds.toml")
ROWS = 8
"""Three steps and the journey, p95 and p99."""


def cases(report: GateReport) -> int:
    """One for each row, of latency and of costs."""
    return ROWS + len(report.costs)


@pytest.fixture(scope="module")
def slower(tmp_path_factory: pytest.TempPathFactory) -> GateReport:
    """Charge is 20 % slower in head."""
    recording = PairedRecording(slower={"charge": 1.2}, looks=ONE_LOOK)
    return judged(recording.write(tmp_path_factory.mktemp("slow") / "run"), THRESHOLDS)


@pytest.fixture(scope="module")
def thin(tmp_path_factory: pytest.TempPathFactory) -> GateReport:
    """Too few requests for p99."""
    run = PairedRecording(per_slot=20).write(tmp_path_factory.mktemp("thin") / "run")
    return judged(run, THRESHOLDS)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> GateReport:
    """No closing count."""
    run = PairedRecording(ended="running").write(tmp_path_factory.mktemp("killed") / "run")
    return judged(run, THRESHOLDS)


def suite_of(report: GateReport) -> ET.Element:
    """The parsed suite of the rules."""
    _, suite = ET.fromstring(junit(of_verdict(report)))
    return suite


def test_junit_has_a_case_per_row_and_failures_with_reasons(slower: GateReport) -> None:
    """CI shows which endpoint failed and why."""
    suite = suite_of(slower)
    assert suite.get("tests") == str(cases(slower))
    failed = {c.get("name"): c.find("failure") for c in suite if c.find("failure") is not None}
    assert {"charge p95", "charge p99"} <= set(failed)
    assert suite.get("failures") == str(len(failed))
    assert all("slower by" in str(f.get("message")) for f in failed.values() if f is not None)


def test_junit_skips_what_cannot_tell(thin: GateReport) -> None:
    """INCONCLUSIVE is neither a pass nor a failure."""
    suite = suite_of(thin)
    assert (suite.get("failures"), suite.get("errors")) == ("0", "0")
    open_costs = [cost for cost in thin.costs if cost.verdict == "INCONCLUSIVE"]
    skipped = 1 + len(thin.inconclusive_reasons) + len(open_costs)
    assert int(str(suite.get("skipped"))) == skipped


def test_junit_of_an_invalid_run_is_one_error(killed: GateReport) -> None:
    """Rows of a run that is no evidence are skipped, so that none of them looks passed."""
    evidence, rules = ET.fromstring(junit(of_verdict(killed)))
    assert evidence.get("errors") == str(len(killed.invalid_reasons))
    assert rules.get("skipped") == rules.get("tests") == str(cases(killed))


def test_junit_survives_any_text(killed: GateReport) -> None:
    """A reason with control characters and markup is still XML."""
    said = "\x1b[31m<died> & \ud800"
    spoilt = replace(killed, checks=(), invalid_reasons=(said,), summary="\x00]]>")
    evidence, _ = ET.fromstring(junit(of_verdict(spoilt)))
    assert "<died>" in str(evidence.findtext("testcase/error"))


def test_annotations_name_the_endpoint_and_are_one_line(slower: GateReport) -> None:
    """Each breach is a workflow command; what the runner reads as syntax is escaped."""
    lines = list(annotations(of_verdict(slower)))
    assert len(lines) == len(slower.breaches)
    assert all(line.startswith("::error title=") and line.count("::") == 2 for line in lines)
    assert any("charge" in line and "%25" in line for line in lines)


def test_annotations_of_the_other_verdicts(thin: GateReport, killed: GateReport) -> None:
    """Cannot tell warns, no evidence is an error."""
    assert [line.split(" ")[0] for line in annotations(of_verdict(thin))] == ["::warning"]
    assert [line.split(" ")[0] for line in annotations(of_verdict(killed))] == ["::error"]


def test_the_report_shows_every_row_with_what_it_could_have_seen(slower: GateReport) -> None:
    """Ratio, interval and smallest detectable stand in each line; so do both arms."""
    text = markdown(gate_document(slower))
    table = [line for line in text.splitlines() if "| p95 |" in line or "| p99 |" in line]
    assert len(table) == ROWS
    assert all(line.count(" %") >= 3 for line in table)
    assert "- base: ref:main, revision aaaaaaaaaaaa" in text
    assert "- head: ., revision bbbbbbbbbbbb (changed), with x=1" in text


def test_the_report_of_an_open_gate_says_what_it_takes(thin: GateReport) -> None:
    """INCONCLUSIVE comes with rounds and requests."""
    text = markdown(gate_document(thin))
    assert f"about {thin.context['more_rounds_needed']} more rounds" in text


def test_the_report_quotes_the_calibration_and_the_verdict_does_not(slower: GateReport) -> None:
    """The judge is pure: what this host once measured is only shown."""
    text = markdown(gate_document(slower, "30 A/A gates,\n0 FAIL"))
    assert "- calibration: 30 A/A gates, 0 FAIL" in text
    assert "has not been calibrated" in markdown(gate_document(slower))
    assert b"calibrat" not in slower.to_json()


def test_the_summary_is_the_report_without_checks(slower: GateReport) -> None:
    """Short enough for the page of a job, and with every row."""
    text = markdown(gate_document(slower, brief=True))
    assert "| charge | p99 |" in text
    assert "Can this run be trusted?" not in text
