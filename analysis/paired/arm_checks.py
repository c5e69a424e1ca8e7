"""Was an arm measured, and not the bench? The same checks for either arm, in its own slots."""

from collections.abc import Iterator

import numpy as np

from analysis.evidence.stalls import undisturbed
from analysis.paired.rounds import Rounds
from analysis.single.checks import distortion_check, share_check
from analysis.single.delivery import journey_is_closed, rate_check
from analysis.words.values import Check
from recording.histogram import merge
from recording.hlog import DISTORTION
from recording.profile import JOURNEY
from recording.slots import Arm


def arm_checks(rounds: Rounds, arm: Arm) -> Iterator[Check]:
    """Request rate, distortion, and the CPU of the arm's mocks."""
    journey = rounds.samples[arm][JOURNEY]
    if not journey.n:
        yield Check(f"counted requests of {arm}", "0", "> 0", False)
        return
    if journey_is_closed(rounds.evidence):
        yield _rate(rounds, arm)
    yield from _distortion(rounds, arm, journey.answered)
    if rounds.evidence.is_ours(arm):  # a real service may use all the cores it has
        yield from _mocks(rounds, arm)


def _rate(rounds: Rounds, arm: Arm) -> Check:
    """Over the arm's half of the users, in the time that counts."""
    evidence, windows = rounds.evidence, rounds.windows_s(arm, counted=True)
    intervals = [i for i in evidence.log.intervals if i.tag.arm == arm]
    users = evidence.manifest.profile.load.peak_users / 2
    name, samples = f"request rate of {arm}", rounds.samples[arm]
    return rate_check(evidence, name, intervals, windows, samples, users)


def _distortion(rounds: Rounds, arm: Arm, answered: int) -> Iterator[Check]:
    answered_all_the_time = undisturbed(rounds.evidence)
    total = merge(
        interval.histogram
        for _, interval in rounds.counted(DISTORTION)
        if interval.tag.arm == arm and answered_all_the_time(interval)
    )
    name = f"distortion p99 of {arm}"
    yield from distortion_check(rounds.evidence, name, total, arm, answered=answered)


def _mocks(rounds: Rounds, arm: Arm) -> Iterator[Check]:
    """CPU of an arm's mocks in its own slots, when they have work."""
    limit = rounds.evidence.manifest.profile.validity.mock_cpu
    borders_s = np.array(rounds.windows_s(arm))
    for service in rounds.evidence.services.subjects:
        t_s, cpu_s = rounds.series.get(f"{service}@{arm}", "process_cpu_seconds_total")
        if t_s.size >= 2:
            used = np.diff(np.interp(borders_s, t_s, cpu_s), axis=1).mean() / rounds.slots.slot_s
            name = f"CPU of the {service}@{arm} mock in its slots"
            yield share_check(name, float(used), limit, "of one core", "it measures itself")
