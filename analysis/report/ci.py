"""The gate's answer in the forms that CI reads: JUnit XML, and annotations of a GitHub job."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from analysis.paired.breaches import ORDERS, RESTARTS
from analysis.paired.judge import GateReport
from analysis.words.values import Outcome

_SUITE = "loadgate gate"
_KIND = {Outcome.PASS: "", Outcome.FAIL: "failure", Outcome.INCONCLUSIVE: "skipped"}
# XML 1.0 has no way to write these at all, escaped or not.
_NOT_XML = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


def junit(report: GateReport) -> bytes:
    """``junit.xml``: a test case per row, and one for the run itself.

    A failing row is a failure, an open one skipped; an INVALID run is an error, and its rows are
    skipped, because nothing follows from them.
    """
    suite = ET.Element("testsuite", name=_SUITE)
    for name, kind, why in _cases(report):
        case = ET.SubElement(suite, "testcase", classname=_SUITE, name=_xml(name))
        if kind:
            ET.SubElement(case, kind, message=_xml(why))
    for error in suite.iter("error"):
        error.text = _xml("\n".join(report.invalid_reasons))
    for name, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(len(suite.findall(f"testcase/{kind}"))))
    suite.set("tests", str(len(suite)))
    suite.set("time", f"{report.context.get('duration_s', 0.0):.3f}")
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return data + b"\n"


def _cases(report: GateReport) -> Iterator[tuple[str, str, str]]:
    """Name, kind ("" passed) and reason of each."""
    yield "run", *_of_run(report)
    for row in (*report.gate_rows, *report.costs):
        name = f"{row.subject} {row.metric}"
        if report.verdict is Outcome.INVALID:
            yield name, "skipped", "the run is not evidence"
        else:
            yield name, _KIND[row.verdict], row.because


def _of_run(report: GateReport) -> tuple[str, str]:
    """Whether it is evidence, lost no orders, stayed up, and could tell."""
    if report.verdict is Outcome.INVALID:
        return "error", report.summary
    if others := [b for b in report.breaches if b.subject == ORDERS or b.metric == RESTARTS]:
        return "failure", "; ".join(b.because for b in others)
    return "skipped" if report.verdict is Outcome.INCONCLUSIVE else "", report.summary


def _xml(text: str) -> str:
    return _NOT_XML.sub("?", text)


def annotations(report: GateReport) -> Iterator[str]:
    """Workflow commands that GitHub Actions shows beside a job; none for a PASS."""
    if report.verdict in (Outcome.INVALID, Outcome.INCONCLUSIVE):
        kind = "error" if report.verdict is Outcome.INVALID else "warning"
        yield _command(kind, f"gate {report.verdict}", report.summary)
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
