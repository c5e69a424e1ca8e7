"""One pool, from caller to caller: first come first served, waits that end, callers who ask again.

The recursion of Kiefer and Wolfowitz (1955): who asks gets the connection that is free first, and
all that has to be kept is when each will be. With a patience that is the same for all, whoever
will not be served in time is known when he asks, and changes nothing for those behind him.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from heapq import heapreplace

import numpy as np

from analysis.twin.workload import Workload
from recording.arrays import Bools, Floats


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """Every time that somebody asked for a connection, s; in vain where ``held_s`` is nan."""

    asked_s: Floats
    waited_s: Floats
    """As the pool counts it: to the connection, or to the pool's own timeout."""
    held_s: Floats

    @property
    def in_vain(self) -> Bools:
        """Who asked and did without."""
        return np.isnan(self.held_s)

    def since(self, start_s: float) -> Played:
        """Without those who asked before: the pool began empty, as none does."""
        kept = self.asked_s >= start_s
        return Played(self.asked_s[kept], self.waited_s[kept], self.held_s[kept])


def play(workload: Workload, servers: int, asked_s: Floats, holds_s: Floats) -> Played:
    """Without contention. Who asks again needs the connection for as long as the first time."""
    free = [0.0] * servers
    timeout_s, give_up_s = workload.wait_timeout_s, workload.give_up_s
    after_s, attempts = give_up_s + workload.callers.backoff_s, workload.callers.attempts
    holds = holds_s.tolist()
    again: deque[tuple[float, int, int]] = deque()
    asked: list[float] = []
    waited: list[float] = []
    held: list[float] = []

    def ask(now_s: float, who: int, attempt: int) -> None:
        first_s = free[0]
        wait_s = first_s - now_s
        asked.append(now_s)
        if wait_s <= 0.0:
            heapreplace(free, now_s + holds[who])
            waited.append(0.0)
            held.append(holds[who])
        elif wait_s <= give_up_s:
            heapreplace(free, first_s + holds[who])
            waited.append(wait_s)
            held.append(holds[who])
        else:
            waited.append(min(wait_s, timeout_s))
            held.append(math.nan)
            if attempt < attempts:
                again.append((now_s + after_s, who, attempt + 1))

    for who, now_s in enumerate(asked_s.tolist()):
        while again and again[0][0] <= now_s:
            ask(*again.popleft())
        ask(now_s, who, 1)
    return Played(np.array(asked), np.array(waited), np.array(held))
