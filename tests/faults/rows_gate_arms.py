"""What only one arm of a gate shows: its orders and money, and answers that nobody waited for."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from analysis.limits.thresholds import parse_thresholds
from tests.analysis.books import Books
from tests.analysis.gate.paired_recordings import ONE_LOOK, PairedRecording
from tests.faults.fault import Fault, Seen, judged

ORDERS_ONLY = ((("ord-1",), ("ord-1",)), ((), ()))
"""Base's: confirmed and in a ledger that knows no money; head's, where its books say more."""
CHARGED_TWICE = Books(
    payments=(
        ("pay-1", "chk-1", "succeeded", 8999),
        ("pay-2", "chk-2", "succeeded", 1050),
        ("pay-3", "chk-1", "succeeded", 8999),
    )
)
NEVER_CONFIRMS = Books(
    orders=(), items=(), payments=(("pay-1", "chk-1", "succeeded", 8999),),
    given_up=((1.0, "chk-1", "pay-1"),),
)  # fmt: skip
TAIL = """
[journey]
latency = ["p99 < 10 s"]
[regression]
metrics = ["p99.9"]
min_effect = "5 %"
tolerated = "10 %"
floor = "5 ms"
"""


def gated(limits: str = "", **changes: Any) -> Callable[[Path], Seen]:
    """The verdict on a recording of two arms, by these limits or the shipped ones."""
    recording = PairedRecording(looks=ONE_LOOK, **changes)
    read = parse_thresholds(limits) if limits else None
    return lambda folder: judged(recording.write(folder / "run"), read)


def _money() -> Iterator[Fault]:
    yield Fault(
        "gate: base's ledger knows no money", 4, "head charges a customer twice",
        gated(orders=dict(zip(("base", "head"), ORDERS_ONLY, strict=True)),
              books={"head": CHARGED_TWICE}),
        verdict="INCONCLUSIVE", says=r"head has 1 customer charged twice, \S+ \(not known in base",
        fast=False,
    )  # fmt: skip
    yield Fault(
        "gate: head charges and makes no order at all", 4, "its ledger of orders is empty",
        gated(books={"base": Books(), "head": NEVER_CONFIRMS}),
        verdict="FAIL", says="charged and left without an order", fast=False,
    )  # fmt: skip
    yield Fault(
        "gate: nothing confirmed is no 100 %", 4, "no order of head's, on either side",
        gated(books={"base": Books(), "head": NEVER_CONFIRMS}),
        says="head: orders: 0 confirmed to clients, 0 in the ledger\"", fast=False,
    )  # fmt: skip


def _unanswered() -> Iterator[Fault]:
    for share in (0.005, 0.06):
        yield Fault(
            f"gate: head does not answer {100 * share:g} %", 1, "cut off young, in every slot",
            gated(failed={"head": share}, failure="unanswered"), verdict="INCONCLUSIVE",
            says="charge: .{1,5} % of head's requests were cut off unanswered: they may",
            fast=False,
        )  # fmt: skip
    yield Fault(
        "gate: p99.9 rests on what nobody waited for", 1, "0.05 % of head cut off young",
        gated(TAIL, per_slot=2_000, failed={"head": 0.0005}, failure="unanswered"),
        verdict="INCONCLUSIVE", says=r"cut off unanswered: p99\.9 is .{3,20} ms, and may be 5 %",
        fast=False,
    )  # fmt: skip
    yield Fault(
        "gate: base does not answer 3 %", 1, "cut off young, in every slot",
        gated(failed={"base": 0.03}, failure="unanswered"), verdict="INVALID",
        says="unanswered requests of base", fast=False,
    )  # fmt: skip


def _restarts() -> Iterator[Fault]:
    both = dict.fromkeys(("payment-gateway@base", "payment-gateway@head"), 40.0)
    yield Fault(
        "gate: a service of both arms restarts", 6, "their CPU counters begin anew",
        gated(restarted_s=both), verdict="INVALID", says=r'"breaches": \[\],.*restarts of base',
        fast=False,
    )  # fmt: skip
    yield Fault(
        "gate: a service that only head is known of restarts", 4, "base at urls without /metrics",
        gated(restarted_s={"cart-service@head": 40.0}, at_urls=True, orders={},
              unsampled=["cart-service@base"]),
        verdict="FAIL", says="restarted before .{3,9}; of base it is not known", fast=False,
    )  # fmt: skip


ROWS = (*_money(), *_unanswered(), *_restarts())
