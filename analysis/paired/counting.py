"""From the recording of a paired run to what the gate's statistics are given.

A request counts when it began in the counted part of a slot of its own arm, in a round that is
judged. Everything else (the cut, the warm-up, later rounds, the other arm's slots) is left out,
counted and shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from analysis.evidence.requests import Sample, judged_kind, never_ended_counts
from analysis.evidence.run import Evidence
from analysis.regression.data import GateData, Ints
from recording.flow import STEPS
from recording.histogram import bucket_mid_us, merge
from recording.hlog import GENERATOR, Interval, of_requests
from recording.manifest import MeasuredPhase
from recording.slots import ARMS, Arm, Slots

JOURNEY = "journey"
"""All requests of the flow together; the gate judges it as a sum of the others."""
CUT = "cut"
STOP_GRACE_S = 0.1
"""A stop this close to a slot's end took nothing from it that a tail could show."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The requests of one step, outcome and slot that count."""

    round_number: int
    arm: Arm
    interval: Interval


def completed_rounds(evidence: Evidence, slots: Slots) -> int:
    """Rounds whose two slots were loaded and recorded to their end."""
    recorded = [i for i in evidence.log.intervals if i.tag.step == GENERATOR]
    reached = max((i.start_s + i.length_s for i in recorded), default=0.0)
    end_s = min([reached, *evidence.times_of("phases_ended")[:1]])
    finished = slots.slot_at(end_s + STOP_GRACE_S)
    return max(0, finished // 2 - slots.warmup_rounds)


def counted(
    evidence: Evidence, slots: Slots, rounds: int, kind: str, *, cut_too: bool = False
) -> Iterator[Counted]:
    """What counts of the first `rounds` rounds, of one kind of histogram.

    With `cut_too` also what began in the cut of the same slots.
    """
    for interval in _requests(evidence, kind):
        why = _left_out(slots, rounds, interval)
        if not why or (cut_too and why == CUT):
            slot = slots.slot_at(_middle_s(interval))
            yield Counted(slots.round_of(slot), slots.arm_of(slot), interval)


def excluded(evidence: Evidence, slots: Slots, rounds: int) -> dict[str, int]:
    """How many requests were left out, by why."""
    counts: dict[str, int] = {}
    for interval in _requests(evidence, judged_kind(evidence)):
        if why := _left_out(slots, rounds, interval):
            counts[why] = counts.get(why, 0) + interval.histogram.n
    return dict(sorted(counts.items()))


def _requests(evidence: Evidence, kind: str) -> Iterator[Interval]:
    return of_requests(evidence.log.intervals, kind)


def _middle_s(interval: Interval) -> float:
    return interval.start_s + interval.length_s / 2


def _left_out(slots: Slots, rounds: int, interval: Interval) -> str:
    """Why an interval does not count; "" when it does."""
    slot = slots.slot_at(_middle_s(interval))
    if not 0 <= slot < slots.count:
        return "outside the slots"
    if slots.round_of(slot) < 0:
        return "warm-up"
    if slots.round_of(slot) >= rounds:
        return "rounds not judged"
    if slots.arm_of(slot) != interval.tag.arm:
        return "other arm's slot"
    return "" if _middle_s(interval) >= slots.counted_from(slot) else CUT


def gate_data(
    evidence: Evidence, slots: Slots, rounds: int, control: tuple[str, ...] = ()
) -> GateData | None:
    """The histograms of the first `rounds` rounds; None when no request counts.

    The endpoints are the steps that were seen in either arm, and the journey; those of `control`
    that were seen are its controls.
    """
    found = list(counted(evidence, slots, rounds, judged_kind(evidence)))
    if not found:
        return None
    indices = merge(one.interval.histogram for one in found).indices
    steps = _in_order({one.interval.tag.step for one in found})
    shape = (rounds, len(steps) + 1, len(indices))
    counts: dict[str, Ints] = {arm: np.zeros(shape, np.int64) for arm in ARMS}
    for one in found:
        histogram = one.interval.histogram
        columns = np.searchsorted(indices, histogram.indices)
        for row in (steps.index(one.interval.tag.step), len(steps)):
            counts[one.arm][one.round_number, row, columns] += histogram.counts
    return GateData(
        endpoints=(*steps, JOURNEY),
        values_us=bucket_mid_us(indices),
        base=counts["base"],
        head=counts["head"],
        head_first=np.array(slots.head_first[:rounds]),
        control=tuple(step for step in control if step in steps),
        derived=(JOURNEY,),
    )


def _in_order(seen: set[str]) -> tuple[str, ...]:
    return (*(step for step in STEPS if step in seen), *sorted(seen - set(STEPS)))


def arm_samples(evidence: Evidence, slots: Slots, rounds: int, arm: Arm) -> dict[str, Sample]:
    """One sample per step of an arm that was seen, and the journey; a round is a block of time."""
    by_step: dict[str, list[Counted]] = {}
    everything: list[Counted] = []
    for one in counted(evidence, slots, rounds, judged_kind(evidence)):
        if one.arm == arm:
            by_step.setdefault(one.interval.tag.step, []).append(one)
            everything.append(one)
    found = {step: _sample(step, by_step[step], rounds) for step in _in_order(set(by_step))}
    return found | {JOURNEY: _sample(JOURNEY, everything, rounds)}


def _sample(subject: str, found: list[Counted], rounds: int) -> Sample:
    indices = merge(one.interval.histogram for one in found).indices
    counts = np.zeros((rounds, len(indices)), np.int64)
    outcomes: dict[str, int] = {}
    for one in found:
        histogram, outcome = one.interval.histogram, one.interval.tag.outcome
        counts[one.round_number, np.searchsorted(indices, histogram.indices)] += histogram.counts
        outcomes[outcome] = outcomes.get(outcome, 0) + histogram.n
    never_ended = never_ended_counts((one.interval for one in found), indices)
    return Sample(subject, bucket_mid_us(indices), counts, outcomes, never_ended)


def judged_part(evidence: Evidence, slots: Slots, rounds: int) -> Evidence:
    """The same recording with the judged rounds as its measured phase, for checks of the run."""
    start_s, end_s = judged_span_s(slots, rounds)
    phases = (
        MeasuredPhase(name="before", start_s=evidence.load_start_s, end_s=start_s),
        MeasuredPhase(name="rounds", start_s=start_s, end_s=end_s, measured=True),
    )
    borders = ("phase_started", "phases_ended")
    return replace(
        evidence,
        manifest=evidence.manifest.model_copy(update={"phases": phases}),
        events=[row for row in evidence.events if row.get("event") not in borders],
    )


def judged_span_s(slots: Slots, rounds: int) -> tuple[float, float]:
    """When the first judged round began and the last one ended, s since the run's epoch."""
    first = 2 * slots.warmup_rounds
    return slots.start_of(first), slots.start_of(first + 2 * rounds)
