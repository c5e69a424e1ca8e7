"""What head does worse than base, as rules that do not hold, and what else moved, in words."""

from collections.abc import Callable, Iterator, Sequence
from math import isnan

import numpy as np

from analysis.evidence.orders import LOST, UNMATCHED, Reconciliation
from analysis.evidence.processes import restarts_in_words, restarts_of, services_that_restarted
from analysis.evidence.run import Evidence
from analysis.limits.regression import RegressionSettings
from analysis.paired.cost_rows import CostRow
from analysis.paired.rounds import Rounds
from analysis.regression.latency import LatencyRow
from analysis.words.units import as_change
from analysis.words.values import Breach, Outcome, show
from recording.arrays import Ints
from recording.outcomes import EXPECTED_OUTCOMES, UNANSWERED, is_failure
from recording.profile import JOURNEY
from recording.slots import ARMS, BASE, HEAD

ORDERS = "orders"
"""The subject of breaches that belong to no row."""
RESTARTS = "restarts"
ORDERS_LOST = frozenset({LOST, UNMATCHED})
DEAD_SHARE = 0.1
"""Of its slots, from which on it is no chance that all of them were head's: of four that stalls of
the host ruin, all are head's once in 16, and so long a stall is seen in the generator's lag too."""


def percent(ratio: float) -> str:
    """A ratio head/base as a change: ``+20.9 %``; "" where there is none."""
    return "" if isnan(ratio) else as_change(ratio)


def interval_of(row: LatencyRow) -> str:
    """``+17.2 to +24.8 %``; "" where nothing was measured."""
    low, high = 100 * (row.ci_low - 1), 100 * (row.ci_high - 1)
    return f"{low:+.1f} to {high:+.1f} %" if row.judged else ""


def breach_of_row(row: LatencyRow, settings: RegressionSettings) -> Breach:
    """A failing row as a rule that does not hold."""
    limit = 100 * settings.fail_from(row.base)
    interval = f"{100 * settings.confidence:g} % interval {interval_of(row)}"
    because = f"p {row.p_holm:.2g} after Holm, {interval}"
    rule, change = f"{row.metric} of head < {1 + limit / 100:.3g} × base", 100 * (row.ratio - 1)
    return Breach(
        rule, row.subject, f"{row.metric} change", change, f"< {limit:.3g} %", "%", because
    )


def breach_of_cost(row: CostRow) -> Breach:
    """A failing cost as a rule that does not hold."""
    rule, required = f"{row.metric} of head not above base's", show(row.base, row.unit)
    required = f"no worse than base's {required}"
    return Breach(rule, row.subject, row.metric, row.head, required, row.unit, row.because)


def breaches_of_orders(
    base: Reconciliation | None, head: Reconciliation | None
) -> Iterator[Breach]:
    """What is wrong with head's orders in a way in which nothing is with base's.

    Who loses orders also keeps some from its clients: the two count as one way. Of what base's
    ledgers do not say nobody knows whether base has none.
    """
    if base is None or head is None:
        return
    in_base = {what for what, wrong in base.wrong.items() if wrong.n}
    if in_base & ORDERS_LOST:
        in_base |= ORDERS_LOST
    for what, wrong in head.wrong.items():
        if wrong.n and what in base.wrong and what not in in_base:
            because = f"{wrong}; base has none"
            metric = f"{what} on head"
            yield Breach(f"{what} == 0", ORDERS, metric, float(wrong.n), "0", "", because)


def breaches_of_restarts(evidence: Evidence) -> Iterator[Breach]:
    """Services of head that restarted, and base's did not: those make the bench no evidence."""
    restarted = services_that_restarted(evidence)
    for subject in restarted:
        service, _, arm = subject.rpartition("@")
        if arm == HEAD and f"{service}@{BASE}" not in restarted:
            times = float(len(restarts_of(evidence, subject) or ()))
            told = restarts_of(evidence, f"{service}@{BASE}") is not None
            of_base = "base did not" if told else "of base it is not known"
            because = f"{restarts_in_words(evidence, subject)}; {of_base}"
            yield Breach(f"{RESTARTS} == 0", subject, RESTARTS, times, "0", "", because)


def breaches_of_dead_slots(rounds: Rounds) -> Iterator[Breach]:
    """One breach where head got no good answer in a tenth of its slots, base in each of its own.

    Latency rows cannot say it, because users who wait for an answer begin nothing that could be
    measured, and no test of shares can, where slots are empty.
    A slot counts only before head's first request that was cut off young: how that one would have
    ended is not known. Head must also have failed: a slot empty for no reason proves nothing.
    """
    count = rounds.count
    good = _requests(rounds, lambda outcome: outcome in EXPECTED_OUTCOMES)
    young = _requests(rounds, lambda outcome: outcome == UNANSWERED)[ARMS.index(HEAD)]
    base, head = good == 0
    dead = np.flatnonzero(head & ~np.maximum.accumulate(young > 0))
    failures = {key: n[:, ARMS.index(HEAD)].sum() for key, n in rounds.requests.items()}
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
    return sum((n.sum(0) for (_, how), n in rounds.requests.items() if wanted(how)), nothing)


def faster(rows: Sequence[LatencyRow], settings: RegressionSettings) -> Iterator[str]:
    """What got faster by more than the minimum effect, surely, and not beside the others only."""
    for row in rows:
        if row.ci_high < 1 - settings.min_effect and row.raw_high < 1:
            change = f"{percent(row.ratio)} ({interval_of(row)})"
            yield f"{row.subject} {row.metric} got faster: {change}"


def slower_within_tolerance(rows: Sequence[LatencyRow]) -> Iterator[str]:
    """What is surely slower and still no FAIL: below the minimum effect, or the floor in ms."""
    for row in rows:
        if row.proven and row.verdict is not Outcome.FAIL:
            change = f"{percent(row.ratio)} ({interval_of(row)}), {show(row.change, 'ms')}"
            yield f"{row.subject} {row.metric} is slower, by less than matters here: {change}"
