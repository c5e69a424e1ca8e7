"""The judge of a run that goes on: is it evidence so far, and which rules does it break so far?"""

from dataclasses import replace

from analysis.evidence.requests import Sample
from analysis.evidence.run import Evidence
from analysis.limits.thresholds import Thresholds
from analysis.single.checks import so_far
from analysis.single.delivery import REQUEST_RATE
from analysis.single.judge import judge_evidence
from analysis.words.values import Check, Outcome, Verdict

LEAST_S = 5.0
"""Measured, before any check can fail: one late sample is a large share of less."""


def judge_so_far(evidence: Evidence, thresholds: Thresholds) -> Verdict:
    """INVALID where a check of the run fails already, else INCONCLUSIVE: nothing is decided yet.

    Its rows say how each rule stands. Nobody has closed the ledgers: rules on orders are open.
    """
    found = judge_evidence(evidence, thresholds, _checks)
    outcome = Outcome.INVALID if found.invalid_reasons else Outcome.INCONCLUSIVE
    return replace(found, verdict=outcome, inconclusive_reasons=())


def _checks(evidence: Evidence, samples: dict[str, Sample]) -> list[Check]:
    """Not the rate of requests: those under way would be missing from it."""
    if evidence.measured_s < LEAST_S:
        return []
    found = so_far(evidence, samples, over=False)
    return [check for check in found if check.name != REQUEST_RATE]
