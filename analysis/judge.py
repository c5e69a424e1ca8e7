"""The judge: a recording and the limits in, a verdict out. Pure: same bytes, same verdict."""

from dataclasses import replace
from pathlib import PurePath

from analysis.advice.steps import advised
from analysis.evidence.run import last_net, load_evidence
from analysis.limits.thresholds import Thresholds
from analysis.paired.judge import judge_paired
from analysis.single.judge import judge_evidence
from analysis.words.values import JudgedBy, NextStep, Outcome, Verdict
from recording.errors import ManifestError, SpoiltError
from recording.rundir import RunDir


def judge(run: RunDir, thresholds: Thresholds) -> Verdict:
    """The verdict on a run directory, paired or not; a spoilt one is INVALID, no exception."""
    judged_by = JudgedBy(PurePath(thresholds.source).name, thresholds.sha256)
    return replace(_judged(run, thresholds), judged_by=judged_by)


def _judged(run: RunDir, thresholds: Thresholds) -> Verdict:
    try:
        with last_net(run):
            evidence = load_evidence(run)
            paired = evidence.manifest.paired is not None
            verdict = (judge_paired if paired else judge_evidence)(evidence, thresholds)
            return advised(evidence, verdict)
    except ManifestError as error:
        said = str(error).removeprefix(f"{run.manifest}: ")
        return _no_evidence(run, f"manifest.json is unreadable: {said}")
    except SpoiltError as error:
        return _no_evidence(run, str(error))


def _no_evidence(run: RunDir, reason: str) -> Verdict:
    steps = (NextStep("nothing here can be judged: record it again"),)
    reasons = (reason,)
    return Verdict(
        run.root.name, "?", Outcome.INVALID, reason, invalid_reasons=reasons, next_steps=steps
    )
