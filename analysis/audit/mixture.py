"""Percentiles of a mixture: what those of its parts, and their numbers of requests, allow.

Of part i, with weight w_i, published quantiles Q_i(q) bound the distribution function: F_i(x) is
at least the largest q with Q_i(q) ≤ x, and below x at most the smallest with Q_i(q) ≥ x. The
mixture's is Σ w_i F_i, so its quantile lies between two of the published values whatever lies
between them. `SLACK` and `ENOUGH` leave room for how ranks are counted (Hyndman & Fan 1996 have
nine ways) where the requests beyond a quantile are few.

Where that allows what is printed, an estimate (log latency linear in the normal score between the
published quantiles) still shows what is far off: a question.
"""

from itertools import pairwise
from math import exp, log
from statistics import NormalDist

from analysis.audit.finding import Finding, Kind, Relation, Relations, equal, number, places
from analysis.published.figures import Figure
from analysis.published.intervals import Interval, apart
from analysis.published.table import Answered, Endpoint, Published

SLACK = 1.05
ENOUGH = 100
FAR = 1.3
"""Farther than this factor from the estimate is worth a question."""
_NORMAL = NormalDist()
Knots = list[tuple[float, Interval]]
"""Quantiles with their values, from 0 to 1 as far as they are known."""
Part = tuple[float, Knots]


def mixture(table: Published) -> Relations:
    """Of every total by all endpoints, of every service by its own."""
    everyone = () if table.partial else table.endpoints
    for whole in table.totals:
        yield from _group("in total", whole, everyone)
    for service in table.services:
        yield from _group(service.name, service, table.of_service(service.name))


def _group(name: str, row: Answered, endpoints: tuple[Endpoint, ...]) -> Relations:
    parts = _parts(endpoints)
    if not parts:
        return
    sent = sum(it.requests.mid for it in endpoints if it.requests)
    place = endpoints[0].where
    for quantile, q, value in row.quantiles():
        if sent * min(q, 1 - q) < ENOUGH:
            continue
        allowed = bounds(parts, q)
        says = (
            f"{name} {quantile} {value}: its endpoints' percentiles allow "
            f"{number(allowed.low)} to {number(allowed.high)} ms"
        )
        wide = Interval(allowed.low / SLACK, allowed.high * SLACK)
        wrong = equal(Kind.LATENCY, value, wide, says, row.where, place)
        yield wrong or _far_off(name, quantile, q, value, parts, (row.where, place))


def _parts(endpoints: tuple[Endpoint, ...]) -> list[Part]:
    """Weights and knots; none unless each endpoint has requests and quantiles."""
    sent = sum(it.requests.mid for it in endpoints if it.requests)
    made = [(it.requests.mid / sent, _knots(it)) for it in endpoints if it.requests and sent]
    complete = len(made) == len(endpoints) and all(knots for _, knots in made)
    return made if complete else []


def _knots(row: Answered) -> Knots:
    said: Knots = [(q, value) for _, q, value in row.quantiles()]
    if not said:
        return []
    ends = ((0.0, row.min), (1.0, row.max))
    return sorted(said + [(q, value) for q, value in ends if value], key=lambda knot: knot[0])


def bounds(parts: list[Part], q: float) -> Interval:
    """What quantile ``q`` of the mixture can be, in the unit of the knots."""
    values = [value for _, knots in parts for _, value in knots]
    tops = sorted({value.high for value in values})
    bottoms = sorted({value.low for value in values}, reverse=True)
    high = next((x for x in tops if _least(parts, x) >= q), float("inf"))
    low = next((x for x in bottoms if _most(parts, x) <= q), 0.0)
    return Interval(low, high)


def _least(parts: list[Part], x: float) -> float:
    """The share that is at most ``x``, at least."""
    return sum(w * max((q for q, v in knots if v.high <= x), default=0.0) for w, knots in parts)


def _most(parts: list[Part], x: float) -> float:
    """The share that is below ``x``, at most."""
    return sum(w * min((q for q, v in knots if v.low >= x), default=1.0) for w, knots in parts)


def _far_off(
    name: str, quantile: str, q: float, value: Figure, parts: list[Part], where: tuple[str, ...]
) -> Relation:
    guess = estimate(parts, q)
    if guess is None or apart(value, Interval(guess, guess)) < FAR:
        return None
    says = f"{name} {quantile} {value}: by its endpoints' percentiles about {number(guess)} ms"
    unless = "latencies crowd just below an endpoint's own percentile"
    return Finding(Kind.LATENCY, says, apart(value, Interval(guess, guess)), places(*where), unless)


def estimate(parts: list[Part], q: float) -> float | None:
    """The mixture's quantile, if every part's curve is as smooth as it can be through its knots."""
    curves = [(w, _scores(knots)) for w, knots in parts]
    if any(len(curve) < 2 for _, curve in curves):
        return None
    low = min(curve[0][1] for _, curve in curves) - 1
    high = max(curve[-1][1] for _, curve in curves) + 1
    for _ in range(50):  # halves: to a billionth
        x = (low + high) / 2
        below = sum(w * _NORMAL.cdf(_score(curve, x)) for w, curve in curves)
        low, high = (x, high) if below < q else (low, x)
    return exp(low)


def _scores(knots: Knots) -> list[tuple[float, float]]:
    """Normal scores and log latencies of the quantiles between 0 and 1."""
    inside = [(q, v.mid) for q, v in knots if 0 < q < 1 and v.mid > 0]
    return [(_NORMAL.inv_cdf(q), log(value)) for q, value in inside]


def _score(curve: list[tuple[float, float]], x: float) -> float:
    """The normal score at log latency ``x``; beyond the ends the curve goes on straight."""
    pairs = list(pairwise(curve))
    (z, y), (next_z, next_y) = next((p for p in pairs if x <= p[1][1]), pairs[-1])
    return z + (x - y) * (next_z - z) / max(next_y - y, 1e-9)
