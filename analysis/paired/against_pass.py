"""Why a look may not PASS although its rows do: head was not measured as base was.

Such a head can still FAIL. Nothing here is a statistic of latency: it says that latency would not
mean what it seems to.
"""

from collections.abc import Iterator
from math import inf

from analysis.evidence.begun import never_told, raised
from analysis.evidence.orders import OrdersOf, Reconciliation, ledger_missing
from analysis.evidence.requests import MAX_ERROR_SHARE, Sample
from analysis.limits.regression import GateSettings
from analysis.paired.rounds import Rounds
from analysis.paired.validity import arm_checks
from recording.slots import BASE, HEAD


def against_pass(
    rounds: Rounds, control: tuple[str, ...], settings: GateSettings, orders: OrdersOf
) -> Iterator[str]:
    """One sentence for each reason."""
    evidence, samples = rounds.evidence, rounds.samples
    for step, head in samples[HEAD].items():
        yield from _failures(step, samples[BASE].get(step), head, settings.costs.error_rate)
        yield from _unanswered(step, head, settings)
    for step in control:
        answered = [samples[arm].get(step) for arm in (BASE, HEAD)]
        if not all(sample and sample.n for sample in answered):
            yield f"{step} is the control, and not both arms answered it"
    if evidence.is_ours(HEAD) and (missing := ledger_missing(evidence, HEAD)):
        yield f"head left no ledger of its {missing}: what is wrong with them is not known"
    yield from _orders(orders[BASE], orders[HEAD])
    yield from filter(None, (never_told(evidence), raised(evidence)))
    base, head_checks = (list(arm_checks(rounds, arm)) for arm in (BASE, HEAD))
    if all(check.ok for check in base):
        yield from (f"head alone: {check}" for check in head_checks if not check.ok)


def _orders(base: Reconciliation | None, head: Reconciliation | None) -> Iterator[str]:
    """More wrong than with a base's that has some too: no breach, for that may be chance.

    What is known of base's orders must be known of head's.
    """
    before, now = (arm.wrong if arm else {} for arm in (base, head))
    for what, wrong in now.items():
        known = before[what].n if what in before else 0
        if wrong.n > known:
            yield f"head has {wrong.words} ({known if what in before else 'not known'} in base)"
    if head and (unknown := [*before.keys() - now.keys()]):
        yield f"head's ledgers do not say what base's do: {', '.join(sorted(unknown))}"


def _failures(step: str, base: Sample | None, head: Sample, worse_by: float) -> Iterator[str]:
    """Too many of head's requests failed, or surely more than of base's."""
    before, share = (100 * sample.failure_share if sample else 0.0 for sample in (base, head))
    failed = f"{step}: {share:.3g} % of head's requests failed ({before:.3g} % of base's)"
    if share > 100 * MAX_ERROR_SHARE >= before:
        yield f"{failed}, so its latency means nothing"
        return
    highest = base.measure("error_rate").ci_high if base else None
    lowest = head.measure("error_rate").ci_low
    if share - before >= worse_by and (highest is None or (lowest or 0.0) > highest):
        yield f"{failed}: a request that fails fast is not a fast request"


def _unanswered(step: str, head: Sample, settings: GateSettings) -> Iterator[str]:
    """So many of head's requests were cut off young that what became of them could matter."""
    share = 100 * head.undecided / head.n if head.n else 0.0
    cut_off = f"{step}: {share:.3g} % of head's requests were cut off unanswered"
    if share >= settings.costs.error_rate:
        yield f"{cut_off}: they may all have failed"
        return
    for metric in settings.latency.metrics if share else ():
        found, more = head.measure(metric), settings.latency.min_effect
        if found.at_least and (found.highest or inf) > (1 + more) * found.value:
            yield f"{cut_off}: {metric} is {found.shown}, and may be {100 * more:g} % more"
