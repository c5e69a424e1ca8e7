"""Whether a gate that is still running may stop at one of its declared looks."""

from analysis.evidence.run import load_evidence
from analysis.limits.thresholds import Thresholds
from analysis.paired.look import deciding_look
from analysis.paired.settings import gate_settings
from analysis.regression.data import GateVerdict
from recording.errors import ConfigError
from recording.rundir import RunDir


def decided_early(thresholds: Thresholds, run: RunDir, rounds: int) -> str:
    """What the looks up to `rounds` rounds decide, such as ``FAIL after 24 rounds``, or "".

    It only ends the run: the verdict is that on the whole recording, where no request of these
    rounds is still in flight. Raises ConfigError for a ``[regression]`` that fits no test.
    """
    settings = gate_settings(thresholds)
    try:
        evidence = load_evidence(run)
    except ConfigError:  # no manifest, or a spoilt one; the judge will say so
        return ""
    look = deciding_look(evidence, settings, rounds)
    if look is None or look.verdict is GateVerdict.INCONCLUSIVE:
        return ""
    return f"{look.verdict} after {look.rounds} rounds"
