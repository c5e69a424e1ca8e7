"""``orders``: what the shop lost, what no client knows of, and what does not add up in money."""

from collections.abc import Iterable
from functools import partial
from math import nan

from analysis.evidence.money import MONEY_RULES
from analysis.evidence.orders import LOST, UNMATCHED
from analysis.metrics.case import Case
from analysis.metrics.decide import as_measured
from analysis.metrics.metric import Metric
from analysis.words.units import COUNT
from analysis.words.values import Measurement
from recording.profile import ORDERS


def _measured(case: Case, subject: str, name: str) -> Iterable[Measurement]:
    orders = case.orders
    if orders is not None and name in orders.wrong:
        wrong = orders.wrong[name].n
        n = max(orders.confirmed, orders.in_ledger, wrong)  # who paid may have got no order
        yield Measurement(subject, name, float(wrong), "", n, phase="run")
        return
    note = "no ledger of the shop's orders"
    if orders is not None:
        note = orders.unknown.get(name, "the shop's ledger knows no money")
    yield Measurement(subject, name, nan, "", 0, phase="run", note=note)


def _explained(case: Case, _subject: str, measured: Measurement) -> str:
    wrong = case.orders.wrong.get(measured.metric) if case.orders else None
    return str(wrong) if wrong and wrong.n else ""


def _recorded(case: Case, name: str) -> bool:
    """Not where nobody knows which request is an order, nor where a ledger knows no money."""
    return bool(case.evidence.order_steps) and _in_ledger(case, name)


def _in_ledger(case: Case, name: str) -> bool:
    return case.orders is None or name in case.orders.wrong or name in case.orders.unknown


METRICS = tuple(
    Metric(
        name,
        "orders",
        "",
        COUNT,
        of=lambda _services, subject: subject == ORDERS,
        measure=partial(_measured, name=name),
        decide=as_measured,
        explain=_explained,
        recorded=partial(_recorded, name=name),
        lacking="this run's recording says nothing of them",
        live=False,  # an order may be on its way
    )
    for name in (LOST, UNMATCHED, *MONEY_RULES)
)
