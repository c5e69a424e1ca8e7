"""Little's law (1961): users in the system are their rate times the time of a cycle."""

from analysis.audit.finding import Kind, Relations, at_most, equal, number
from analysis.audit.throughput import STEADY
from analysis.published.figures import Figure
from analysis.published.intervals import Interval, total
from analysis.published.table import Load, Published, Range

MS = 1e-3


def little(table: Published) -> Relations:
    """Users, think time and latency against the rate; iterations; sessions."""
    load = table.load
    if load is None or load.users is None:
        return
    latency = _latency_s(table)
    if load.think_time is not None and latency is not None:
        yield from _users(table, load.users, load.think_time, latency)
        yield from _session(load, load.think_time, latency)
    if load.iteration_rate is not None and load.iteration_mean is not None:
        busy = load.iteration_rate * load.iteration_mean * MS
        says = (
            f"{number(load.iteration_rate)} iterations/s of {number(load.iteration_mean)} ms keep "
            f"{number(busy)} users busy, of {load.users}"
        )
        yield at_most(Kind.LOAD, busy, load.users, says, load.where)


def _latency_s(table: Published) -> Interval | None:
    """The mean over all requests, by those of the endpoints and their numbers."""
    rows = [(it.requests, it.mean) for it in table.endpoints]
    weighted = [sent * mean for sent, mean in rows if sent is not None and mean is not None]
    if not rows or len(weighted) < len(rows) or table.partial:
        return None
    return total(weighted) / total(sent for sent, _ in rows if sent is not None) * MS


def _users(table: Published, users: Figure, think: Range, latency_s: Interval) -> Relations:
    """Uniform think time has the middle of its range as mean."""
    think_s = (think.min.mid + think.max.mid) / 2
    due = users / (latency_s + think_s)
    wide = Interval(due.low / STEADY, due.high * STEADY)
    for whole in table.totals:
        if whole.peak_rate is None:
            continue
        says = (
            f"{users} users / ({think_s:.3g} s think time + {number(latency_s)} s latency) "
            f"= {number(due)}/s, not {whole.peak_rate}"
        )
        yield equal(Kind.LOAD, wide, whole.peak_rate, says, whole.where)


def _session(load: Load, think: Range, latency_s: Interval) -> Relations:
    """A user's requests one after the other, with think time between."""
    if load.session is None or load.requests_per_session is None:
        return
    n = load.requests_per_session.mid
    least = n * latency_s.low + (n - 1) * think.min.mid
    most = n * latency_s.high + n * think.max.mid
    says = (
        f"{n:.0f} requests with {think.min} to {think.max} between take "
        f"{least:.3g} to {most:.3g} s, a session {load.session.min} to {load.session.max}"
    )
    span = Interval(load.session.min.low, load.session.max.high)
    unless = "a session is several journeys"
    yield equal(Kind.LOAD, Interval(least, most), span, says, load.where, unless=unless)
