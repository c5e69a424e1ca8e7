"""Is a paired run evidence? The checks of any run, over the judged rounds, and those of an arm.

Base is the yardstick: the same generator loads both arms in turn, so what is wrong with base's
slots is wrong with the bench, and the run is INVALID. What is wrong with head's slots alone is
head's own doing, and must not hide a regression behind INVALID: it stands against a PASS
(``against_pass.py``).
"""

from collections.abc import Iterator

import numpy as np

from analysis.evidence.distance import ADDED, beyond_the_way
from analysis.evidence.orders import ledger_missing
from analysis.evidence.processes import restarts_in_words, services_that_restarted
from analysis.evidence.requests import MAX_ERROR_SHARE, Sample
from analysis.evidence.run import Evidence
from analysis.evidence.sampling import samples_taken, unwell
from analysis.evidence.stalls import undisturbed
from analysis.paired.rounds import Rounds
from analysis.single.by_name import unknown_by_name
from analysis.single.checks import (
    completeness,
    damage,
    distortion_check,
    ending,
    generator,
    host,
    share_check,
)
from analysis.single.delivery import journey_is_closed, rate_check
from analysis.words.values import NO_DATA, Check
from recording.histogram import merge
from recording.metric_names import CPU, LOCUST, USERS
from recording.profile import JOURNEY
from recording.slots import ARMS, BASE, Arm

MAX_UNANSWERED_SHARE = 0.001
"""Of base's requests that were cut off young: up to here its p99 moves to its p99.1 at most."""


def check_run(rounds: Rounds) -> tuple[Check, ...]:
    """Every check of a paired run that is judged by these rounds."""
    evidence = rounds.evidence
    checks = [ending(evidence), *damage(evidence)]
    if evidence.manifest.source == "loadgate":
        checks += completeness(evidence)
    checks += [_timetable(rounds), _rounds(evidence)]
    if not rounds.count:
        return tuple(checks)
    failing = frozenset.union(*(unwell(evidence, rounds.samples[arm], arm) for arm in ARMS))
    checks += [*samples_taken(rounds.part, failing), _load_in_slots(rounds), _users(rounds)]
    checks += [_errors(rounds.samples[BASE]), _unanswered(rounds.samples[BASE])]
    if evidence.is_ours(BASE):  # what base did with its orders is what head's are held against
        missing = ledger_missing(evidence, BASE)
        hint = f"that of its {missing}" if missing else ""
        said = "missing" if missing else "there"
        checks.append(Check("ledger of base", said, "there", not missing, hint))
    checks += [*unknown_by_name(evidence), _restarts(evidence)]
    checks += [*generator(rounds.part), *host(rounds.part), *arm_checks(rounds, BASE)]
    return tuple(checks)


def arm_checks(rounds: Rounds, arm: Arm) -> Iterator[Check]:
    """Request rate, distortion, and the CPU of its mocks, of either arm in its own slots."""
    evidence, samples = rounds.evidence, rounds.samples[arm]
    if not samples[JOURNEY].n:
        yield Check(f"counted requests of {arm}", "0", "> 0", False)
        return
    if journey_is_closed(evidence):
        intervals = [i for i in evidence.log.intervals if i.tag.arm == arm]
        windows = rounds.windows_s(arm, counted=True)
        users = evidence.manifest.profile.load.peak_users / 2
        yield rate_check(evidence, f"request rate of {arm}", intervals, windows, samples, users)
    answered_all_the_time, left = undisturbed(evidence), beyond_the_way(evidence)
    total = merge(
        left(interval)
        for kind in ADDED
        for _, interval in rounds.counted(kind)
        if interval.tag.arm == arm and answered_all_the_time(interval)
    )
    name, answered = f"distortion p99 of {arm}", samples[JOURNEY].answered
    yield from distortion_check(evidence, name, total, arm, answered=answered)
    if evidence.is_ours(arm):  # a real service may use all the cores it has
        yield from _mocks(rounds, arm)


def _mocks(rounds: Rounds, arm: Arm) -> Iterator[Check]:
    """CPU of an arm's mocks in its own slots, when they have work."""
    limit = rounds.evidence.manifest.profile.validity.mock_cpu
    borders_s = np.array(rounds.windows_s(arm))
    for service in rounds.evidence.services.subjects:
        t_s, cpu_s = rounds.series.get(f"{service}@{arm}", CPU)
        if t_s.size >= 2:
            used = np.diff(np.interp(borders_s, t_s, cpu_s), axis=1).mean() / rounds.slots.slot_s
            name = f"CPU of the {service}@{arm} mock in its slots"
            yield share_check(name, float(used), limit, "of one core", "it measures itself")


def _timetable(rounds: Rounds) -> Check:
    """Whether the slots that the statistics stand on were there, in an order that carries them."""
    if not rounds.started:
        stopped = rounds.evidence.manifest.ended == "interrupted"
        return Check("slots", "never started", "started", stopped)
    fits = rounds.plan is not None
    hint = "unless each arm goes first in half of the rounds, drift looks like a regression"
    return Check("order of the arms", "balanced" if fits else "not", "balanced", fits, hint)


def _rounds(evidence: Evidence) -> Check:
    """A run that was stopped in good order may be too short; any other may not."""
    gate, done = evidence.manifest.profile.gate, Rounds.recorded(evidence).count
    first = gate.looks[0] if gate else 1
    stopped = evidence.manifest.ended == "interrupted"
    least = 0 if stopped else first
    hint = "the first look was not reached"
    return Check("completed rounds", f"{done}", f"≥ {least}", done >= least, hint)


def _load_in_slots(rounds: Rounds) -> Check:
    """Head may be so slow that a slot of its own stays empty; base may not."""
    requests = np.sum([n[0, ARMS.index(BASE)] for n in rounds.requests.values()], axis=0)
    loaded, count = int(np.count_nonzero(requests)), rounds.count
    return Check("rounds with load on base", f"{loaded}", f"{count}", loaded == count)


def _users(rounds: Rounds) -> Check:
    """The users of both arms are there all the time, whoever has the turn."""
    evidence = rounds.evidence
    t_s, users = evidence.load.get(LOCUST, USERS)
    planned = float(evidence.manifest.profile.load.peak_users)
    tolerance = evidence.manifest.profile.validity.users_tolerance
    if not t_s.size:
        return Check("users", NO_DATA, "present", False)
    slots_s = (window for arm in ARMS for window in rounds.windows_s(arm))
    worst = min(_mean_between(t_s, users, *window) for window in slots_s)
    allowed, fits = f"{planned:.0f} ± {100 * tolerance:g} %", abs(worst / planned - 1) <= tolerance
    return Check("users in the emptiest slot", f"{worst:.0f}", allowed, fits)


def _mean_between(t_s: np.ndarray, values: np.ndarray, start_s: float, end_s: float) -> float:
    """Mean of the samples of a stretch; without any, the last one before it."""
    inside = (t_s >= start_s) & (t_s < end_s)
    if inside.any():
        return float(values[inside].mean())
    before = int(np.searchsorted(t_s, start_s)) - 1
    return float(values[before]) if before >= 0 else 0.0


def _errors(base: dict[str, Sample]) -> Check:
    """Where base fails, there is nothing to compare head with."""
    worst = max(base.values(), key=lambda sample: sample.failure_share)
    actual, most = f"{100 * worst.failure_share:.3g} % ({worst.subject})", MAX_ERROR_SHARE
    hint = "latency of failures is not what the arms are compared by"
    fits = worst.failure_share <= most
    return Check("failed requests of base", actual, f"≤ {100 * most:g} %", fits, hint)


def _unanswered(base: dict[str, Sample]) -> Check:
    """What base took is not known where it was not waited for; head's stand against a PASS."""
    worst = max(base.values(), key=lambda sample: sample.undecided / max(1, sample.n))
    share = worst.undecided / max(1, worst.n)
    actual = f"{100 * share:.3g} % ({worst.subject})"
    hint = "against answers that nobody waited for head looks slower than it is"
    fits = share <= MAX_UNANSWERED_SHARE
    required = f"≤ {100 * MAX_UNANSWERED_SHARE:g} %"
    return Check("unanswered requests of base", actual, required, fits, hint)


def _restarts(evidence: Evidence) -> Check:
    """Whether what head is held against stayed up."""
    subjects = [s for s in services_that_restarted(evidence) if s.endswith(f"@{BASE}")]
    when = "; ".join(f"{subject} {restarts_in_words(evidence, subject)}" for subject in subjects)
    hint = "a base that restarts is no measure for head"
    return Check("restarts of base", when or "none", "none", not subjects, hint)
