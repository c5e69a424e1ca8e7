"""``orders``: what the shop's ledger lost, and what no client knows of."""

from collections.abc import Callable, Iterable
from functools import partial
from math import nan

from analysis.evidence.orders import IN_WORDS, Reconciliation
from analysis.metrics.case import Case
from analysis.metrics.decide import as_measured
from analysis.metrics.metric import Metric
from analysis.words.units import COUNT
from analysis.words.values import Measurement
from recording.profile import ORDERS

Ids = Callable[[Reconciliation], tuple[str, ...]]


def _measured(case: Case, subject: str, name: str, ids: Ids) -> Iterable[Measurement]:
    orders = case.orders
    if orders is None:
        note = "no ledger of the shop's orders"
        yield Measurement(subject, name, nan, "", 0, phase="run", note=note)
    else:
        n = max(orders.confirmed, orders.in_ledger)
        yield Measurement(subject, name, float(len(ids(orders))), "", n, phase="run")


def _explained(case: Case, _subject: str, measured: Measurement, ids: Ids) -> str:
    found = ids(case.orders) if case.orders else ()
    examples = f"{', '.join(found[:5])}{', …' if len(found) > 5 else ''}"
    return f"{examples}: {IN_WORDS[measured.metric]}" if found else ""


METRICS = tuple(
    Metric(
        name,
        "orders",
        "",
        COUNT,
        of=lambda _services, subject: subject == ORDERS,
        measure=partial(_measured, name=name, ids=ids),
        decide=as_measured,
        explain=partial(_explained, ids=ids),
    )
    for name, ids in (("lost", lambda o: o.lost), ("unmatched", lambda o: o.unmatched))
)
