"""Sampled metrics of a paired run by arm and round.

The services of both arms are up all the time and each is sampled under ``service@arm``. An arm
finishes in the other's slot what began in its own, so the growth of a counter belongs to its
*window*: from the start of its slot to the start of its next one.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from analysis.evidence.pool_series import counter_steps
from analysis.paired.rounds import Rounds
from recording.arrays import Floats
from recording.series_reader import Series
from recording.slots import ARMS, Slots


def services_of(series: Series, metric: str) -> list[str]:
    """Services of which an arm has this metric (or one with labels), without the arm."""
    subjects = {subject for subject, name in series.values if name.partition("/")[0] == metric}
    named = (subject.rpartition("@") for subject in subjects)
    return sorted({service for service, _, arm in named if arm in ARMS})


def labels_of(series: Series, service: str, metric: str) -> list[str]:
    """Labels of a metric, as ``locks/0``, that an arm of a service has."""
    names = {name for arm in ARMS for name in series.metrics(f"{service}@{arm}")}
    return sorted(n.removeprefix(f"{metric}/") for n in names if n.startswith(f"{metric}/"))


def growth(rounds: Rounds, service: str, metric: str, *, steady: bool = False) -> Floats:
    """How much a counter grew in each window, [arm, round].

    A `steady` counter grows whenever the process works, and is written at every sample (CPU):
    without a sample in the slot before and late in the slot itself its growth is not known, NaN.
    (A run may stop right after a slot, so nothing is asked of the rest of the window.) Others are
    written when they change, and first of all with their first event, so they stand still where
    nothing was written.
    """
    slots = rounds.slots

    def grown(t_s: Floats, values: Floats, slot: int) -> float:
        if not t_s.size:
            return np.nan if steady else 0.0
        total = values[0] + np.cumsum(counter_steps(values))
        before_s = slots.start_of(slot) - slots.slot_s if steady else -np.inf
        late_s = slots.start_of(slot) + slots.slot_s / 2 if steady else -np.inf
        after = _at_border(t_s, total, slots, _next_own(slots, slot), late_s)
        return after - _at_border(t_s, total, slots, slot, before_s)

    return _table(rounds, service, metric, grown)


def idle_growth(rounds: Rounds, service: str, metric: str) -> Floats:
    """How much a counter would have grown in each window without load, [arm, round].

    From pairs of samples in the later half of the other arm's slots, when nothing of its own is
    left to finish; NaN where samples are too far apart for that.
    """
    slots, found = rounds.slots, np.full((2, rounds.count), np.nan)
    for row, arm, other in zip(found, ARMS, ARMS[::-1], strict=True):
        t_s, values = rounds.series.get(f"{service}@{arm}", metric)
        grown = spent_s = 0.0
        for slot in rounds.own_slots(other):
            end_s = slots.start_of(slot + 1)
            first, stop = np.searchsorted(t_s, (end_s - slots.slot_s / 2, end_s))
            if stop - first >= 2:
                grown += float(counter_steps(values[first:stop]).sum())
                spent_s += float(t_s[stop - 1] - t_s[first])
        for number, slot in enumerate(rounds.own_slots(arm) if spent_s else ()):
            end_s = slots.start_of(min(_next_own(slots, slot), slots.count))
            row[number] = (end_s - slots.start_of(slot)) * (grown / spent_s)
    return found


def highest(rounds: Rounds, service: str, metric: str) -> Floats:
    """The highest sample of a gauge within each slot, [arm, round]; NaN without a sample that says
    one: below zero there is none.
    """
    start_of = rounds.slots.start_of

    def peak(t_s: Floats, values: Floats, slot: int) -> float:
        first, stop = np.searchsorted(t_s, (start_of(slot), start_of(slot + 1)))
        told = values[first:stop]
        told = told[told >= 0]
        return float(told.max()) if told.size else np.nan

    return _table(rounds, service, metric, peak)


def round_means(rounds: Rounds, subject: str, metric: str) -> Floats:
    """The mean of a gauge over each whole round, whichever arm was loaded; NaN without a sample
    that says one: nothing that runs has none of it, or less.
    """
    t_s, values = rounds.series.get(subject, metric)
    t_s, values = t_s[values > 0], values[values > 0]
    slots = rounds.slots
    firsts = [slots.start_of(2 * (slots.warmup_rounds + r)) for r in range(rounds.count + 1)]
    edges = np.searchsorted(t_s, firsts)
    return np.array([values[a:b].mean() if b > a else np.nan for a, b in pairwise(edges)])


def _table(
    rounds: Rounds, service: str, metric: str, cell: Callable[[Floats, Floats, int], float]
) -> Floats:
    """[arm, round] of what a cell makes of the samples and the slot."""
    rows = []
    for arm in ARMS:
        samples = rounds.series.get(f"{service}@{arm}", metric)
        rows.append([cell(*samples, slot) for slot in rounds.own_slots(arm)])
    return np.array(rows, dtype=np.float64)


def _next_own(slots: Slots, slot: int) -> int:
    """The arm's next slot; after its last one, the slot after the end of the run."""
    later = (s for s in range(slot + 1, slots.count) if slots.arm_of(s) == slots.arm_of(slot))
    return next(later, slots.count + 1)


def _at_border(t_s: Floats, total: Floats, slots: Slots, slot: int, since_s: float) -> float:
    """A counter at the start of a slot of its arm; NaN without a sample from `since_s` on.

    Where the arm idled before, the last sample is exact; where it was loaded just before, the
    counter runs on across the border and is interpolated.
    """
    border_s = slots.start_of(slot)
    last = int(np.searchsorted(t_s, border_s, side="right")) - 1
    if last < 0:
        return np.nan if np.isfinite(since_s) else 0.0
    if t_s[last] < since_s:
        return np.nan
    busy = 0 < slot < slots.count and slots.arm_of(slot - 1) == slots.arm_of(slot)
    return float(np.interp(border_s, t_s, total)) if busy else float(total[last])
