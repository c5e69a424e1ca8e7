"""Why an endpoint FAILs the gate: how its distribution moved, since when, and where the time went.

Pure, like the verdict; nothing here decides anything. What it says beyond noise it says at three
standard errors between rounds.
"""

from __future__ import annotations

from analysis.evidence.run import Evidence
from analysis.paired.cause import causes
from analysis.paired.onset import onset, round_scores
from analysis.paired.shift import in_words, quantile_shifts
from analysis.paired.slot_requests import slot_histograms
from analysis.regression.data import tail_of
from recording.slots import Slots


def diagnose(
    evidence: Evidence, slots: Slots, rounds: int, endpoint: str, metric: str
) -> tuple[str, ...]:
    """Sentences about one endpoint and metric (``p99``), the most telling first.

    The endpoint is a step, or ``journey`` for all of them. Empty when an arm has no counted
    requests of it. Raises ValueError for a metric that is no percentile from p50 up.
    """
    tail = tail_of(metric)
    values_us, counts = slot_histograms(evidence, slots, rounds, endpoint)
    if not counts.size or not counts.sum(axis=(1, 2)).all():
        return ()
    shifts = quantile_shifts(values_us, counts)
    return (
        in_words(shifts),
        "by quantile: " + ", ".join(map(str, shifts)),
        onset(round_scores(values_us, counts, tail)),
        *causes(evidence, slots, rounds, endpoint),
    )
