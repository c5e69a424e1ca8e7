"""Orders judged in money: the shop's ledger of orders against its ledger of payments."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from analysis.evidence.run import Evidence
from analysis.evidence.wrong import Wrong
from analysis.words.units import counted, dollars
from recording.events import PHASES_ENDED

_CHARGE = ["payment_id", "checkout_id"]
Found = tuple[str, Wrong | str]
"""A rule, and what is wrong by it, or why that is not known."""


@dataclass(frozen=True, slots=True)
class Books:
    """What is known of the money of one arm's orders.

    ``payments`` are those that succeeded, the earliest first, and ``given_up`` the checkouts that
    clients asked to confirm before the load stopped, and gave up; each None where nobody wrote it.
    """

    orders: pl.DataFrame
    stock: pl.DataFrame
    payments: pl.DataFrame | None
    given_up: pl.DataFrame | None

    def wrong(self) -> Iterator[Found]:
        """By rule."""
        yield "oversold", _oversold(self.stock)
        payments, given_up = self.payments, self.given_up
        if payments is None:
            unknown = "no ledger of the shop's payments"
            yield from ((rule, unknown) for rule in PAYMENT_RULES)
            return
        yield "orders_without_payment", _without_payment(self.orders, payments)
        yield "double_charges", _double_charges(payments)
        yield "amount_mismatch", _amount_mismatch(self.orders, payments)
        if given_up is None:
            yield "charged_not_confirmed", "nobody noted what clients asked to confirm in vain"
        else:
            yield "charged_not_confirmed", _not_confirmed(self.orders, payments, given_up)

    def in_words(self) -> str:
        """How many payments there were, and how many customers paid and left; "" where unknown."""
        if self.payments is None or self.given_up is None:
            return ""
        without_order = self.payments.join(self.orders, on="checkout_id", how="anti")
        left = without_order.join(self.given_up, on="checkout_id", how="anti")
        customers = left["checkout_id"].n_unique()
        text = f"payments: {len(self.payments):,} succeeded, {_dollars(self.payments)}"
        walked = f"; {counted(customers, 'customer')} left before they asked to confirm"
        return text + (walked if customers else "")


PAYMENT_RULES = (
    "orders_without_payment", "double_charges", "amount_mismatch", "charged_not_confirmed",
)  # fmt: skip
MONEY_RULES = (*PAYMENT_RULES, "oversold")


def books_of(evidence: Evidence, arm: str) -> Books | None:
    """None where the ledger of orders knows no money, or there is none."""
    ledger, given_up = evidence.ledgers.get(arm), evidence.unconfirmed
    if ledger is None or ledger.stock is None:
        return None
    if given_up is not None:
        # Who was still asking when the load stopped was not kept from it by the shop.
        stop_s = next(iter(evidence.times_of(PHASES_ENDED)), evidence.end_s)
        given_up = given_up.filter(pl.col("arm") == arm, pl.col("t_s") <= stop_s)
    return Books(ledger.orders, ledger.stock, evidence.payments.get(arm), given_up)


def _without_payment(orders: pl.DataFrame, payments: pl.DataFrame) -> Wrong:
    """A payment is for one order, and one of less than nothing is none: that is money back."""
    nth = pl.int_range(pl.len()).over(_CHARGE).alias("nth")
    paid = payments.filter(pl.col("amount_cents") >= 0).with_columns(nth)
    bad = orders.with_columns(nth).join(paid, on=[*_CHARGE, "nth"], how="anti")
    words = f"{counted(len(bad), 'order')} without a payment that succeeded, {_dollars(bad)}"
    return Wrong(len(bad), words, _ids(bad["order_id"]))


def _double_charges(payments: pl.DataFrame) -> Wrong:
    nth = pl.int_range(pl.len()).over("checkout_id")
    more = payments.filter(pl.col("amount_cents") >= 0).filter(nth > 0)
    customers = _ids(more["checkout_id"].unique())
    words = f"{counted(len(customers), 'customer')} charged "
    if len(more) == len(customers):
        words += f"twice, {_dollars(more)}"
    else:
        words += f"more than once, {len(more)} charges too many, {_dollars(more)}"
    return Wrong(len(more), words, customers)


def _oversold(stock: pl.DataFrame) -> Wrong:
    bad = stock.filter(pl.col("sold") > pl.col("quantity"))
    pieces = sum(bad["sold"].to_list()) - sum(bad["quantity"].to_list())
    words = f"{counted(pieces, 'piece')} of {counted(len(bad), 'SKU')} sold beyond the stock"
    return Wrong(pieces, words, _ids(bad["sku"]))


def _amount_mismatch(orders: pl.DataFrame, payments: pl.DataFrame) -> Wrong:
    both = orders.join(payments, on=_CHARGE, suffix="_paid")
    bad = both.filter(pl.col("amount_cents") != pl.col("amount_cents_paid"))
    amounts = bad["amount_cents"].to_list(), bad["amount_cents_paid"].to_list()
    apart = sum(abs(order - paid) for order, paid in zip(*amounts, strict=True))
    words = f"{counted(len(bad), 'order')} paid with another amount, {dollars(apart)} apart"
    return Wrong(len(bad), words, _ids(bad["order_id"]))


def _not_confirmed(orders: pl.DataFrame, payments: pl.DataFrame, given_up: pl.DataFrame) -> Wrong:
    asked = payments.join(given_up, on=_CHARGE, how="semi")
    bad = asked.join(orders, on="checkout_id", how="anti")
    words = f"{counted(len(bad), 'customer')} charged and left without an order, {_dollars(bad)}"
    return Wrong(len(bad), words, _ids(bad["checkout_id"]))


def _ids(found: pl.Series) -> tuple[str, ...]:
    return tuple(sorted(found.to_list()))


def _dollars(rows: pl.DataFrame) -> str:
    return dollars(sum(rows["amount_cents"].to_list()))
