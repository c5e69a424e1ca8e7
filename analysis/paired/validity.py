"""Is a paired run evidence? The checks of any run, over the judged rounds, and those of an arm.

Base is the yardstick: the same generator loads both arms in turn, so what is wrong with base's
slots is wrong with the bench, and the run is INVALID. What is wrong with head's slots alone is
head's own doing, and must not hide a regression behind INVALID: it stands against a PASS
(``against_pass.py``).
"""

from collections.abc import Iterator

import numpy as np

from analysis.evidence.requests import MAX_ERROR_SHARE, Sample
from analysis.evidence.run import Evidence
from analysis.evidence.sampling import samples_taken, unwell
from analysis.paired.arm_checks import arm_checks
from analysis.paired.counting import arm_samples, completed_rounds, counted, judged_part
from analysis.paired.look import plan_of
from analysis.paired.restarts import restarts_of_base
from analysis.single.checks import completeness, damage, ending, generator, host
from analysis.words.values import NO_DATA, Check
from recording.slots import ARMS, BASE, Slots


def check_run(evidence: Evidence, rounds: int) -> tuple[Check, ...]:
    """Every check of a paired run whose first `rounds` rounds are judged."""
    checks = [ending(evidence), *damage(evidence)]
    if evidence.manifest.source == "loadgate":
        checks += completeness(evidence)
    slots = evidence.slots
    checks += [_timetable(evidence, slots), _rounds(evidence, slots)]
    if slots is None or not rounds:
        return tuple(checks)
    samples = {arm: arm_samples(evidence, slots, rounds, arm) for arm in ARMS}
    part = judged_part(evidence, slots, rounds)
    failing = frozenset.union(*(unwell(evidence, samples[arm], arm) for arm in ARMS))
    checks += [*samples_taken(part, failing), _load_in_slots(evidence, slots, rounds)]
    checks += [_users(evidence, slots, rounds), _errors(samples[BASE]), *_ledger(evidence)]
    checks += [restarts_of_base(evidence)]
    checks += [*generator(part), *host(part)]
    checks += arm_checks(evidence, slots, rounds, BASE, samples[BASE])
    return tuple(checks)


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
        return Check("users", NO_DATA, "present", False)
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


def _ledger(evidence: Evidence) -> Iterator[Check]:
    """What base did with its orders is what head's are held against."""
    if evidence.is_ours(BASE):
        there = BASE in evidence.ledgers
        yield Check("ledger of base", "there" if there else "missing", "there", there)


def _errors(base: dict[str, Sample]) -> Check:
    """Where base fails, there is nothing to compare head with."""
    shares = {step: sample.failure_share for step, sample in base.items()}
    worst = max(shares, key=lambda step: shares[step])
    return Check(
        "failed requests of base",
        f"{100 * shares[worst]:.3g} % ({worst})",
        f"≤ {100 * MAX_ERROR_SHARE:g} %",
        shares[worst] <= MAX_ERROR_SHARE,
        "latency of failures is not what the arms are compared by",
    )
