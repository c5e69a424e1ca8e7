"""Slots in which head alone got no good answer: a head that hangs or dies half-way is a FAIL.

Latency rows cannot say it, because users who wait for an answer begin nothing that could be
measured, and no test of shares can, where slots are empty.
"""

from collections.abc import Callable, Iterator

import numpy as np

from analysis.paired.rounds import Rounds
from analysis.words.values import Breach
from recording.arrays import Ints
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
    count = rounds.count
    good = _requests(rounds, lambda outcome: outcome in EXPECTED_OUTCOMES)
    young = _requests(rounds, lambda outcome: outcome == UNANSWERED)[ARMS.index(HEAD)]
    base, head = good == 0
    dead = np.flatnonzero(head & ~np.maximum.accumulate(young > 0))
    failures = {key: n[ARMS.index(HEAD)].sum() for key, n in rounds.requests_and_cut.items()}
    failures = {key: n for key, n in failures.items() if is_failure(key[1]) and n}
    if base.any() or not failures or len(dead) < max(2.0, DEAD_SHARE * count):
        return
    step, how = max(failures, key=lambda key: failures[key])
    yield Breach(
        rule=f"slots of head without a good answer < {100 * DEAD_SHARE:g} %",
        subject=JOURNEY,
        metric="slots of head without a good answer",
        actual=100 * len(dead) / count,
        required=f"< {100 * DEAD_SHARE:g}",
        unit="%",
        because=(
            f"{len(dead)} of {count}, from round {dead[0] + 1} on, and none of base's; "
            f"most failures of head: {failures[step, how]} of {step}, {how}"
        ),
    )


def _requests(rounds: Rounds, wanted: Callable[[str], bool]) -> Ints:
    """Those with an outcome that is wanted, [arm, round]; all that began in a slot."""
    nothing = np.zeros((2, rounds.count), np.int64)
    found = (n for (_, outcome), n in rounds.requests_and_cut.items() if wanted(outcome))
    return sum(found, nothing)
