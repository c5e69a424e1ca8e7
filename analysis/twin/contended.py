"""One pool whose connections lead to a database that all at work share: from event to event.

Processor sharing in virtual time (Parekh and Gallager, 1993): it passes at the speed of one
connection at work, so who begins at virtual time v with work w is done at v + w, whoever comes or
goes meanwhile, and every event costs O(log n).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count

import numpy as np

from analysis.twin.play import Played
from analysis.twin.workload import Contention, Workload
from recording.arrays import Floats


def speed(contention: Contention, working: int) -> float:
    """Of each of so many connections at work, as a share of a core's."""
    over = working - contention.cores
    if over <= 0:
        return 1.0
    return contention.cores / working / (1.0 + contention.switch_cost * over)


@dataclass(slots=True)
class _Ask:
    """One time that a caller asks for a connection."""

    at_s: float
    hold_s: float
    attempt: int
    waited_s: float = math.nan
    got_s: float = math.nan
    held_s: float = math.nan


@dataclass(slots=True)
class _Pool:
    """Who works, holds and waits at this moment."""

    workload: Workload
    free: int
    now_s: float = 0.0
    virtual_s: float = 0.0
    speed: float = 1.0
    work: list[tuple[float, int, _Ask]] = field(default_factory=list)
    """By the virtual time at which each is done."""
    held: list[tuple[float, int, _Ask]] = field(default_factory=list)
    """Those whose work is done, by when they give their connection back."""
    waiting: deque[_Ask] = field(default_factory=deque)
    gone: deque[_Ask] = field(default_factory=deque)
    """Ahead of all that wait: their callers have given up, and the pool does not know it."""
    again: deque[_Ask] = field(default_factory=deque)
    asks: list[_Ask] = field(default_factory=list)
    order: count[int] = field(default_factory=count)

    def play_to(self, until_s: float) -> None:
        """All that happens before a new caller asks."""
        patience_s = self.workload.give_up_s
        while True:
            work, held, waiting, again = self.work, self.held, self.waiting, self.again
            left_s = max(0.0, work[0][0] - self.virtual_s) if work else math.inf
            events = (
                self.now_s + left_s / self.speed,
                held[0][0] if held else math.inf,
                waiting[0].at_s + patience_s if waiting else math.inf,
                again[0].at_s if again else math.inf,
            )
            next_s = min(events)
            if next_s >= until_s:
                break
            self._pass(next_s)
            (self._worked, self._gave_back, self._gave_up, self._asks_again)[events.index(next_s)]()
        self._pass(until_s)

    def ask(self, ask: _Ask) -> None:
        """Somebody asks now."""
        self.asks.append(ask)
        if self.free:
            self.free -= 1
            self._begin(ask)
        else:
            self.waiting.append(ask)

    def _pass(self, until_s: float) -> None:
        self.virtual_s += (until_s - self.now_s) * self.speed
        self.now_s = until_s

    def _begin(self, ask: _Ask) -> None:
        ask.waited_s, ask.got_s = self.now_s - ask.at_s, self.now_s
        contention = self.workload.contention
        due_s = self.virtual_s + contention.share * ask.hold_s
        heappush(self.work, (due_s, next(self.order), ask))
        self.speed = speed(contention, len(self.work))

    def _worked(self) -> None:
        self.virtual_s, _, ask = heappop(self.work)
        contention = self.workload.contention
        self.speed = speed(contention, len(self.work))
        rest_s = (1.0 - contention.share) * ask.hold_s
        heappush(self.held, (self.now_s + rest_s, next(self.order), ask))

    def _gave_back(self) -> None:
        ask = heappop(self.held)[2]
        ask.held_s = self.now_s - ask.got_s
        timeout_s = self.workload.wait_timeout_s
        while self.gone:
            left = self.gone.popleft()
            left.waited_s = min(self.now_s - left.at_s, timeout_s)
        if self.waiting:
            self._begin(self.waiting.popleft())
        else:
            self.free += 1

    def _gave_up(self) -> None:
        ask = self.waiting.popleft()
        self.gone.append(ask)
        if ask.attempt < self.workload.callers.attempts:
            at_s = self.now_s + self.workload.callers.backoff_s
            self.again.append(_Ask(at_s, ask.hold_s, ask.attempt + 1))

    def _asks_again(self) -> None:
        self.ask(self.again.popleft())


def play_contended(workload: Workload, servers: int, asked_s: Floats, holds_s: Floats) -> Played:
    """As `play`, with what the connections do to each other."""
    pool = _Pool(workload, servers)
    for now_s, hold_s in zip(asked_s.tolist(), holds_s.tolist(), strict=True):
        pool.play_to(now_s)
        pool.ask(_Ask(now_s, hold_s, 1))
    pool.play_to(math.inf)
    rows = [(ask.at_s, ask.waited_s, ask.held_s) for ask in pool.asks]
    asked, waited, held = np.array(rows).T if rows else np.empty((3, 0))
    return Played(asked, waited, held)
