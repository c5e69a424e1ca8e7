"""analysis/evidence/money.py: each way in which orders and payments may not add up, to the cent."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from analysis.judge import judge
from analysis.limits.thresholds import parse_thresholds
from analysis.words.values import Outcome, Verdict
from tests.analysis.books import Books
from tests.analysis.recordings import SMALL, Recording

RULES = (
    "lost", "unmatched", "orders_without_payment", "double_charges", "oversold", "amount_mismatch",
    "charged_not_confirmed",
)  # fmt: skip
LIMITS = "[orders]\norders = [{}]\n".format(", ".join(f'"{rule} == 0"' for rule in RULES))
CONFIRMED = ("ord-1", "ord-2")
PAID = Books().payments or ()
DOUBLE = [("pay-4", "chk-1", "succeeded", 8999), ("pay-5", "chk-2", "succeeded", 8998)]
STOP_S = float(SMALL["end_s"])


def judged(folder: Path, books: Books | None, **more: Any) -> Verdict:
    """The verdict on a recording with these ledgers, for which orders are required."""
    small = SMALL | ({"ledger": None} if books else {})
    made = Recording(**small, orders=CONFIRMED, books=books, judged=("orders",), **more)
    return judge(made.write(folder / "run"), parse_thresholds(LIMITS, "made.toml"))


def wrong(verdict: Verdict) -> dict[str, tuple[float, str]]:
    """What broke: rule, how much, and why."""
    return {breach.metric: (breach.actual, breach.because) for breach in verdict.breaches}


def test_books_that_add_up_pass_every_rule(tmp_path: Path) -> None:
    """Seven rules decided; a declined charge is no payment, and the last piece may be sold."""
    verdict = judged(tmp_path, Books())
    assert verdict.verdict is Outcome.PASS, verdict.summary
    assert [row.outcome for row in verdict.rows] == [Outcome.PASS] * len(RULES)
    assert "payments: 2 succeeded, $100.49" in verdict.findings


@pytest.mark.parametrize(
    ("changes", "rule", "actual", "because"),
    [
        # confirmed, and paid by a card that was declined
        (
            {"payments": [PAID[0], ("pay-2", "chk-2", "card_declined", 1050)]},
            "orders_without_payment", 1, "1 order without a payment that succeeded, $10.50: ord-2",
        ),
        # confirmed with the payment of another checkout
        (
            {"payments": [PAID[0], ("pay-2", "chk-9", "succeeded", 1050)]},
            "orders_without_payment", 1, "1 order without a payment that succeeded, $10.50: ord-2",
        ),
        (
            {"payments": [*PAID, *DOUBLE]},
            "double_charges", 2, "2 customers charged twice, $179.97: chk-1, chk-2",
        ),
        (
            {"payments": [*PAID, DOUBLE[0], ("pay-6", "chk-1", "succeeded", 1)]},
            "double_charges", 2,
            "1 customer charged more than once, 2 charges too many, $90.00: chk-1",
        ),
        (
            {"stock": [("SKU-1", 1), ("SKU-2", 5)]},
            "oversold", 2, "2 pieces of 1 SKU sold beyond the stock: SKU-1",
        ),
        (
            {"payments": [(*PAID[0][:3], 9000), (*PAID[1][:3], 50)]},
            "amount_mismatch", 2, "2 orders paid with another amount, $10.01 apart: ord-1, ord-2",
        ),
        (
            {"payments": [*PAID, ("pay-8", "chk-8", "succeeded", 123_456)],
             "given_up": [(STOP_S - 0.1, "chk-8", "pay-8")]},
            "charged_not_confirmed", 1,
            "1 customer charged and left without an order, $1,234.56: chk-8",
        ),
    ],
)  # fmt: skip
def test_what_does_not_add_up_is_counted_in_money(
    tmp_path: Path, changes: Mapping[str, Any], rule: str, actual: float, because: str
) -> None:
    """One rule breaks, and no other; the finding says the same."""
    verdict = judged(tmp_path, Books(**changes))
    assert verdict.verdict is Outcome.FAIL
    assert wrong(verdict) == {rule: (actual, because)}
    assert f"orders: {because}" in verdict.findings


@pytest.mark.parametrize(
    ("given_up", "payment"),
    [
        # the load stopped before the client did
        ((STOP_S + 0.1, "chk-8", "pay-8"), ("pay-8", "chk-8", "succeeded", 100)),
        # not charged
        ((3.0, "chk-8", "pay-8"), ("pay-8", "chk-8", "card_declined", 100)),
        # asked to confirm with what it did not pay with
        ((3.0, "chk-8", "pay-7"), ("pay-8", "chk-8", "succeeded", 100)),
        # not seen by the client, and an order all the same
        ((3.0, "chk-2", "pay-2"), ("pay-9", "chk-9", "card_declined", 100)),
    ],
)
def test_who_was_not_kept_from_an_order_is_not_counted(
    tmp_path: Path, given_up: tuple[float, str, str], payment: tuple[str, str, str, int]
) -> None:
    """Neither who was still asking at the stop, nor who did not pay, nor who has an order."""
    verdict = judged(tmp_path, Books(payments=[*PAID, payment], given_up=[given_up]))
    assert verdict.verdict is Outcome.PASS, verdict.summary


def test_who_pays_and_leaves_is_a_finding(tmp_path: Path) -> None:
    """By the funnel, and by no fault of the shop's."""
    verdict = judged(tmp_path, Books(payments=[*PAID, ("pay-8", "chk-8", "succeeded", 100)]))
    assert verdict.verdict is Outcome.PASS, verdict.summary
    said = "payments: 3 succeeded, $101.49; 1 customer left before they asked to confirm"
    assert said in verdict.findings


@pytest.mark.parametrize(
    ("books", "open_rules"),
    [
        (Books(payments=None), {*RULES} - {"lost", "unmatched", "oversold"}),
        (Books(given_up=None), {"charged_not_confirmed"}),
    ],
)
def test_without_a_ledger_of_payments_nothing_passes(
    tmp_path: Path, books: Books, open_rules: set[str]
) -> None:
    """No data where there could have been some: neither zero nor a PASS."""
    verdict = judged(tmp_path, books)
    assert verdict.verdict is Outcome.INCONCLUSIVE
    found = {row.measurement.metric: row for row in verdict.rows}
    assert {rule for rule, row in found.items() if row.outcome is not Outcome.PASS} == open_rules
    assert all(row.because.startswith("no data: no") for row in found.values() if row.because)


def test_a_ledger_of_before_is_judged_as_before(tmp_path: Path) -> None:
    """It knows no money: the rules on it are shown, and count for nothing."""
    verdict = judged(tmp_path, None)
    assert verdict.verdict is Outcome.PASS, verdict.summary
    rows = {row.measurement.metric: row for row in verdict.rows}
    assert [rule for rule in RULES if rows[rule].applies] == ["lost", "unmatched"]
    assert rows["double_charges"].because == "no data: this run's recording says nothing of them"


@pytest.mark.parametrize("poison", ["'many'", "NULL", "1.5"])
def test_a_spoilt_ledger_of_payments_is_no_evidence(tmp_path: Path, poison: str) -> None:
    """As one of orders; the run was closed with it."""

    class Spoilt(Books):
        def write(self, run: Any, arm: str = "") -> None:
            super().write(run, arm)
            with closing(sqlite3.connect(run.payments_of(arm))) as ledger:
                ledger.execute("ALTER TABLE payments RENAME TO sound")
                ledger.execute("CREATE TABLE payments AS SELECT * FROM sound")
                ledger.execute(f"UPDATE payments SET amount_cents = {poison}")
                ledger.commit()

    verdict = judged(tmp_path, Spoilt())
    assert verdict.verdict is Outcome.INVALID
    assert "payments.sqlite: no payment: " in verdict.summary
