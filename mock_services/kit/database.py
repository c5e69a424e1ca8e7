"""The database behind a pool's connections: few cores, which all work at once has to share.

Egalitarian processor sharing (Kleinrock, 1967). With `n` connections at work on `cores` cores each
is served at the speed

    min(1, cores / n) / (1 + switch_cost * max(0, n - cores))

The second factor is what going from one connection to the next costs beyond the cores: throughput
grows up to `cores` connections and falls beyond them, as in the retrograde branch of the Universal
Scalability Law (Gunther, 2007), whose serial part is left out.

Played in virtual time (Parekh and Gallager, 1993): it runs at that speed, so who arrives at virtual
time v with work w is done at v + w whoever comes or goes meanwhile. An arrival or a departure
costs O(log n), and one timer of the event loop is all that waits.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count


@dataclass(frozen=True, slots=True)
class Capacity:
    """`cores` 0: as many as there is work. `share`: of a request's time on a connection, what is
    work for a core; in the rest it only holds the connection.
    """

    cores: int = 0
    share: float = 1.0
    switch_cost: float = 0.0

    def speed(self, active: int) -> float:
        """Of each of these connections at work, as a share of a core's."""
        over = active - self.cores
        if not self.cores or over <= 0:
            return 1.0
        return self.cores / active / (1.0 + self.switch_cost * over)


class Database:
    """Serves requests; belongs to one event loop.

    Its capacity can change at any time, for work under way too; what began while there were cores
    for all of it goes on so.
    """

    __slots__ = (
        "_capacity", "_clock", "_jobs", "_order", "_played_s", "_timer", "_virtual_s", "active",
    )  # fmt: skip

    def __init__(self, capacity: Capacity, clock: Callable[[], float] = time.perf_counter) -> None:
        self._capacity = capacity
        self.active = 0
        """Connections at work."""
        self._clock = clock
        self._jobs: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()
        self._virtual_s = 0.0
        self._played_s = clock()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def cores(self) -> int:
        """Those that share the work; 0: it is not shared."""
        return self._capacity.cores

    def resize(self, capacity: Capacity) -> None:
        """Takes effect at once."""
        self._play(self._clock())
        self._capacity = capacity
        if self._jobs:
            self._set_timer()

    async def serve(self, seconds: float) -> None:
        """Return when a request is served that takes this long on an idle database."""
        work_s = seconds * self._capacity.share if self.cores else 0.0
        if work_s:
            await self._work(work_s)
        if seconds > work_s:
            await asyncio.sleep(seconds - work_s)

    async def _work(self, seconds: float) -> None:
        self._play(self._clock())
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._jobs, (self._virtual_s + seconds, next(self._order), done))
        self.active += 1
        self._set_timer()
        try:
            await done
        except asyncio.CancelledError:
            if done.cancelled():  # else it was finished in the same moment, and is counted off
                self._play(self._clock())
                self.active -= 1
                self._set_timer()
            raise

    def _speed(self) -> float:
        return self._capacity.speed(self.active)

    def _play(self, until_s: float) -> None:
        """What happened until then: each is finished at its own moment, however late we look."""
        while jobs := self._jobs:
            due_virtual_s, _, done = jobs[0]
            if not done.done():
                due_s = self._due_s(due_virtual_s)
                if due_s > until_s:
                    break
                self._played_s, self._virtual_s = due_s, due_virtual_s
                self.active -= 1
                done.set_result(None)
            heappop(jobs)
        if until_s > self._played_s:
            self._virtual_s += (until_s - self._played_s) * self._speed()
            self._played_s = until_s

    def _due_s(self, virtual_s: float) -> float:
        return self._played_s + max(0.0, virtual_s - self._virtual_s) / self._speed()

    def _set_timer(self) -> None:
        """For whoever is finished next, if nobody comes or goes before."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._jobs:
            due_s = self._due_s(self._jobs[0][0])
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(due_s - self._clock(), self._on_time, due_s)

    def _on_time(self, due_s: float) -> None:
        """The loop's timers are up to a millisecond early or late: `due_s` is when it is due."""
        self._timer = None
        self._play(max(due_s, self._clock()))
        self._set_timer()
