"""Every file that a CI reads, of every kind of verdict: as kept, and valid by its schema.

`GOLDEN=write` in the environment writes what is kept anew; read the difference before it is kept.
"""

import json
import os
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from lxml import etree

from analysis.report.cases import of_verdict
from analysis.report.github import MAX_CHARS, annotations, comment
from analysis.report.gitlab import links, load_performance
from analysis.report.junit import junit
from analysis.report.markdown import markdown
from analysis.report.paired import gate_document
from analysis.report.single import run_document
from analysis.words.values import Outcome, Verdict
from tests.analysis.ci.verdicts import MADE, verdict_of

ROOT = Path(__file__).parents[3]
SCHEMAS = ROOT / "tests" / "fixtures" / "schemas"
GOLDEN = Path(__file__).parent / "golden"
WRITE = os.environ.get("GOLDEN") == "write"


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    """One of each kind."""
    folder = tmp_path_factory.mktemp("verdicts")
    return {kind: verdict_of(kind, folder) for kind in MADE}


def surfaces(verdict: Verdict) -> dict[str, bytes]:
    """What is kept of it for a CI, by file."""
    judged = of_verdict(verdict)
    document = gate_document if hasattr(verdict, "gate_rows") else run_document
    brief = markdown(document(verdict, brief=True))  # type: ignore[operator]
    return {
        "junit.xml": junit(judged),
        "comment.md": comment(verdict.VERB, verdict.profile, brief).encode(),
        "load-performance.json": load_performance(verdict, judged),
        "gitlab-annotations.json": links(judged, "https://gitlab.example/-/jobs/1"),
        "annotations.txt": "".join(f"{line}\n" for line in annotations(judged)).encode(),
    }


@pytest.mark.parametrize("kind", MADE)
def test_what_a_ci_reads_is_as_it_was(kind: str, verdicts: dict[str, Verdict]) -> None:
    """To the byte."""
    for name, data in surfaces(verdicts[kind]).items():
        kept = GOLDEN / kind / name
        if WRITE:
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(data)
        assert data == kept.read_bytes(), f"{kind}/{name}"


@pytest.mark.parametrize("kind", MADE)
def test_the_kinds_are_what_they_are_called(kind: str, verdicts: dict[str, Verdict]) -> None:
    """A golden file of a PASS is one of a PASS; each but that says what to do."""
    verdict = verdicts[kind]
    assert verdict.verdict == kind.rpartition("-")[2].upper()
    assert bool(verdict.next_steps) == (verdict.verdict is not Outcome.PASS)


@pytest.mark.parametrize("kind", MADE)
def test_junit_is_valid_by_jenkins_and_by_ant(kind: str, verdicts: dict[str, Verdict]) -> None:
    """Cases, failures, errors and time add up as well."""
    root = etree.fromstring(junit(of_verdict(verdicts[kind])))
    etree.XMLSchema(etree.parse(SCHEMAS / "jenkins-junit-10.xsd")).assertValid(root)
    for suite in root:
        found = suite.findall("testcase")
        assert int(suite.get("tests")) == len(found)
        for kept, of in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(kept)) == len(suite.findall(f"testcase/{of}"))
        assert all(case.get("time") for case in found)
        assert all(below.text for case in found for below in case)
    ant = etree.XMLSchema(etree.parse(SCHEMAS / "ant-junit.xsd"))
    etree.strip_elements(root, "skipped")
    etree.strip_attributes(root, "skipped")
    ant.assertValid(root)


def test_outcomes_are_failures_errors_and_skipped(verdicts: dict[str, Verdict]) -> None:
    """FAIL is a failure, INVALID an error and nothing else, not decided skipped."""
    found = {kind: etree.fromstring(junit(of_verdict(v))) for kind, v in verdicts.items()}
    of = {
        kind: {what: len(root.findall(f".//{what}")) for what in ("failure", "error", "skipped")}
        for kind, root in found.items()
    }
    assert of["pass"] == {"failure": 0, "error": 0, "skipped": 0}
    assert of["fail"]["failure"] == 2
    assert of["invalid"]["failure"] == 0
    assert of["invalid"]["error"] >= 1
    assert of["inconclusive"]["skipped"] >= 2
    assert of["gate-fail"]["failure"] >= 1


@pytest.mark.parametrize("kind", MADE)
def test_gitlab_annotations_are_links(kind: str, verdicts: dict[str, Verdict]) -> None:
    """By the rules of its documentation."""
    made = json.loads(links(of_verdict(verdicts[kind]), "https://gitlab.example/-/jobs/1"))
    rules = json.loads((SCHEMAS / "gitlab-annotations.json").read_text())
    jsonschema_rs.validator_for(rules).validate(made)
    (rows,) = made.values()
    assert rows[0]["external_link"]["label"].startswith(verdicts[kind].verdict)


def widget(data: dict[str, Any]) -> dict[str, float]:
    """What GitLab's widget takes from a load performance report, by its names."""
    metrics, shown = data["metrics"], {}
    if "http_reqs" in metrics:
        shown["RPS"] = metrics["http_reqs"]["rate"]
    if "http_req_waiting" in metrics:
        shown["TTFB P90"] = metrics["http_req_waiting"]["p(90)"]
        shown["TTFB P95"] = metrics["http_req_waiting"]["p(95)"]
    if "checks" in metrics:
        passes, fails = metrics["checks"]["passes"], metrics["checks"]["fails"]
        shown["Checks"] = 100 * passes / (passes + fails)
    return shown


def test_gitlabs_widget_finds_what_it_shows(verdicts: dict[str, Verdict]) -> None:
    """Its four numbers of a run, head's of a gate, and none of a run that is no evidence."""
    shown = {
        kind: widget(json.loads(load_performance(v, of_verdict(v)))) for kind, v in verdicts.items()
    }
    assert shown["pass"].keys() == {"RPS", "TTFB P90", "TTFB P95", "Checks"}
    assert shown["pass"]["Checks"] == 100
    assert shown["fail"]["TTFB P95"] > 800
    assert shown["fail"]["Checks"] < 100
    assert shown["invalid"] == {}
    assert shown["gate-fail"]["TTFB P95"] > shown["gate-pass"]["TTFB P95"]


def test_a_comment_begins_with_its_mark_and_fits(verdicts: dict[str, Verdict]) -> None:
    """The same mark for every run of a profile, so that the next one finds it."""
    text = surfaces(verdicts["fail"])["comment.md"].decode()
    assert text.startswith("<!-- loadgate run made -->\n# FAIL")
    assert "## What now" in text
    long = comment("run", "made", "line\n" * MAX_CHARS)
    assert len(long) <= MAX_CHARS + 100
    assert long.endswith("report.md has all of it.\n")
