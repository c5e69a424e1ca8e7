"""Was an arm measured, and not the bench? The same checks for either arm, in its own slots."""

from collections.abc import Iterator

import numpy as np

from analysis.evidence.requests import Sample
from analysis.evidence.run import Evidence
from analysis.evidence.stalls import undisturbed
from analysis.paired.counting import counted
from analysis.single.checks import distortion_check, share_check
from analysis.single.delivery import journey_is_closed, rate_check
from analysis.words.values import Check
from recording.flow import SERVICE_STEPS
from recording.histogram import merge
from recording.hlog import DISTORTION
from recording.slots import ARMS, Arm, Slots


def arm_checks(
    evidence: Evidence, slots: Slots, rounds: int, arm: Arm, samples: dict[str, Sample]
) -> Iterator[Check]:
    """Request rate, distortion, and the CPU of the arm's mocks; `samples` are the arm's own."""
    if not samples["journey"].n:
        yield Check(f"counted requests of {arm}", "0", "> 0", False)
        return
    if journey_is_closed(evidence):
        yield _rate(evidence, slots, rounds, arm, samples)
    yield from _distortion(evidence, slots, rounds, arm, samples["journey"].answered)
    if evidence.is_ours(arm):  # a real service may use all the cores it has
        yield from _mocks(evidence, slots, rounds, arm)


def _rate(
    evidence: Evidence, slots: Slots, rounds: int, arm: Arm, samples: dict[str, Sample]
) -> Check:
    """Over the arm's half of the users, in the time that counts."""
    own = [slots.slots_of(number)[ARMS.index(arm)] for number in range(rounds)]
    windows = [(slots.counted_from(slot), slots.start_of(slot + 1)) for slot in own]
    intervals = [i for i in evidence.log.intervals if i.tag.arm == arm]
    users = evidence.manifest.profile.load.peak_users / 2
    return rate_check(evidence, f"request rate of {arm}", intervals, windows, samples, users)


def _distortion(
    evidence: Evidence, slots: Slots, rounds: int, arm: Arm, answered: int
) -> Iterator[Check]:
    answered_all_the_time = undisturbed(evidence)
    total = merge(
        one.interval.histogram
        for one in counted(evidence, slots, rounds, DISTORTION)
        if one.arm == arm and answered_all_the_time(one.interval)
    )
    name = f"distortion p99 of {arm}"
    yield from distortion_check(evidence, name, total, arm, answered=answered)


def _mocks(evidence: Evidence, slots: Slots, rounds: int, arm: Arm) -> Iterator[Check]:
    """CPU of an arm's mocks in its own slots, when they have work."""
    limit = evidence.manifest.profile.validity.mock_cpu
    own = [slots.slots_of(number)[ARMS.index(arm)] for number in range(rounds)]
    borders_s = np.array([[slots.start_of(slot), slots.start_of(slot + 1)] for slot in own])
    for service in SERVICE_STEPS:
        t_s, cpu_s = evidence.resources.get(f"{service}@{arm}", "process_cpu_seconds_total")
        if t_s.size >= 2:
            used = np.diff(np.interp(borders_s, t_s, cpu_s), axis=1).mean() / slots.slot_s
            name = f"CPU of the {service}@{arm} mock in its slots"
            yield share_check(name, float(used), limit, "of one core", "it measures itself")
