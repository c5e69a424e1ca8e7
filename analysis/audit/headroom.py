"""How much more load each limit takes: today, after growth, at a peak to come.

What is held grows with the load (Little's law at constant hold times), and so does CPU use. A
limit's headroom is limit / used; the lowest is reached first. An autoscaler's is with all its
replicas at their target.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from analysis.published.table import Published


@dataclass(frozen=True, slots=True)
class Headroom:
    """``used`` of ``limit``; None where the use is not known."""

    name: str
    what: str
    used: float | None
    limit: float
    unit: str
    where: str

    @property
    def factor(self) -> float | None:
        """The load, as a multiple of today's, that reaches the limit; None without data."""
        return self.limit / self.used if self.used else None

    def at(self, load: float) -> float | None:
        """Share of the limit at a multiple of today's load."""
        return None if self.used is None else load * self.used / self.limit


def headroom(table: Published) -> tuple[Headroom, ...]:
    """Of every limit, the one that is reached first in front, those without data last."""
    found = (*_pools(table), *_scalers(table), *_rates(table))
    return tuple(sorted(found, key=lambda it: it.factor or float("inf")))


def _pools(table: Published) -> Iterator[Headroom]:
    for it in table.pools:
        limit = it.max.mid * (it.replicas.mid if it.replicas else 1)
        used = it.in_use.mid if it.in_use else None
        yield Headroom(it.name, "connections", used, limit, "", it.where)


def _scalers(table: Published) -> Iterator[Headroom]:
    """In replicas' worth of CPU: what is used, of what the most replicas have at the target."""
    for it in table.autoscalers:
        known = it.replicas is not None and it.utilization is not None
        used = it.replicas.mid * it.utilization.mid if it.replicas and it.utilization else None
        limit = it.max_replicas.mid * it.target.mid
        yield Headroom(it.service, "replicas", used if known else None, limit, "", it.where)


def _rates(table: Published) -> Iterator[Headroom]:
    for it in table.rate_limits:
        used = 60 * it.used.mid if it.used else None
        yield Headroom(it.name, "requests/min", used, 60 * it.limit.mid, "/min", it.where)
