"""Why a look may not PASS although its rows do: head was not measured as base was.

Such a head can still FAIL. Nothing here is a statistic of latency: it says that latency would not
mean what it seems to.
"""

from collections.abc import Iterator

from analysis.evidence.begun import never_told
from analysis.evidence.orders import IN_WORDS, Reconciliation, reconcile
from analysis.evidence.requests import MAX_ERROR_SHARE, Sample
from analysis.paired.rounds import Rounds
from analysis.paired.validity import arm_checks
from recording.slots import BASE, HEAD


def against_pass(rounds: Rounds, control: tuple[str, ...], worse_by: float) -> Iterator[str]:
    """One sentence for each reason; `worse_by` is the error share, in points, that matters."""
    evidence, samples = rounds.evidence, rounds.samples
    for step, head in samples[HEAD].items():
        yield from _failures(step, samples[BASE].get(step), head, worse_by)
    for step in control:
        answered = [samples[arm].get(step) for arm in (BASE, HEAD)]
        if not all(sample and sample.n for sample in answered):
            yield f"{step} is the control, and not both arms answered it"
    if evidence.is_ours(HEAD) and HEAD not in evidence.ledgers:
        yield "head left no ledger: whether it lost orders is not known"
    yield from _orders(reconcile(evidence, BASE), reconcile(evidence, HEAD))
    if untold := never_told(evidence):
        yield untold
    base, head_checks = (list(arm_checks(rounds, arm)) for arm in (BASE, HEAD))
    if all(check.ok for check in base):
        yield from (f"head alone: {check}" for check in head_checks if not check.ok)


def _orders(base: Reconciliation | None, head: Reconciliation | None) -> Iterator[str]:
    """More orders lost than by a base that loses some too: no breach, for that may be chance."""
    for what, in_words in IN_WORDS.items():
        before, now = (len(getattr(arm, what, ())) for arm in (base, head))
        if now > before:
            yield f"{now} orders of head are {in_words} ({before} of base)"


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
