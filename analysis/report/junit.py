"""``junit.xml``: a verdict as JUnit XML, valid by Jenkins' schema and by Ant's."""

import re
from xml.etree import ElementTree as ET

from analysis.report.cases import Case, Judged, counts
from analysis.words.values import Outcome

_KIND = {Outcome.FAIL: "failure", Outcome.INVALID: "error", Outcome.INCONCLUSIVE: "skipped",
         Outcome.NOT_MEASURED: "skipped"}  # fmt: skip
# XML 1.0 has no way to write these at all, escaped or not.
_NOT_XML = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_UNKNOWN_MOMENT = "1970-01-01T00:00:00"
"""Ant's schema knows no suite without one."""


def junit(judged: Judged) -> bytes:
    """Two suites: is the run evidence, and do the rules hold.

    A failing rule is a failure, a check that makes the run INVALID an error, what is not decided
    skipped. All cases rest on the same load: each has an even share of its time, so that a CI's
    sum is what the run took. Ant's schema has no text for a case that passes; what there is to
    say of it stands in the suite's output.
    """
    root = ET.Element("testsuites")
    parts = [("evidence", judged.evidence), ("rules", judged.rules)]
    number = sum(len(cases) for _, cases in parts)
    for name, cases in parts:
        share_s = judged.seconds / number if number else 0.0
        root.append(_suite(judged, name, cases, share_s, len(root)))
    ET.indent(root)
    data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return data + b"\n"


def _suite(
    judged: Judged, name: str, cases: tuple[Case, ...], share_s: float, number: int
) -> ET.Element:
    of, moment = counts(cases), _MOMENT.match(judged.started_utc)
    group = f"loadgate {judged.verb}"
    suite = ET.Element(
        "testsuite",
        name=f"{group}: {name}",
        package=group,
        id=str(number),
        timestamp=moment.group() if moment else _UNKNOWN_MOMENT,
        hostname="localhost",
        tests=str(len(cases)),
        failures=str(of[Outcome.FAIL]),
        errors=str(of[Outcome.INVALID]),
        skipped=str(of[Outcome.INCONCLUSIVE] + of[Outcome.NOT_MEASURED]),
        time=f"{share_s * len(cases):.3f}",
    )
    properties = ET.SubElement(suite, "properties")
    for key, value in judged.properties.items():
        ET.SubElement(properties, "property", name=_xml(key), value=_xml(value))
    for case in cases:
        suite.append(_case(f"{group}.{name}", case, share_s))
    said = "\n".join(f"{case.outcome} {case.name}: {case.message}" for case in cases)
    ET.SubElement(suite, "system-out").text = _xml(f"{judged.summary}\n\n{said}".strip())
    ET.SubElement(suite, "system-err")
    return suite


def _case(group: str, case: Case, share_s: float) -> ET.Element:
    made = ET.Element("testcase", classname=group, name=_xml(case.name), time=f"{share_s:.3f}")
    if kind := _KIND.get(case.outcome):
        below = ET.SubElement(made, kind, message=_xml(case.message), type=case.outcome.value)
        below.text = _xml(case.text) or None
    return made


def _xml(text: str) -> str:
    return _NOT_XML.sub("?", text)
