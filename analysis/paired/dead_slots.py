"""Slots in which head alone got no good answer: a head that hangs or dies half-way is a FAIL.

Latency rows cannot say it, because users who wait for an answer begin nothing that could be
measured, and no test of shares can, where slots are empty.
"""

from collections.abc import Iterator

import numpy as np

from analysis.paired.rounds import Rounds
from analysis.regression.data import Bools, Ints
from analysis.words.values import Breach
from recording.outcomes import EXPECTED_OUTCOMES, UNANSWERED, is_failure
from recording.profile import JOURNEY
from recording.slots import ARMS, HEAD

DEAD_SHARE = 0.1
"""Of its slots, from which on it is no chance that all of them were head's: of four that stalls of
the host ruin, all are head's once in 16, and so long a stall is seen in the generator's lag too."""


def breaches_of_dead_slots(rounds: Rounds) -> Iterator[Breach]:
    """One breach where head got no good answer in a tenth of its slots, base in each of its own.

    A slot counts only before head's first request that was cut off young: how that one would have
    ended is not known. Head must also have failed: a slot empty for no reason proves nothing.
    """
    counts, total = rounds.requests_and_cut, rounds.count
    failures = {(step, how): n[ARMS.index(HEAD)] for (step, how), n in counts.items()}
    failures = {key: n for key, n in failures.items() if is_failure(key[1]) and n.any()}
    base, head = _without_good_answer(counts, total)
    dead = np.flatnonzero(head & ~_undecided(counts, total))
    if base.any() or not failures or len(dead) < max(2.0, DEAD_SHARE * total):
        return
    step, how = max(failures, key=lambda key: int(failures[key].sum()))
    yield Breach(
        rule=f"slots of head without a good answer < {100 * DEAD_SHARE:g} %",
        subject=JOURNEY,
        metric="slots of head without a good answer",
        actual=100 * len(dead) / total,
        required=f"< {100 * DEAD_SHARE:g}",
        unit="%",
        because=(
            f"{len(dead)} of {total}, from round {dead[0] + 1} on, and none of base's; "
            f"most failures of head: {failures[step, how].sum()} of {step}, {how}"
        ),
    )


def _without_good_answer(counts: dict[tuple[str, str], Ints], rounds: int) -> Bools:
    """[arm, round]: whether nothing that began in the slot was answered as the plan asks for."""
    good = [n for (_, outcome), n in counts.items() if outcome in EXPECTED_OUTCOMES]
    return np.sum(good, axis=0) == 0 if good else np.ones((2, rounds), bool)


def _undecided(counts: dict[tuple[str, str], Ints], rounds: int) -> Bools:
    """[round]: whether a request of head was cut off young in this slot, or in one before."""
    young = [n[ARMS.index(HEAD)] for (_, outcome), n in counts.items() if outcome == UNANSWERED]
    return np.maximum.accumulate(np.sum(young, axis=0) > 0) if young else np.zeros(rounds, bool)
