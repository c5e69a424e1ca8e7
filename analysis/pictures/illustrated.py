"""A document with all that a page has room for: numbers at a glance, charts, an appendix."""

from dataclasses import replace

from analysis.evidence.run import Evidence
from analysis.limits.thresholds import Thresholds
from analysis.paired.judge import GateReport
from analysis.pictures.gate import gate_pictures
from analysis.pictures.run import run_pictures
from analysis.report.appendix import appendix
from analysis.report.chart import Picture
from analysis.report.document import Document
from analysis.report.glance import glance_of
from analysis.words.values import Verdict


def illustrated(
    document: Document, verdict: Verdict, evidence: Evidence | None, thresholds: Thresholds
) -> Document:
    """What its builder drew comes first; without evidence there is nothing to draw."""
    seen = replace(document, glance=glance_of(verdict))
    if evidence is None:
        return seen
    return replace(
        seen,
        charts=(*document.charts, *_pictures(verdict, evidence, thresholds)),
        appendix=appendix(evidence, thresholds.source),
    )


def _pictures(verdict: Verdict, evidence: Evidence, thresholds: Thresholds) -> tuple[Picture, ...]:
    if isinstance(verdict, GateReport):
        return gate_pictures(evidence, verdict)
    return run_pictures(evidence, thresholds)
