"""A search: slots of load in one run, each at a level that was chosen from those before it.

A level is a load and what the services are told meanwhile. The harness says in ``events.jsonl``
when each begins, before it does; the load follows. The start of a slot is cut, as the journeys
that make its load are only on their way then.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from math import isfinite
from typing import Any, Literal, Self

from recording.events import LEVEL_ENDED, LEVEL_STARTED


@dataclass(frozen=True, slots=True)
class Level:
    """One slot; times are s since the run's epoch.

    ``load`` is journeys begun per second, in the closed model users. ``settings`` are what was
    told for it, by key: ``inventory_lock.pool_max``. ``why`` is what it is to find out.
    """

    number: int
    start_s: float
    counted_from_s: float
    end_s: float
    load: float
    settings: Mapping[str, Any]
    why: str = ""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """From its event. Raises ValueError for one that no search wrote."""
        numbers = [row.get(name) for name in ("start_s", "counted_from_s", "end_s", "load")]
        number, settings = row.get("number"), row.get("settings")
        sound = all(type(n) in (int, float) and isfinite(n) and n >= 0 for n in numbers)  # type: ignore[arg-type, operator]
        if not sound or type(number) is not int or not isinstance(settings, dict):
            raise ValueError("a level's event is spoilt")
        start_s, counted_from_s, end_s, load = map(float, numbers)  # type: ignore[arg-type]
        if not start_s <= counted_from_s < end_s:
            raise ValueError("a level's event is spoilt: its times do not follow each other")
        return cls(number, start_s, counted_from_s, end_s, load, settings, str(row.get("why", "")))

    def told(self) -> dict[str, Any]:
        """What its event says."""
        return asdict(self)

    @property
    def counted_s(self) -> float:
        """Length of what counts, s."""
        return self.end_s - self.counted_from_s

    def times_s(
        self, arrivals: Literal["poisson", "uniform"], seed: int | None, worker: int, workers: int
    ) -> Iterator[float]:
        """When journeys are due, s after its start: a worker's share of ``load`` per second."""
        length_s = self.end_s - self.start_s
        if self.load <= 0:
            return
        if arrivals == "uniform":
            yield from _every(self.load, worker, workers, length_s)
            return
        draw = random.Random(f"{seed}/level {self.number}/{worker}")
        t_s = draw.expovariate(self.load / workers)
        while t_s < length_s:
            yield t_s
            t_s += draw.expovariate(self.load / workers)


def _every(load: float, worker: int, workers: int, length_s: float) -> Iterator[float]:
    number = worker
    while (t_s := (number + 0.5) / load) < length_s:
        yield t_s
        number += workers


def levels_of(events: Sequence[Mapping[str, Any]]) -> tuple[Level, ...]:
    """Those that began, one after the other; one that was ended early ends then. Spoilt ones raise
    ValueError: what is told twice would count twice.
    """
    ended = {row.get("number"): row for row in events if row.get("event") == LEVEL_ENDED}
    begun = [Level.of(row) for row in events if row.get("event") == LEVEL_STARTED]
    found = tuple(_cut_short(level, ended.get(level.number)) for level in begun)
    for before, after in pairwise(found):
        if not (before.number < after.number and before.end_s <= after.start_s):
            raise ValueError("a level's event is spoilt: levels do not follow each other")
    return found


def _cut_short(level: Level, ended: Mapping[str, Any] | None) -> Level:
    if ended is None:
        return level
    end_s = ended.get("end_s")
    if type(end_s) not in (int, float) or not level.start_s <= end_s <= level.end_s:  # type: ignore[operator]
        raise ValueError("a level's end is spoilt")
    return replace(level, end_s=float(end_s), counted_from_s=min(level.counted_from_s, end_s))  # type: ignore[arg-type, type-var]
