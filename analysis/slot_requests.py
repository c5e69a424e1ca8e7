"""Requests of a paired run by arm and round: how many, with which outcome, how long they took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from analysis.evidence import GENERATOR, Evidence
from recording.histogram import bucket_mid_us, merge
from recording.hlog import LATENCY, Interval
from recording.slots import ARMS, Slots

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
JOURNEY = "journey"
"""All steps together."""
Place = tuple[int, int]
"""Arm (0 base, 1 head) and round."""


def request_counts(
    evidence: Evidence, slots: Slots, rounds: int, *, cut_too: bool = False
) -> dict[tuple[str, str], Ints]:
    """Requests by (step, outcome), [arm, round]; with `cut_too` those that do not count, too."""
    found: defaultdict[tuple[str, str], Ints] = defaultdict(lambda: np.zeros((2, rounds), np.int64))
    for place, interval in _placed(evidence, slots, rounds, LATENCY, cut_too=cut_too):
        found[interval.tag.step, interval.tag.outcome][place] += interval.histogram.n
    return dict(found)


def slot_histograms(
    evidence: Evidence, slots: Slots, rounds: int, step: str, kind: str = LATENCY
) -> tuple[Floats, Ints]:
    """What was counted of a step, or of all (``journey``).

    Values (µs, ascending) and counts [arm, round, value].
    """
    mine = [
        (place, interval.histogram)
        for place, interval in _placed(evidence, slots, rounds, kind, cut_too=False)
        if step in (interval.tag.step, JOURNEY)
    ]
    indices = merge(histogram for _, histogram in mine).indices
    counts = np.zeros((2, rounds, indices.size), np.int64)
    for place, histogram in mine:
        counts[place][np.searchsorted(indices, histogram.indices)] += histogram.counts
    return bucket_mid_us(indices), counts


def steps_seen(evidence: Evidence) -> set[str]:
    """Every step that anything was recorded of."""
    return {i.tag.step for i in evidence.log.intervals} - {GENERATOR}


def _placed(
    evidence: Evidence, slots: Slots, rounds: int, kind: str, *, cut_too: bool
) -> Iterator[tuple[Place, Interval]]:
    for interval in evidence.log.intervals:
        if interval.tag.kind != kind or interval.tag.step == GENERATOR:
            continue
        middle_s = interval.start_s + interval.length_s / 2
        place = _place(slots, rounds, middle_s, interval.tag.arm, cut_too=cut_too)
        if place is not None:
            yield place, interval


def _place(slots: Slots, rounds: int, t_s: float, arm: str, *, cut_too: bool) -> Place | None:
    """Where a request of an arm that began at `t_s` belongs; None for a slot not its own."""
    slot = slots.slot_at(t_s)
    if not 0 <= slot < slots.count or slots.arm_of(slot) != arm:
        return None
    counts = cut_too or t_s >= slots.counted_from(slot)
    number = slots.round_of(slot)
    return (ARMS.index(slots.arm_of(slot)), number) if counts and 0 <= number < rounds else None
