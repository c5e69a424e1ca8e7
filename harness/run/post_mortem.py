"""The post-mortem of a run: judged anew, with what would have prevented what it found."""

from analysis.judge import judged
from analysis.limits.thresholds import Thresholds
from analysis.metrics.case import Case
from analysis.pictures.illustrated import illustrated
from analysis.report.document import Document
from analysis.report.post_mortem import post_mortem
from analysis.tuning.what_if import WhatIf
from harness.run.what_ifs import what_ifs
from recording.errors import ConfigError
from recording.rundir import RunDir


def post_mortem_of(run: RunDir, limits: Thresholds) -> tuple[Document, Document]:
    """The page, and the page with charts. Raises ConfigError for what is no single run, or cannot
    be read.
    """
    found = judged(run, limits)
    evidence, verdict = found.evidence, found.verdict
    if evidence is None:
        raise ConfigError(f"{run.root}: no post-mortem: {verdict.summary}")
    if evidence.manifest.paired is not None or evidence.manifest.search is not None:
        raise ConfigError(
            f"{run.root}: a post-mortem is of one run, not of a gate or a search: loadgate report"
        )
    case = Case(evidence)
    said = list(what_ifs(case, verdict, limits))
    changes = [each for each in said if isinstance(each, WhatIf)]
    rests_on = [each for each in said if isinstance(each, str)]
    page = post_mortem(case, verdict, changes, rests_on, str(run.post_mortem_page))
    return page, illustrated(page, verdict, evidence, limits)
