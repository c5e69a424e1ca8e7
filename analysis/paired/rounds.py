"""What is known of a paired recording up to a round, computed once.

A request counts when it began in the counted part of a slot of its own arm, in one of the rounds.
Everything else (the cut, the warm-up, later rounds, the other arm's slots) is left out, counted
and shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from analysis.evidence.requests import Sample, judged_kind, never_ended_counts
from analysis.evidence.run import Evidence
from analysis.regression.data import GateData
from analysis.statistics.looks import LookPlan
from recording.arrays import Bools, Floats, Ints
from recording.events import NOT_SAMPLED, PHASE_STARTED, PHASES_ENDED
from recording.histogram import bucket_mid_us, merge
from recording.hlog import GENERATOR, LATENCY, Interval
from recording.manifest import MeasuredPhase
from recording.metric_names import UP
from recording.profile import JOURNEY
from recording.series_reader import Series
from recording.slots import ARMS, BASE, HEAD, Arm, Slots

CUT = "cut"
STOP_GRACE_S = 0.1
"""A stop this close to a slot's end took nothing from it that a tail could show."""
NEVER_STARTED = Slots(start_s=0.0, slot_s=1.0, cut_s=0.0, head_first=())

Counted = tuple[int, Interval]
"""A round, and the requests of one step, outcome and arm that count in it."""


@dataclass(frozen=True, eq=False)
class Rounds:
    """The first `count` rounds of a paired recording."""

    evidence: Evidence
    slots: Slots
    count: int

    @classmethod
    def recorded(cls, evidence: Evidence) -> Rounds:
        """Those whose two slots were loaded and recorded to their end."""
        slots = evidence.slots or NEVER_STARTED
        generator = [i for i in evidence.log.intervals if i.tag.step == GENERATOR]
        reached = max((i.start_s + i.length_s for i in generator), default=0.0)
        end_s = min([reached, *evidence.times_of(PHASES_ENDED)[:1]])
        finished = slots.slot_at(end_s + STOP_GRACE_S)
        return cls(evidence, slots, max(0, finished // 2 - slots.warmup_rounds))

    def first(self, count: int) -> Rounds:
        """Fewer of them."""
        return Rounds(self.evidence, self.slots, count)

    @property
    def started(self) -> bool:
        """Whether the first slot was reached."""
        return self.slots is not NEVER_STARTED

    @property
    def series(self) -> Series:
        """What was sampled of the services of both arms, as ``service@arm``."""
        return self.evidence.resources

    @property
    def head_first(self) -> Bools:
        """[round]: whether head was loaded before base."""
        return np.array(self.slots.head_first[: self.count])

    @cached_property
    def plan(self) -> LookPlan | None:
        """The declared looks; None where the recorded order cannot carry them.

        Each stretch between looks must load head first in half of its rounds.
        """
        gate, order = self.evidence.manifest.profile.gate, self.slots.head_first
        if gate is None or len(order) != gate.looks[-1]:
            return None
        plan = LookPlan(gate.looks)
        return None if plan.imbalance(order) else plan

    @property
    def span_s(self) -> tuple[float, float]:
        """When the first round began and the last one ended, s since the run's epoch."""
        first = 2 * self.slots.warmup_rounds
        return self.slots.start_of(first), self.slots.start_of(first + 2 * self.count)

    def own_slots(self, arm: Arm) -> list[int]:
        """The slots of an arm, by round."""
        return [self.slots.slots_of(number)[ARMS.index(arm)] for number in range(self.count)]

    def windows_s(self, arm: Arm, *, counted: bool = False) -> list[tuple[float, float]]:
        """When they start (or their requests begin to count) and end."""
        starts = self.slots.counted_from if counted else self.slots.start_of
        return [(starts(slot), self.slots.start_of(slot + 1)) for slot in self.own_slots(arm)]

    @cached_property
    def part(self) -> Evidence:
        """The same recording with these rounds as its measured phase, for checks of the run."""
        evidence, (start_s, end_s) = self.evidence, self.span_s
        phases = (
            MeasuredPhase(name="before", start_s=evidence.load_start_s, end_s=start_s),
            MeasuredPhase(name="rounds", start_s=start_s, end_s=end_s, measured=True),
        )
        borders = (PHASE_STARTED, PHASES_ENDED)
        return replace(
            evidence,
            manifest=evidence.manifest.model_copy(update={"phases": phases}),
            events=[row for row in evidence.events if row.get("event") not in borders],
        )

    @cached_property
    def _by_kind(self) -> dict[str, list[tuple[str, int, Interval]]]:
        """Requests by kind: why they do not count ("" where they do), and their slots."""
        found: defaultdict[str, list[tuple[str, int, Interval]]] = defaultdict(list)
        for interval in self.evidence.log.intervals if self.started else ():
            if interval.tag.step != GENERATOR:
                middle_s = interval.start_s + interval.length_s / 2
                slot = self.slots.slot_at(middle_s)
                why = self._left_out(slot, middle_s, interval.tag.arm)
                found[interval.tag.kind].append((why, slot, interval))
        return found

    def _left_out(self, slot: int, middle_s: float, arm: str) -> str:
        slots = self.slots
        if not 0 <= slot < slots.count:
            return "outside the slots"
        if slots.round_of(slot) < 0:
            return "warm-up"
        if slots.round_of(slot) >= self.count:
            return "rounds not judged"
        if slots.arm_of(slot) != arm:
            return "other arm's slot"
        return "" if middle_s >= slots.counted_from(slot) else CUT

    @cached_property
    def excluded(self) -> dict[str, int]:
        """How many requests were left out, by why."""
        counts: defaultdict[str, int] = defaultdict(int)
        for why, _, interval in self._by_kind.get(judged_kind(self.evidence), ()):
            if why:
                counts[why] += interval.histogram.n
        return dict(sorted(counts.items()))

    def counted(self, kind: str) -> Iterator[Counted]:
        """What counts of one kind of histogram."""
        for why, slot, interval in self._by_kind.get(kind, ()):
            if not why:
                yield self.slots.round_of(slot), interval

    @cached_property
    def requests(self) -> dict[tuple[str, str], Ints]:
        """How many count, and how many began in the cut, by (step, outcome): [2, arm, round]."""
        found: dict[tuple[str, str], Ints] = {}
        for why, slot, interval in self._by_kind.get(LATENCY, ()):
            if why in ("", CUT):
                tag, none = interval.tag, np.zeros((2, 2, self.count), np.int64)
                place = int(why == CUT), _arm(interval), self.slots.round_of(slot)
                found.setdefault((tag.step, tag.outcome), none)[place] += interval.histogram.n
        return found

    @cached_property
    def steps(self) -> tuple[str, ...]:
        """Every step that anything was recorded of and both arms have, in the order of the flow."""
        seen = {i.tag.step for i in self.evidence.log.intervals} - {GENERATOR}
        return self.evidence.services.in_order(seen - {*self.not_compared})

    @cached_property
    def not_compared(self) -> dict[str, str]:
        """Steps that one arm lacks, as it has no service for them, and why: measured, not judged.

        A step that an arm could have answered and never did is none of these.
        """
        services = self.evidence.services
        seen: dict[str, set[str]] = {arm: set() for arm in ARMS}
        for interval in self.evidence.log.intervals:
            seen.setdefault(interval.tag.arm, set()).add(interval.tag.step)
        known = {str(row.get("subject")) for row in self.evidence.events_named(NOT_SAMPLED)}
        known |= {*self.series.subjects(UP)}
        return {
            step: f"{arm} has no {service}"
            for arm, other in ((BASE, HEAD), (HEAD, BASE))
            for step in services.in_order(seen[other] - seen[arm])
            if (service := services.service_of(step))
            and f"{service}@{other}" in known
            and f"{service}@{arm}" not in known
        }

    @cached_property
    def _judged(self) -> dict[str, list[Counted]]:
        """What counts by step, and as the journey."""
        everything = list(self.counted(judged_kind(self.evidence)))
        by_step: defaultdict[str, list[Counted]] = defaultdict(list)
        for one in everything:
            by_step[one[1].tag.step].append(one)
        in_order = self.evidence.services.in_order(by_step)
        return {step: by_step[step] for step in in_order} | {JOURNEY: everything}

    @cached_property
    def samples(self) -> dict[Arm, dict[str, Sample]]:
        """One per step of an arm that was seen, and the journey; a round is a block of time."""
        return {arm: dict(self._samples(arm)) for arm in ARMS}

    def _samples(self, arm: Arm) -> Iterator[tuple[str, Sample]]:
        for subject, found in self._judged.items():
            mine = [one for one in found if one[1].tag.arm == arm]
            if mine or subject == JOURNEY:
                outcomes: defaultdict[str, int] = defaultdict(int)
                for _, interval in mine:
                    outcomes[interval.tag.outcome] += interval.histogram.n
                indices, counts = self._histograms(mine)
                never_ended = never_ended_counts((interval for _, interval in mine), indices)
                blocks, values_us = counts[ARMS.index(arm)], bucket_mid_us(indices)
                yield subject, Sample(subject, values_us, blocks, dict(outcomes), never_ended)

    def data(self, control: tuple[str, ...] = ()) -> GateData | None:
        """What the gate's statistics are given; None when no request counts.

        The endpoints are the steps that were seen and can be compared, and their sum, the journey;
        those of `control` that were seen are its controls.
        """
        steps = [step for step in self._judged if step in self.steps]
        found = [self._histograms(self._judged[step]) for step in steps]
        if not found:
            return None
        indices = np.unique(np.concatenate([own for own, _ in found]))
        counts = np.zeros((2, self.count, len(steps) + 1, indices.size), np.int64)
        for row, (own, of_step) in enumerate(found):
            counts[:, :, row, np.searchsorted(indices, own)] = of_step
        counts[:, :, -1] = counts.sum(axis=2)
        return GateData(
            endpoints=(*steps, JOURNEY),
            values_us=bucket_mid_us(indices),
            base=counts[0],
            head=counts[1],
            head_first=self.head_first,
            control=tuple(step for step in control if step in steps),
            derived=(JOURNEY,),
        )

    def histograms(self, step: str, kind: str = LATENCY) -> tuple[Floats, Ints]:
        """What was counted of a step, or of all that are compared (``journey``).

        Values (µs, ascending) and counts [arm, round, value].
        """
        wanted = self.steps if step == JOURNEY else (step,)
        indices, counts = self._histograms(
            [one for one in self.counted(kind) if one[1].tag.step in wanted]
        )
        return bucket_mid_us(indices), counts

    def _histograms(self, found: list[Counted]) -> tuple[Ints, Ints]:
        """Buckets, and counts [arm, round, bucket]."""
        indices = merge(interval.histogram for _, interval in found).indices
        counts = np.zeros((2, self.count, indices.size), np.int64)
        for number, interval in found:
            own = interval.histogram
            counts[_arm(interval), number, np.searchsorted(indices, own.indices)] += own.counts
        return indices, counts


def _arm(interval: Interval) -> int:
    return ARMS.index(interval.tag.arm)
