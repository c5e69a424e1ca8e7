"""Order reconciliation: what clients saw confirmed against the shop's own ledger."""

from dataclasses import dataclass

import polars as pl

from analysis.evidence.run import Evidence
from recording.events import PHASES_ENDED, WORKER_LOST

IN_FLIGHT_S = 30.0
"""The seed's allowance: "in-flight during test shutdown … completed within 30 seconds"."""
WORKER_UNREPORTED_S = 15.0
"""Locust declares a worker lost about 5 s after its last sign of life."""
IN_WORDS = {
    "lost": "confirmed to a client but not in the ledger",
    "unmatched": "in the ledger but never confirmed to a client",
}

_ORDER = ["order_id", "nth"]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Both sides' orders. ``lost``: confirmed to a client, not in the ledger. ``in_flight``: in
    the ledger only, made within 30 s of the stop. ``unmatched``: in the ledger only, earlier."""

    confirmed: int
    in_ledger: int
    lost: tuple[str, ...]
    in_flight: int
    unmatched: tuple[str, ...]

    def __str__(self) -> str:
        matched = self.confirmed - len(self.lost)
        share = 100 * matched / self.confirmed if self.confirmed else 100.0
        text = (
            f"orders: {self.confirmed} confirmed to clients, {self.in_ledger} in the ledger, "
            f"{share:.6g} % reconciled"
        )
        return text + (f" ({self.in_flight} in flight at the stop)" if self.in_flight else "")


def reconcile(evidence: Evidence, arm: str = "") -> Reconciliation | None:
    """Of one arm of a paired run; None when it keeps no ledger that the harness can read.

    Recordings of before do not say whose an order was, and are not reconciled either.
    """
    ledger, confirmed = evidence.ledgers.get(arm), evidence.confirmed
    if ledger is None or (arm and (confirmed["arm"] == "").any()):
        return None
    seen, kept = _numbered(confirmed.filter(pl.col("arm") == arm)), _numbered(ledger)
    lost = seen.join(kept, on=_ORDER, how="anti")["order_id"]
    only = kept.join(seen, on=_ORDER, how="anti")
    # The load stopped with its last phase, or with the recording if it was cut off.
    stop_s = next(iter(evidence.times_of(PHASES_ENDED)), evidence.end_s)
    late = pl.col("t_s") >= stop_s - IN_FLIGHT_S
    for lost_s in evidence.times_of(WORKER_LOST):
        # What a killed worker had confirmed since its last report died with it.
        late |= pl.col("t_s").is_between(lost_s - WORKER_UNREPORTED_S, lost_s)
    return Reconciliation(
        confirmed=len(seen),
        in_ledger=len(ledger),
        lost=tuple(sorted(lost.to_list())),
        in_flight=len(only.filter(late)),
        unmatched=tuple(sorted(only.filter(~late)["order_id"].to_list())),
    )


def _numbered(orders: pl.DataFrame) -> pl.DataFrame:
    """Each confirmation is an order: one id that many clients got is in the ledger once."""
    return orders.with_columns(nth=pl.int_range(pl.len()).over("order_id"))
