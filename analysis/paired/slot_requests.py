"""Requests of a paired run by arm and round: how many, with which outcome, how long they took."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from analysis.evidence.run import Evidence
from analysis.paired.counting import JOURNEY, Counted, counted
from recording.histogram import bucket_mid_us, merge
from recording.hlog import GENERATOR, LATENCY
from recording.slots import ARMS, Slots

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def request_counts(
    evidence: Evidence, slots: Slots, rounds: int, *, cut_too: bool = False
) -> dict[tuple[str, str], Ints]:
    """Requests by (step, outcome), [arm, round]; with `cut_too` those that do not count, too."""
    found: defaultdict[tuple[str, str], Ints] = defaultdict(lambda: np.zeros((2, rounds), np.int64))
    for one in counted(evidence, slots, rounds, LATENCY, cut_too=cut_too):
        tag = one.interval.tag
        found[tag.step, tag.outcome][_place(one)] += one.interval.histogram.n
    return dict(found)


def slot_histograms(
    evidence: Evidence, slots: Slots, rounds: int, step: str, kind: str = LATENCY
) -> tuple[Floats, Ints]:
    """What was counted of a step, or of all (``journey``).

    Values (µs, ascending) and counts [arm, round, value].
    """
    mine = [
        (_place(one), one.interval.histogram)
        for one in counted(evidence, slots, rounds, kind)
        if step in (one.interval.tag.step, JOURNEY)
    ]
    indices = merge(histogram for _, histogram in mine).indices
    counts = np.zeros((2, rounds, indices.size), np.int64)
    for place, histogram in mine:
        counts[place][np.searchsorted(indices, histogram.indices)] += histogram.counts
    return bucket_mid_us(indices), counts


def steps_seen(evidence: Evidence) -> set[str]:
    """Every step that anything was recorded of."""
    return {i.tag.step for i in evidence.log.intervals} - {GENERATOR}


def _place(one: Counted) -> tuple[int, int]:
    return ARMS.index(one.arm), one.round_number
