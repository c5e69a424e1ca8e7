"""The judge: a recording and the limits in, a verdict out. Pure: same bytes, same verdict."""

from analysis.capacity.judge import judge_capacity
from analysis.evidence.run import last_net, load_evidence
from analysis.limits.thresholds import Thresholds
from analysis.paired.judge import judge_paired
from analysis.single.judge import judge_evidence
from analysis.tuning.judge import judge_tuning
from analysis.words.values import Outcome, Verdict
from recording.errors import ManifestError, SpoiltError
from recording.rundir import RunDir

_SEARCHES = {"capacity": judge_capacity, "tune": judge_tuning}
"""By the kind of a search."""


def judge(run: RunDir, thresholds: Thresholds) -> Verdict:
    """The verdict on a run directory, paired or not; a spoilt one is INVALID, no exception."""
    try:
        with last_net(run):
            evidence = load_evidence(run)
            if evidence.manifest.paired is not None:
                return judge_paired(evidence, thresholds)
            searched = evidence.manifest.search
            judged = _SEARCHES[searched.kind] if searched else judge_evidence
            return judged(evidence, thresholds)
    except ManifestError as error:
        said = str(error).removeprefix(f"{run.manifest}: ")
        return _no_evidence(run, f"manifest.json is unreadable: {said}")
    except SpoiltError as error:
        return _no_evidence(run, str(error))


def _no_evidence(run: RunDir, reason: str) -> Verdict:
    return Verdict(run.root.name, "?", Outcome.INVALID, reason, invalid_reasons=(reason,))
