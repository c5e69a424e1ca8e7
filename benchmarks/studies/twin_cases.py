"""Random pools for the study of the twin, and what is true of each: a simulation of its own.

It shares no code with the twin: that goes from caller to caller and knows at once who will wait
how long, this one from event to event, with a queue that people join and leave.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import inf

import numpy as np

from recording.arrays import Floats

BATCHES = 20
SHAPES: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "exponential": lambda rng, n: rng.exponential(1.0, n),
    "lognormal": lambda rng, n: rng.lognormal(-0.32, 0.8, n),
    "Erlang-4": lambda rng, n: rng.gamma(4.0, 0.25, n),
    "hyperexp": lambda rng, n: rng.exponential(np.where(rng.random(n) < 0.9, 0.5, 5.5)),
    "bimodal": lambda rng, n: rng.normal(1.0, 0.05, n) * np.where(rng.random(n) < 0.8, 0.375, 3.5),
}
"""Hold times of mean 1."""


@dataclass(frozen=True, slots=True)
class Case:
    """A pool and its callers; with a ``swing`` of 0.3 their rate changes between 0.7 and 1.3 of its
    mean, after ``phase_s`` on average.
    """

    shape: str
    servers: int
    load: float
    hold_s: float
    timeout_s: float
    attempts: int
    backoff_s: float
    swing: float
    phase_s: float

    @property
    def rate_per_s(self) -> float:
        """Callers, without those who ask again."""
        return self.load * self.servers / self.hold_s

    def holds_s(self, rng: np.random.Generator, n: int) -> Floats:
        """Hold times."""
        return self.hold_s * SHAPES[self.shape](rng, n)

    def asked_s(self, rng: np.random.Generator, seconds: float) -> Floats:
        """When callers come: Poisson's process, its rate switched at random (MMPP)."""
        phases = int(2 * seconds / self.phase_s) + 10
        lengths = rng.exponential(self.phase_s, phases)
        ends_s = np.minimum(np.cumsum(lengths), seconds)
        starts_s = np.concatenate(([0.0], ends_s[:-1]))
        signs = np.where(np.arange(phases) % 2 == rng.integers(2), 1.0, -1.0)
        counts = rng.poisson((ends_s - starts_s) * self.rate_per_s * (1 + self.swing * signs))
        spread = rng.random(int(counts.sum()))
        return np.sort(np.repeat(starts_s, counts) + np.repeat(ends_s - starts_s, counts) * spread)


def cases(seed: int) -> list[Case]:
    """Twenty: four of each shape, the load in even steps from 0.5 to 0.98 of what it can serve."""
    rng = np.random.default_rng(seed)
    loads = rng.permutation(np.linspace(0.5, 0.98, 20))
    return [
        _case(rng, list(SHAPES)[k % len(SHAPES)], float(load), bursty=k % 4 == 3)
        for k, load in enumerate(loads)
    ]


def _case(rng: np.random.Generator, shape: str, load: float, *, bursty: bool) -> Case:
    hold_s = float(np.exp(rng.uniform(np.log(0.02), np.log(0.1))))
    brief = rng.random() < 0.5
    return Case(
        shape,
        round(float(np.exp(rng.uniform(np.log(8), np.log(64))))),
        load,
        hold_s,
        timeout_s=hold_s * float(rng.uniform(0.5, 3.0)) if brief else 5.0,
        attempts=int(rng.integers(1, 4)) if brief else 1,
        backoff_s=hold_s,
        swing=float(rng.uniform(0.2, 0.5)) if bursty else 0.0,
        phase_s=float(rng.uniform(0.5, 3.0)),
    )


@dataclass(frozen=True, slots=True)
class Truth:
    """``error`` is the standard error of p99 as a share of it; ``asked`` how often somebody did."""

    p99_ms: float
    error: float
    occupancy: float
    timeouts_share: float
    asked: int


def truth(case: Case, seed: int, least: int = 1_000_000, sure: float = 0.02) -> Truth:
    """By at least so many arrivals, up to eight times as many until the p99 is that sure."""
    rng = np.random.default_rng(seed)
    queue = Queue(case)
    while True:
        queue.play(rng, least / case.rate_per_s)
        waits = np.array(queue.waited_s)
        p99s = [np.quantile(part, 0.99) for part in np.array_split(waits, BATCHES)]
        p99_s = float(np.quantile(waits, 0.99))
        error = float(np.std(p99s, ddof=1)) / BATCHES**0.5 / max(p99_s, 0.005)
        if error <= sure or waits.size >= 8 * least:
            occupancy = queue.held_s / queue.now_s / case.servers
            return Truth(1000 * p99_s, error, occupancy, queue.in_vain / waits.size, waits.size)


class Queue:
    """The pool at this moment; goes on from where it stopped."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.now_s = 0.0
        self.held_s = 0.0
        self.in_vain = 0
        self.waited_s: list[float] = []
        self._ends_s: list[float] = []
        self._waiting: deque[tuple[float, float, int]] = deque()
        self._again: list[tuple[float, float, int]] = []

    def play(self, rng: np.random.Generator, seconds: float) -> None:
        """With callers who come in so much more time."""
        asked_s = self.case.asked_s(rng, seconds)
        holds_s = self.case.holds_s(rng, asked_s.size)
        new = zip((asked_s + self.now_s).tolist(), holds_s.tolist(), strict=True)
        coming = [(at_s, hold_s, 1) for at_s, hold_s in new] + self._again
        heapify(coming)
        end_s = self.now_s + seconds
        while True:
            asks_s = coming[0][0] if coming else inf
            ends_s = self._ends_s[0] if self._ends_s else inf
            leaves_s = self._waiting[0][0] + self.case.timeout_s if self._waiting else inf
            self.now_s = min(asks_s, ends_s, leaves_s, end_s)
            if self.now_s == end_s:
                break
            if self.now_s == ends_s:
                heappop(self._ends_s)
                if self._waiting:
                    self._serve(self._waiting.popleft())
            elif self.now_s == leaves_s:
                _, hold_s, attempt = self._waiting.popleft()
                self.in_vain += 1
                self.waited_s.append(self.case.timeout_s)
                if attempt < self.case.attempts:
                    heappush(coming, (self.now_s + self.case.backoff_s, hold_s, attempt + 1))
            elif len(self._ends_s) < self.case.servers:
                self._serve(heappop(coming))
            else:
                self._waiting.append(heappop(coming))
        self._again = coming

    def _serve(self, caller: tuple[float, float, int]) -> None:
        asked_s, hold_s, _ = caller
        self.waited_s.append(self.now_s - asked_s)
        self.held_s += hold_s
        heappush(self._ends_s, self.now_s + hold_s)
