"""Is a paired run evidence? The checks of any run, over the judged rounds, and those of an arm.

Base is the yardstick: the same generator loads both arms in turn, so what is wrong with base's
slots is wrong with the bench, and the run is INVALID. What is wrong with head's slots alone is
head's own doing, and must not hide a regression behind INVALID: it is a finding.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.evidence import Evidence
from analysis.gate.counting import arm_samples, completed_rounds, counted, judged_part
from analysis.gate.look import MAX_ERROR_SHARE, error_share, plan_of
from analysis.latency import Sample
from analysis.statistics.percentiles import quantile
from analysis.validity import (
    completeness,
    damage,
    ending,
    generator,
    host,
    journey_is_closed,
    littles_law_rate,
    samples_taken,
    share_check,
    stolen,
)
from analysis.values import Check
from recording.durations import format_duration
from recording.flow import SERVICE_STEPS
from recording.histogram import merge
from recording.hlog import DISTORTION
from recording.slots import ARMS, BASE, HEAD, Arm, Slots


@dataclass(frozen=True, slots=True)
class Checked:
    """``checks`` decide whether the run is evidence; ``findings`` are only said."""

    checks: tuple[Check, ...]
    findings: tuple[str, ...] = ()


def check_run(evidence: Evidence, rounds: int) -> Checked:
    """Every check of a paired run whose first `rounds` rounds are judged."""
    checks = [ending(evidence), *damage(evidence)]
    if evidence.manifest.source == "loadgate":
        checks += completeness(evidence)
    slots = evidence.slots
    checks += [_timetable(evidence, slots), _rounds(evidence, slots)]
    if slots is None or not rounds:
        return Checked(tuple(checks))
    samples = {arm: arm_samples(evidence, slots, rounds, arm) for arm in ARMS}
    part = judged_part(evidence, slots, rounds)
    checks += [*samples_taken(part), _load_in_slots(evidence, slots, rounds)]
    checks += [_users(evidence, slots, rounds), _errors(samples[BASE])]
    checks += [*generator(part), *host(part)]
    by_arm = {arm: list(_of_arm(evidence, slots, rounds, arm, samples[arm])) for arm in ARMS}
    checks += by_arm[BASE]
    bench_fine = all(check.ok for check in by_arm[BASE])
    own = tuple(f"head alone: {check}" for check in by_arm[HEAD] if bench_fine and not check.ok)
    return Checked(tuple(checks), own)


def _timetable(evidence: Evidence, slots: Slots | None) -> Check:
    """Whether the slots that the statistics stand on were there, in an order that carries them."""
    if slots is None:
        stopped = evidence.manifest.ended == "interrupted"
        return Check("slots", "never started", "started", stopped)
    fits = plan_of(evidence, slots) is not None
    hint = "unless each arm goes first in half of the rounds, drift looks like a regression"
    return Check("order of the arms", "balanced" if fits else "not", "balanced", fits, hint)


def _rounds(evidence: Evidence, slots: Slots | None) -> Check:
    """A run that was stopped in good order may be too short; any other may not."""
    gate = evidence.manifest.profile.gate
    first = gate.looks[0] if gate else 1
    done = completed_rounds(evidence, slots) if slots else 0
    stopped = evidence.manifest.ended == "interrupted"
    return Check(
        "completed rounds",
        f"{done}",
        f"≥ {0 if stopped else first}",
        stopped or done >= first,
        "the first look was not reached",
    )


def _load_in_slots(evidence: Evidence, slots: Slots, rounds: int) -> Check:
    """Head may be so slow that a slot of its own stays empty; base may not."""
    loaded = {
        one.round_number
        for one in counted(evidence, slots, rounds, "latency")
        if one.arm == BASE and one.interval.histogram.n
    }
    return Check("rounds with load on base", f"{len(loaded)}", f"{rounds}", len(loaded) == rounds)


def _users(evidence: Evidence, slots: Slots, rounds: int) -> Check:
    """The users of both arms are there all the time, whoever has the turn."""
    t_s, users = evidence.load.get("locust", "users")
    planned = float(evidence.manifest.profile.load.peak_users)
    tolerance = evidence.manifest.profile.validity.users_tolerance
    if not t_s.size:
        return Check("users", "no data", "present", False)
    first = 2 * slots.warmup_rounds
    starts_s = [slots.start_of(slot) for slot in range(first, first + 2 * rounds)]
    worst = min(_mean_between(t_s, users, s, s + slots.slot_s) for s in starts_s)
    return Check(
        "users in the emptiest slot",
        f"{worst:.0f}",
        f"{planned:.0f} ± {100 * tolerance:g} %",
        abs(worst / planned - 1) <= tolerance,
    )


def _mean_between(t_s: np.ndarray, values: np.ndarray, start_s: float, end_s: float) -> float:
    """Mean of the samples of a stretch; without any, the last one before it."""
    inside = (t_s >= start_s) & (t_s < end_s)
    if inside.any():
        return float(values[inside].mean())
    before = int(np.searchsorted(t_s, start_s)) - 1
    return float(values[before]) if before >= 0 else 0.0


def _errors(base: dict[str, Sample]) -> Check:
    """Where base fails, there is nothing to compare head with."""
    shares = {step: error_share(sample) for step, sample in base.items()}
    worst = max(shares, key=lambda step: shares[step])
    return Check(
        "failed requests of base",
        f"{100 * shares[worst]:.3g} % ({worst})",
        f"≤ {100 * MAX_ERROR_SHARE:g} %",
        shares[worst] <= MAX_ERROR_SHARE,
        "latency of failures is not what the arms are compared by",
    )


def _of_arm(
    evidence: Evidence, slots: Slots, rounds: int, arm: Arm, samples: dict[str, Sample]
) -> Iterator[Check]:
    """What shows whether an arm was measured, and not the bench."""
    if not samples["journey"].n:
        yield Check(f"counted requests of {arm}", "0", "> 0", False)
        return
    if journey_is_closed(evidence):
        yield _rate(evidence, slots, rounds, arm, samples)
    yield from _distortion(evidence, slots, rounds, arm)
    paired = evidence.manifest.paired
    facts = paired and (paired.base if arm == BASE else paired.head)
    if facts and facts.ours:  # a real service may use all the cores it has
        yield from _mocks(evidence, slots, rounds, arm)


def _rate(
    evidence: Evidence, slots: Slots, rounds: int, arm: Arm, samples: dict[str, Sample]
) -> Check:
    """Little's law over the arm's half of the users, in the time that counts."""
    profile = evidence.manifest.profile
    rate = samples["journey"].n / (rounds * (slots.slot_s - slots.cut_s))
    expected = littles_law_rate(evidence, samples, profile.load.peak_users / 2)
    return Check(
        f"request rate of {arm}",
        f"{rate:.1f}/s",
        f"{expected:.1f}/s ± {100 * profile.validity.rate_tolerance:g} %",
        abs(rate / expected - 1) <= profile.validity.rate_tolerance,
        "Little's law over the arm's users, declared think time and measured latency",
    )


def _distortion(evidence: Evidence, slots: Slots, rounds: int, arm: Arm) -> Iterator[Check]:
    limit_s = evidence.manifest.profile.validity.distortion_p99
    found = counted(evidence, slots, rounds, DISTORTION)
    total = merge(one.interval.histogram for one in found if one.arm == arm)
    if total.n:
        p99_ms = quantile(total.values_us, total.counts, 0.99) / 1000
        yield Check(
            f"distortion p99 of {arm}",
            f"{p99_ms:.1f} ms",
            f"≤ {format_duration(limit_s)}",
            p99_ms <= 1000 * limit_s,
            "client time minus the server's own" + stolen(evidence),
        )


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
