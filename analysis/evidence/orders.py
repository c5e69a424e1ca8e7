"""Order reconciliation: what clients saw confirmed against the shop's own ledger."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf

import numpy as np
import polars as pl

from analysis.evidence.money import books_of
from analysis.evidence.run import Evidence
from analysis.evidence.wrong import Wrong
from analysis.words.units import counted
from recording.events import PHASES_ENDED, WORKER_LOST
from recording.hlog import LATENCY, UNPAIRED
from recording.manifest import DIGESTS_SINCE
from recording.outcomes import OK
from recording.slots import ARMS, Arm

IN_FLIGHT_S = 30.0
"""The seed's allowance: "in-flight during test shutdown … completed within 30 seconds"."""
WORKER_UNREPORTED_S = 15.0
"""Locust declares a worker lost about 5 s after its last sign of life."""
LOST, UNMATCHED = "lost", "unmatched"

_ORDER = ["order_id", "nth"]
_CUT_OFF = ("running", "generator_died", "aborted")
"""Ends of a run that leave requests unrecorded."""
_AFTER = "{} orders of the ledger are of more than 30 s after the stop: its clock is another"


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Both sides' orders; ``in_flight`` are in the ledger only, made within 30 s of the stop, and
    no more than requests for one that never had a good answer.

    ``wrong`` has what is wrong with them, by rule: ``lost``, confirmed to a client and not in the
    ledger; ``unmatched``, in the ledger only and not in flight; and what is wrong in money.
    ``unknown`` has the rules that could not be looked at, and why. Neither has a rule in money
    where the ledger knows none.
    """

    confirmed: int
    in_ledger: int
    in_flight: int
    wrong: Mapping[str, Wrong]
    unknown: Mapping[str, str]
    payments: str = ""
    """One sentence on them; "" where nobody keeps a ledger of them."""

    @property
    def any_wrong(self) -> bool:
        """Whether anything is wrong with them, in any way that was looked at."""
        return any(wrong.n for wrong in self.wrong.values())

    def __str__(self) -> str:
        matched = self.confirmed - self.wrong[LOST].n
        text = f"orders: {self.confirmed:,} confirmed to clients, {self.in_ledger:,} in the ledger"
        if self.confirmed:
            text += f", {100 * matched / self.confirmed:.6g} % reconciled"
        return text + (f" ({self.in_flight} in flight at the stop)" if self.in_flight else "")

    def in_words(self) -> Iterator[str]:
        """A sentence on all orders, and one on each thing that is wrong with them."""
        yield str(self)
        if self.payments:
            yield self.payments
        yield from (f"orders: {wrong}" for wrong in self.wrong.values() if wrong.n)


OrdersOf = Mapping[Arm, Reconciliation | None]
"""Each arm's orders; None where it keeps no ledger of ours."""


def reconcile(evidence: Evidence, arm: str = "") -> Reconciliation | None:
    """Of one arm of a paired run; None when it keeps no ledger that the harness can read.

    Recordings of before do not say whose an order was, and are not reconciled either.
    """
    ledger, confirmed = evidence.ledgers.get(arm), evidence.confirmed
    if ledger is None or (arm and (confirmed["arm"] == "").any()):
        return None
    seen, kept = _numbered(confirmed.filter(pl.col("arm") == arm)), _numbered(ledger.orders)
    lost = seen.join(kept, on=_ORDER, how="anti")["order_id"]
    only = kept.join(seen, on=_ORDER, how="anti")
    in_flight, elsewhen = _in_flight(evidence, arm, only), _after(evidence, only)
    known = pl.concat([in_flight, elsewhen])
    unmatched = only.join(known, on=_ORDER, how="anti")["order_id"]
    wrong = {LOST: _orders(lost, "confirmed to a client but not in the ledger")}
    unknown = {}
    if len(elsewhen) and unmatched.is_empty():
        unknown[UNMATCHED] = _AFTER.format(len(elsewhen))
    else:
        wrong[UNMATCHED] = _orders(unmatched, "in the ledger but never confirmed to a client")
    books = books_of(evidence, arm)
    in_money = dict(books.wrong()) if books else {}
    return Reconciliation(
        confirmed=len(seen),
        in_ledger=len(kept),
        in_flight=len(in_flight),
        wrong=wrong | {rule: bad for rule, bad in in_money.items() if isinstance(bad, Wrong)},
        unknown=unknown | {rule: why for rule, why in in_money.items() if isinstance(why, str)},
        payments=books.in_words() if books else "",
    )


def orders_of_arms(evidence: Evidence) -> OrdersOf:
    """Of both arms of a paired run."""
    return {arm: reconcile(evidence, arm) for arm in ARMS}


def ledger_missing(evidence: Evidence, arm: str) -> str:
    """Which ledger an arm did not leave: "orders", the "payments" that go with them, or ""."""
    ledger = evidence.ledgers.get(arm)
    if ledger is None:
        return "orders"
    return "payments" if ledger.stock is not None and arm not in evidence.payments else ""


def _in_flight(evidence: Evidence, arm: str, only: pl.DataFrame) -> pl.DataFrame:
    """Orders of the ledger alone that were in flight at the stop, or died with a worker."""
    stop_s, t_s = _stop_s(evidence), only["t_s"].to_numpy()
    # What a killed worker had confirmed since its last report died with it.
    lost_s = np.append(np.sort(evidence.times_of(WORKER_LOST)), inf)
    died = pl.Series(lost_s[np.searchsorted(lost_s, t_s)] - t_s <= WORKER_UNREPORTED_S)
    at_stop = pl.col("t_s").is_between(stop_s - IN_FLIGHT_S, stop_s + IN_FLIGHT_S) & ~died
    of_stop = only.filter(at_stop).sort("t_s").tail(_never_answered(evidence, arm))
    return pl.concat([only.filter(died), of_stop])


def _after(evidence: Evidence, only: pl.DataFrame) -> pl.DataFrame:
    """Orders of the ledger alone of a time that is none of this run's: it has another clock."""
    return only.filter(pl.col("t_s") > _stop_s(evidence) + IN_FLIGHT_S)


def _stop_s(evidence: Evidence) -> float:
    """The load stopped with its last phase, or with the recording if it was cut off."""
    return next(iter(evidence.times_of(PHASES_ENDED)), evidence.end_s)


def _never_answered(evidence: Evidence, arm: str) -> int:
    """Requests for an order that had no good answer: no more orders than these can be in flight.

    Any number where they were not recorded: of a generator that died, which is no evidence, and in
    format 1.
    """
    manifest = evidence.manifest
    if manifest.ended in _CUT_OFF or manifest.format < DIGESTS_SINCE:
        return sys.maxsize
    since_s = _stop_s(evidence) - IN_FLIGHT_S - manifest.profile.load.request_timeout
    return sum(
        interval.histogram.n
        for interval in evidence.log.intervals
        if interval.tag.step in evidence.order_steps
        and interval.tag.arm == (arm or UNPAIRED) and interval.tag.kind == LATENCY
        and interval.tag.outcome != OK and interval.start_s + interval.length_s >= since_s
    )  # fmt: skip


def _orders(ids: pl.Series, which: str) -> Wrong:
    return Wrong(len(ids), f"{counted(len(ids), 'order')} {which}", tuple(sorted(ids.to_list())))


def _numbered(orders: pl.DataFrame) -> pl.DataFrame:
    """Each confirmation is an order: one id that many clients got is in the ledger once."""
    return orders.with_columns(nth=pl.int_range(pl.len()).over("order_id"))
