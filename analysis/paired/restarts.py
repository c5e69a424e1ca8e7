"""Restarts in a gate: head's are a FAIL, base's make the bench no evidence."""

from collections.abc import Iterator

from analysis.evidence.processes import restarts_in_words, restarts_of, services_that_restarted
from analysis.evidence.run import Evidence
from analysis.words.values import Breach, Check
from recording.slots import BASE, HEAD

RESTARTS = "restarts"


def breaches_of_restarts(evidence: Evidence) -> Iterator[Breach]:
    """Services of head that restarted."""
    for subject in services_that_restarted(evidence):
        if subject.endswith(f"@{HEAD}"):
            yield Breach(
                rule="restarts == 0",
                subject=subject,
                metric=RESTARTS,
                actual=float(len(restarts_of(evidence, subject) or ())),
                required="0",
                unit="",
                because=f"{restarts_in_words(evidence, subject)}; base did not",
            )


def restarts_of_base(evidence: Evidence) -> Check:
    """Whether what head is held against stayed up."""
    subjects = [s for s in services_that_restarted(evidence) if s.endswith(f"@{BASE}")]
    when = "; ".join(f"{subject} {restarts_in_words(evidence, subject)}" for subject in subjects)
    hint = "a base that restarts is no measure for head"
    return Check("restarts of base", when or "none", "none", not subjects, hint)
