"""The gate's answer in the forms that CI reads: JUnit XML, and annotations of a GitHub job."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from analysis.paired.values import GateReport
from analysis.paired.words import ORDERS, RESTARTS
from analysis.regression.rows import Row
from analysis.words.values import Outcome

_SUITE = "loadgate gate"
# XML 1.0 has no way to write these at all, escaped or not.
_NOT_XML = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


def junit(report: GateReport) -> bytes:
    """``junit.xml``: a test case per row, and one for the run itself.

    A failing row is a failure, an open one skipped; an INVALID run is an error, and its rows are
    skipped, because nothing follows from them.
    """
    suite = ET.Element("testsuite", name=_SUITE)
    _run_case(suite, report)
    for row in (*report.gate_rows, *report.costs):
        _case(suite, report, row)
    for name in ("failure", "error", "skipped"):
        plural = {"failure": "failures", "error": "errors"}.get(name, name)
        suite.set(plural, str(len(suite.findall(f"testcase/{name}"))))
    suite.set("tests", str(len(suite)))
    suite.set("time", f"{report.context.get('duration_s', 0.0):.3f}")
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return data + b"\n"


def _run_case(suite: ET.Element, report: GateReport) -> None:
    """Whether the run is evidence, lost no orders, stayed up, and could tell."""
    case = ET.SubElement(suite, "testcase", classname=_SUITE, name="run")
    if report.verdict is Outcome.INVALID:
        error = ET.SubElement(case, "error", message=_xml(report.summary))
        error.text = _xml("\n".join(report.invalid_reasons))
    elif others := [b for b in report.breaches if b.subject == ORDERS or b.metric == RESTARTS]:
        ET.SubElement(case, "failure", message=_xml("; ".join(b.because for b in others)))
    elif report.verdict is Outcome.INCONCLUSIVE:
        ET.SubElement(case, "skipped", message=_xml(report.summary))


def _case(suite: ET.Element, report: GateReport, row: Row) -> None:
    name = f"{row.subject} {row.metric}"
    case = ET.SubElement(suite, "testcase", classname=_SUITE, name=_xml(name))
    if report.verdict is Outcome.INVALID:
        ET.SubElement(case, "skipped", message="the run is not evidence")
    elif row.verdict is Outcome.FAIL:
        ET.SubElement(case, "failure", message=_xml(row.because))
    elif row.verdict is Outcome.INCONCLUSIVE:
        ET.SubElement(case, "skipped", message=_xml(row.because))


def _xml(text: str) -> str:
    return _NOT_XML.sub("?", text)


def annotations(report: GateReport) -> Iterator[str]:
    """Workflow commands that GitHub Actions shows beside a job; none for a PASS."""
    if report.verdict is Outcome.INVALID:
        yield _command("error", "gate INVALID", report.summary)
    elif report.verdict is Outcome.INCONCLUSIVE:
        yield _command("warning", "gate INCONCLUSIVE", report.summary)
    elif report.verdict is Outcome.FAIL:
        for breach in report.breaches:
            title = f"{breach.subject}: {breach.metric} {breach.shown}"
            yield _command("error", title, f"required {breach.required}: {breach.because}")


def _command(kind: str, title: str, message: str) -> str:
    """``::error title=...::...``, with what the runner would read as syntax escaped."""
    prop = _escaped(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={prop}::{_escaped(message)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
