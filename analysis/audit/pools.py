"""Connections that are held, wanted and waited for.

``max`` is a replica's. What is full holds max × replicas, or max if the report means one pool for
all; callers that hold or want one are those and the waiting. Who waits at most ``timeout`` with n
waiting passes the queue at n / timeout per second at least (Little's law).
"""

from analysis.audit.finding import Finding, Kind, Relations, at_most, equal, number, percent
from analysis.published.figures import Figure
from analysis.published.intervals import Interval, apart, total
from analysis.published.system import Pool
from analysis.published.table import Published


def pools(table: Published) -> Relations:
    """Every pool."""
    for pool in table.pools:
        yield from _in_use(pool)
        yield from _concurrent(pool)
        yield from _queue(pool)
        yield from _error_share(table, pool)
        yield from _over_time(pool)


def _room(pool: Pool, replicas: Figure | None) -> float:
    return pool.max.mid * (replicas.mid if replicas else 1)


def _in_use(pool: Pool) -> Relations:
    if pool.in_use is not None:
        room = _room(pool, pool.replicas)
        says = f"{pool.name}: {pool.in_use} connections in use of {number(room)}"
        yield at_most(Kind.POOLS, pool.in_use, Interval(room, room), says, pool.where)


def _concurrent(pool: Pool) -> Relations:
    if pool.concurrent is None or pool.waiting is None:
        return
    readings = sorted({pool.max.mid, _room(pool, pool.replicas)})
    wanted = [room + pool.waiting for room in readings]
    sides = " or ".join(f"{number(room)} + {pool.waiting}" for room in readings)
    says = f"{pool.name}: {pool.concurrent} concurrent requests at an exhausted pool, not {sides}"
    holds = any(pool.concurrent.meets(one) for one in wanted)
    factor = min(apart(pool.concurrent, one) for one in wanted)
    yield None if holds else Finding(Kind.POOLS, says, factor, pool.where)


def _queue(pool: Pool) -> Relations:
    if pool.waiting is None or pool.timeout is None or pool.window is None or pool.failures is None:
        return
    passed = pool.waiting * pool.window / pool.timeout
    says = (
        f"{pool.name}: {pool.waiting} waiting × {pool.window} / {pool.timeout} = "
        f"{number(passed)} pass the queue, {pool.failures} were affected"
    )
    unless = "the queue stood for a moment, or most in it were served"
    yield at_most(Kind.POOLS, passed, pool.failures, says, pool.where, unless=unless)


def _error_share(table: Published, pool: Pool) -> Relations:
    asking = [it for it in table.endpoints if pool.service and pool.service in it.calls]
    rates = [it.peak_rate for it in asking if it.peak_rate is not None]
    first = rates[0] if rates else None
    if pool.error_share is None or pool.window is None or pool.failures is None or first is None:
        return
    least = min(rates, key=lambda rate: rate.mid)
    low, high = (
        pool.error_share * least * pool.window,
        pool.error_share * total(rates) * pool.window,
    )
    says = (
        f"{pool.name}: {pool.error_share} of {least} × {pool.window} = {number(low)} failures at "
        f"least, not {pool.failures}"
    )
    unless = f"{pool.error_share} was its worst moment only"
    span = Interval(low.low, high.high)
    yield equal(Kind.POOLS, pool.failures, span, says, pool.where, unless=unless)


def _over_time(pool: Pool) -> Relations:
    """Held connections are utilization × replicas × max: before users came, and after relief."""
    full = [it for it in pool.samples if it.utilization.high >= 1]
    for it in pool.samples:
        held = it.utilization * _room(pool, it.replicas)
        product = f"{it.utilization} of {it.replicas} × {pool.max} at {it.at}"
        if it.users is not None and it.users.high == 0:
            says = f"{pool.name}: {product} are {number(held)} held connections, with no users"
            unless = "idle connections are counted as used"
            nobody = Interval(0, 0)
            yield at_most(Kind.POOLS, held, nobody, says, pool.where, unless=unless)
        if full and pool.concurrent is not None and it.at.s > full[0].at.s:
            yield from _relief(pool, pool.concurrent, held, product)
        says = f"{pool.name}: {product} is more than there are"
        yield at_most(Kind.POOLS, it.utilization, Interval(1, 1), says, pool.where)


def _relief(pool: Pool, concurrent: Figure, held: Interval, product: str) -> Relations:
    says = (
        f"{pool.name}: {product} are {number(held)} held connections after it was relieved, "
        f"{percent(held / concurrent)} of the {concurrent} concurrent requests at its peak"
    )
    yield at_most(Kind.POOLS, held, concurrent, says, pool.where, unless="demand grew meanwhile")
