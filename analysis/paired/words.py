"""The gate's answer in words and numbers with units."""

from collections.abc import Iterator, Sequence
from math import isnan

from analysis.evidence.orders import IN_WORDS, Reconciliation
from analysis.evidence.processes import restarts_in_words, restarts_of, services_that_restarted
from analysis.evidence.run import Evidence
from analysis.limits.regression import RegressionSettings
from analysis.paired.cost_rows import CostRow
from analysis.regression.latency import LatencyRow
from analysis.words.units import and_more, as_change
from analysis.words.values import Breach, Outcome, show
from recording.slots import HEAD

ORDERS = "orders"
"""The subject of breaches that belong to no row."""
RESTARTS = "restarts"


def percent(ratio: float) -> str:
    """A ratio head/base as a change: ``+20.9 %``; "" where there is none."""
    return "" if isnan(ratio) else as_change(ratio)


def interval_of(row: LatencyRow) -> str:
    """``+17.2 to +24.8 %``; "" where nothing was measured."""
    low, high = 100 * (row.ci_low - 1), 100 * (row.ci_high - 1)
    return f"{low:+.1f} to {high:+.1f} %" if row.judged else ""


def detectable(row: LatencyRow) -> str:
    """The smallest regression that the run would have called FAIL with 80 % probability."""
    return f"{100 * row.smallest_detectable:+.1f} %" if row.judged else ""


def breach_of_row(row: LatencyRow, settings: RegressionSettings) -> Breach:
    """A failing row as a rule that does not hold."""
    limit = 100 * settings.fail_from(row.base)
    interval = f"{100 * settings.confidence:g} % interval {interval_of(row)}"
    return Breach(
        rule=f"{row.metric} of head < {1 + limit / 100:.3g} × base",
        subject=row.subject,
        metric=f"{row.metric} change",
        actual=100 * (row.ratio - 1),
        required=f"< {limit:.3g} %",
        unit="%",
        because=f"p {row.p_holm:.2g} after Holm, {interval}",
    )


def breach_of_cost(row: CostRow) -> Breach:
    """A failing cost as a rule that does not hold."""
    return Breach(
        rule=f"{row.metric} of head not above base's",
        subject=row.subject,
        metric=row.metric,
        actual=row.head,
        required=f"no worse than base's {show(row.base, row.unit)}",
        unit=row.unit,
        because=row.because,
    )


def breaches_of_orders(
    base: Reconciliation | None, head: Reconciliation | None
) -> Iterator[Breach]:
    """Orders that head loses, or keeps from its clients, while base does neither."""
    if head is None or (base and (base.lost or base.unmatched)):
        return
    for what, ids in (("lost", head.lost), ("unmatched", head.unmatched)):
        if ids:
            because = f"{IN_WORDS[what]}, such as {ids[0]}; base has none"
            yield _breach_of_any(what, ORDERS, f"{what} on head", len(ids), because)


def breaches_of_restarts(evidence: Evidence) -> Iterator[Breach]:
    """Services of head that restarted; base's make the bench no evidence."""
    for subject in services_that_restarted(evidence):
        if subject.endswith(f"@{HEAD}"):
            count = len(restarts_of(evidence, subject) or ())
            because = f"{restarts_in_words(evidence, subject)}; base did not"
            yield _breach_of_any(RESTARTS, subject, RESTARTS, count, because)


def _breach_of_any(what: str, subject: str, metric: str, count: int, because: str) -> Breach:
    """Of what may not happen once."""
    return Breach(
        rule=f"{what} == 0",
        subject=subject,
        metric=metric,
        actual=float(count),
        required="0",
        unit="",
        because=because,
    )


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


def summary_of(
    outcome: Outcome,
    rows: Sequence[LatencyRow],
    breaches: Sequence[Breach],
    invalid: Sequence[str],
    unsure: Sequence[str],
    looked: str,
) -> str:
    """One line: the verdict's strongest reason; `looked` is how far, for a PASS."""
    if outcome is Outcome.INVALID:
        return f"This run is not evidence: {invalid[0]}" + and_more(len(invalid))
    if outcome is Outcome.FAIL:
        return f"{breaches[0].subject}: {breach_text(breaches[0])}" + and_more(len(breaches))
    if outcome is Outcome.INCONCLUSIVE:
        return f"Cannot tell: {unsure[0]}" + and_more(len(unsure))
    highest = max((row.ci_high for row in rows), default=1.0)
    return (
        f"No row is slower by what matters {looked}: all {len(rows)} decided, "
        f"no 95 % interval reaches above {percent(highest)}"
    )


def takes(context: dict[str, object]) -> str:
    """What a verdict would take; "" when nobody knows."""
    rounds, requests = context.get("more_rounds_needed"), context.get("more_requests_needed")
    if rounds is None or requests is None:
        return ""
    return (
        f"a verdict would take about {rounds} more rounds ({requests} requests), "
        "were the observed ratios the true ones"
    )


def breach_text(breach: Breach) -> str:
    """What is wrong with the subject, how much, and why that is no chance."""
    actual = breach.shown
    return f"{breach.metric} is {actual}, required {breach.required}: {breach.because}"


def row_outcome(row: LatencyRow) -> str:
    """``PASS``, ``FAIL``, or why it is open."""
    if row.verdict is Outcome.INCONCLUSIVE:
        return f"INCONCLUSIVE ({row.because})"
    return row.verdict.value


def cost_outcome(row: CostRow) -> str:
    """``PASS``, ``FAIL``, or why it is not decided."""
    if row.verdict is Outcome.INCONCLUSIVE:
        return row.because
    return row.verdict.value


NOT_CALIBRATED = "this host has not been calibrated: run `make calibrate`"
