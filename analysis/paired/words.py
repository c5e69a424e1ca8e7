"""The gate's answer in words and numbers with units."""

from collections.abc import Iterator, Sequence

from analysis.evidence.orders import IN_WORDS, Reconciliation
from analysis.paired.cost_rows import CostRow
from analysis.regression.data import GateResult, GateRow, GateVerdict, RegressionSettings
from analysis.words.units import and_more, as_change
from analysis.words.values import NO_DATA, Breach, Outcome, show

ORDERS = "orders"
"""The subject of breaches that belong to no row."""


def percent(ratio: float | None) -> str:
    """A ratio head/base as a change: ``+20.9 %``; "" where there is none."""
    return "" if ratio is None else as_change(ratio)


def interval_of(row: GateRow) -> str:
    """``+17.2 to +24.8 %``; "" where nothing was measured."""
    if row.ci_low is None or row.ci_high is None:
        return ""
    return f"{100 * (row.ci_low - 1):+.1f} to {100 * (row.ci_high - 1):+.1f} %"


def detectable(row: GateRow) -> str:
    """The smallest regression that the run would have called FAIL with 80 % probability."""
    return "" if row.smallest_detectable is None else f"{100 * row.smallest_detectable:+.1f} %"


def breach_of_row(row: GateRow, settings: RegressionSettings) -> Breach:
    """A failing row as a rule that does not hold."""
    assert row.ratio is not None  # a row FAILs by its ratio
    assert row.base_ms is not None
    limit = 100 * max(settings.min_effect, settings.floor_ms / row.base_ms)
    return Breach(
        rule=f"{row.metric} of head < {1 + limit / 100:.3g} × base",
        subject=row.endpoint,
        metric=f"{row.metric} change",
        actual=100 * (row.ratio - 1),
        required=f"< {limit:.3g} %",
        unit="%",
        because=(
            f"p {row.p_holm:.2g} after Holm, "
            f"{100 * settings.confidence:g} % interval {interval_of(row)}"
        ),
    )


def breach_of_cost(row: CostRow) -> Breach:
    """A failing cost as a rule that does not hold."""
    return Breach(
        rule=f"{row.metric} of head not above base's",
        subject=row.subject,
        metric=row.metric,
        actual=float("nan") if row.head is None else row.head,
        required="no worse than base's " + show_cost(row.base, row.unit),
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
            yield Breach(
                rule=f"{what} == 0",
                subject=ORDERS,
                metric=f"{what} on head",
                actual=float(len(ids)),
                required="0",
                unit="",
                because=f"{IN_WORDS[what]}, such as {ids[0]}; base has none",
            )


def show_cost(value: float | None, unit: str) -> str:
    """A cost with its unit; ``no data`` where there is none."""
    return NO_DATA if value is None else show(value, unit)


def faster(rows: Sequence[GateRow], settings: RegressionSettings) -> Iterator[str]:
    """What got faster by more than the minimum effect, surely, and not beside the others only."""
    for row in rows:
        surely = row.ci_high is not None and row.ci_high < 1 - settings.min_effect
        if surely and row.raw_high is not None and row.raw_high < 1:
            change = f"{percent(row.ratio)} ({interval_of(row)})"
            yield f"{row.endpoint} {row.metric} got faster: {change}"


def slower_within_tolerance(result: GateResult) -> Iterator[str]:
    """What is surely slower and still no FAIL: below the minimum effect, or the floor in ms."""
    for row in result.rows:
        if row.proven and row.verdict is not GateVerdict.FAIL:
            change = f"{percent(row.ratio)} ({interval_of(row)}), {show(row.shift_ms or 0.0, 'ms')}"
            yield f"{row.endpoint} {row.metric} is slower, by less than matters here: {change}"


def summary_of(
    outcome: Outcome,
    rows: Sequence[GateRow],
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
    highest = max((row.ci_high for row in rows if row.ci_high is not None), default=1.0)
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


def row_outcome(row: GateRow) -> str:
    """``PASS``, ``FAIL``, or why it is open."""
    if row.verdict is GateVerdict.INCONCLUSIVE:
        return f"INCONCLUSIVE ({row.because})"
    return row.verdict.value


def cost_outcome(row: CostRow) -> str:
    """``PASS``, ``FAIL``, or why it is not decided."""
    if row.verdict is GateVerdict.INCONCLUSIVE:
        return row.because or "not decided"
    return row.verdict.value


NOT_CALIBRATED = "this host has not been calibrated: run `make calibrate`"
