"""What queueing theory says of the same pool, and where it does not hold.

All replicas are one queue to it, arrivals have no memory and holds no order. Formulas with their
sources: docs/statistics.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from analysis.twin.workload import BLOCKS, Workload

_BURSTY, _REGULAR = 1.5, 0.5


@dataclass(frozen=True, slots=True)
class Theory:
    """``wait_share`` have to wait. A quantile is inf where more is asked for than can be served.

    ``timeouts_share`` is nan where the formula knows no timeouts.
    """

    wait_share: float
    wait_p50_ms: float
    wait_p99_ms: float
    timeouts_share: float = math.nan


def erlang_c(workload: Workload, size: int, load: float = 1.0) -> Theory:
    """M/M/c: exponential holds, callers who wait for ever (Erlang, 1917)."""
    return _patient(workload, size, load, 1.0)


def allen_cunneen(workload: Workload, size: int, load: float = 1.0) -> Theory:
    """G/G/c: the mean wait of M/M/c times (ca² + cs²) / 2 (Allen, 1990).

    Its quantiles are those of a wait that is exponential for those who wait, as it is in heavy
    traffic (Köllerström, 1974); ``wait_share`` is M/M/c's.
    """
    variability = (workload.squared_cv + workload.holds.squared_cv) / 2
    return _patient(workload, size, load, variability)


def erlang_a(workload: Workload, size: int, load: float = 1.0) -> Theory:
    """M/M/c + D: exponential holds, callers who give up after the same time each.

    Baccelli and Hébuterne (1981). Erlang-A itself (Palm, 1957) has exponential patience: pools
    turn nobody away before their timeout. As Erlang-C where nobody gives up.
    """
    give_up_s = workload.give_up_s
    if math.isinf(give_up_s):
        return erlang_c(workload, size, load)
    servers, arrivals_per_s = workload.servers(size), load * workload.rate_per_s
    served_per_s = servers / workload.holds.mean_s
    drift = arrivals_per_s - served_per_s
    # Weights of states, over that of all but one connection in use; the wait has the density
    # arrivals * exp(drift * x) to the timeout, beyond which nobody joins.
    free = 1.0 / erlang_b(arrivals_per_s * workload.holds.mean_s, servers - 1)
    short = arrivals_per_s * _integral(drift, give_up_s)
    long = arrivals_per_s * math.exp(drift * give_up_s) / served_per_s
    total = free + short + long

    def quantile_ms(q: float) -> float:
        weight = q * total - free
        if weight <= 0.0:
            return 0.0
        if weight >= short:
            return 1000 * min(give_up_s, workload.wait_timeout_s)
        grown = drift * weight / arrivals_per_s
        wait_s = weight / arrivals_per_s if abs(grown) < 1e-12 else math.log1p(grown) / drift
        return 1000 * wait_s

    return Theory((short + long) / total, quantile_ms(0.5), quantile_ms(0.99), long / total)


def erlang_b(offered: float, servers: int) -> float:
    """Share of callers who find all servers taken, where nobody waits (Erlang, 1917)."""
    inverse = 1.0
    for k in range(1, servers + 1):
        inverse = 1.0 + inverse * k / offered
    return 1.0 / inverse


def wait_share(offered: float, servers: int) -> float:
    """Erlang's C: share of callers who have to wait; 1 from `offered` >= `servers` on."""
    if offered >= servers:
        return 1.0
    blocked = erlang_b(offered, servers)
    return blocked / (1.0 - offered / servers * (1.0 - blocked))


def doubts(workload: Workload) -> Iterator[str]:
    """Where its assumptions do not hold of this workload; a sentence for each."""
    window_s = workload.seconds / (5 * BLOCKS)
    dispersion = workload.dispersion(window_s)
    if dispersion > _BURSTY:
        yield (
            f"arrivals come in bursts: in {window_s:.2g} s they vary {dispersion:.1f} times as "
            "much as theory's (index of dispersion), so its waits are too short"
        )
    if dispersion < _REGULAR:
        yield (
            f"arrivals are regular: in {window_s:.2g} s they vary {dispersion:.2f} times as "
            "much as theory's (index of dispersion), so its waits are too long"
        )
    if workload.callers.attempts > 1:
        yield "callers ask again after a timeout: more arrive just when most wait"
    if workload.recorded.hold_dispersion > _BURSTY:
        yield (
            "hold times change together: their mean varies from moment to moment "
            f"{workload.recorded.hold_dispersion:.1f} times as much as that of independent ones"
        )
    if workload.contention.cores:
        yield (
            f"connections share {workload.contention.cores} cores of a database: the more are in "
            "use, the longer each is held"
        )


def _patient(workload: Workload, size: int, load: float, variability: float) -> Theory:
    servers, offered = workload.servers(size), load * workload.rate_per_s * workload.holds.mean_s
    waits = wait_share(offered, servers)
    if offered >= servers:
        return Theory(1.0, math.inf, math.inf)
    mean_ms = 1000 * variability * workload.holds.mean_s / (servers - offered)

    def quantile_ms(q: float) -> float:
        return mean_ms * math.log(waits / (1.0 - q)) if waits > 1.0 - q else 0.0

    return Theory(waits, quantile_ms(0.5), quantile_ms(0.99))


def _integral(rate: float, until: float) -> float:
    """Of exp(rate * x) from 0 on."""
    return until if abs(rate * until) < 1e-12 else math.expm1(rate * until) / rate
