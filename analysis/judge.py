"""The judge: a recording and the limits in, a verdict out. Pure: same bytes, same verdict."""

from dataclasses import dataclass, replace
from pathlib import PurePath

from analysis.advice.steps import advised
from analysis.capacity.judge import judge_capacity
from analysis.evidence.run import Evidence, last_net, load_evidence
from analysis.evidence.window import until
from analysis.limits.thresholds import Thresholds
from analysis.paired.judge import judge_paired
from analysis.paired.not_measured import not_measured
from analysis.single.judge import judge_evidence
from analysis.single.under_way import judge_so_far
from analysis.tuning.judge import judge_tuning
from analysis.words.values import JudgedBy, NextStep, Outcome, Verdict
from recording.errors import ManifestError, SpoiltError
from recording.rundir import RunDir

_SEARCHES = {"capacity": judge_capacity, "tune": judge_tuning}
"""By the kind of a search."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, and what it was given on; None where that could not be read."""

    verdict: Verdict
    evidence: Evidence | None = None


def judge(run: RunDir, thresholds: Thresholds) -> Verdict:
    """The verdict on a run directory, paired or not; a spoilt one is INVALID, no exception."""
    return judged(run, thresholds).verdict


def judged(run: RunDir, thresholds: Thresholds) -> Judgement:
    """The same with the recording, for whoever draws it: reading takes longer than judging."""
    found = _judged(run, thresholds)
    by = JudgedBy(PurePath(thresholds.source).name, thresholds.sha256)
    return replace(found, verdict=replace(found.verdict, judged_by=by))


def judged_so_far(run: RunDir, thresholds: Thresholds, until_s: float) -> Judgement:
    """Of a run that goes on, and is neither paired nor a search, up to ``until_s`` of its clock.

    Raises LoadgateError where what there is cannot be read.
    """
    with last_net(run):
        evidence = until(load_evidence(run, ledgers=False), until_s)
        return Judgement(judge_so_far(evidence, thresholds), evidence)


def _judged(run: RunDir, thresholds: Thresholds) -> Judgement:
    try:
        with last_net(run):
            evidence = load_evidence(run)
            return Judgement(advised(evidence, _verdict(evidence, thresholds)), evidence)
    except ManifestError as error:
        said = str(error).removeprefix(f"{run.manifest}: ")
        return Judgement(_no_evidence(run, f"manifest.json is unreadable: {said}"))
    except SpoiltError as error:
        return Judgement(_no_evidence(run, str(error)))


def _verdict(evidence: Evidence, thresholds: Thresholds) -> Verdict:
    if (paired := evidence.manifest.paired) is not None:
        if paired.ignored:
            return not_measured(evidence, paired)
        return judge_paired(evidence, thresholds)
    searched = evidence.manifest.search
    judge_it = _SEARCHES[searched.kind] if searched else judge_evidence
    return judge_it(evidence, thresholds)


def _no_evidence(run: RunDir, reason: str) -> Verdict:
    steps = (NextStep("nothing here can be judged: record it again"),)
    reasons = (reason,)
    return Verdict(
        run.root.name, "?", Outcome.INVALID, reason, invalid_reasons=reasons, next_steps=steps
    )
