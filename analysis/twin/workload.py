"""What a pool has to carry: who asks for a connection when, and for how long."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from analysis.twin.holds import Holds
from recording.arrays import Floats, Ints

BLOCKS = 12
"""Into which the recorded time is cut to be drawn anew: each is long enough to hold a wave of
arrivals whole, and they are enough to tell how much one differs from the next."""
_JITTER_GAPS = 5.0
"""How far a copy of an arrival is moved at most, in mean gaps between two: far enough not to come
as a pair, and near enough to stay in the same wave."""

Routing = Literal["least_connections", "round_robin"]


@dataclass(frozen=True, slots=True)
class Callers:
    """How often one asks for a connection before giving up, and how long each time.

    Whose patience ends before the pool's own timeout stays in the queue, unknown to the pool: the
    connection is then given to nobody, and comes back at once.
    """

    attempts: int = 1
    patience_s: float = math.inf
    backoff_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Contention:
    """The database behind the connections, as the mocks' own: processor sharing on so many cores.

    ``share`` of a hold is work for a core, the rest only holds the connection. n connections at
    work go at min(1, cores / n) / (1 + switch_cost * (n - cores)). No ``cores``: no contention.
    """

    cores: int = 0
    share: float = 1.0
    switch_cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was seen of the pool, where it was: how far a prediction lies from it.

    ``size`` is of each replica; nan where unknown. ``hold_dispersion`` is the variance of the
    mean hold from moment to moment over that of independent holds.
    """

    size: float = math.nan
    wait_p99_ms: float = math.nan
    unfinished_share: float = 0.0
    """Of the connections given out, those that were not given back."""
    hold_dispersion: float = math.nan


@dataclass(frozen=True, slots=True, eq=False)
class Workload:
    """``asked_s``: when connections were asked for for the first time, s, ascending in
    0..``seconds``.

    ``holds`` are those of an idle database. ``replicas`` have a pool each. With least connections
    they are taken for one queue; that a caller can wait at one while another has just become
    free is left out.
    """

    asked_s: Floats
    seconds: float
    holds: Holds
    wait_timeout_s: float = math.inf
    callers: Callers = Callers()
    contention: Contention = Contention()
    replicas: int = 1
    routing: Routing = "least_connections"
    recorded: Recorded = Recorded()
    assumed: tuple[str, ...] = field(default=())
    """What the recording did not say, in words."""

    def __post_init__(self) -> None:
        if self.asked_s.size < 2 or not self.holds.n or not self.seconds > 0:
            raise ValueError("a workload needs arrivals, hold times and the time they came in")

    @property
    def rate_per_s(self) -> float:
        """Callers, without those who ask again."""
        return self.asked_s.size / self.seconds

    @property
    def give_up_s(self) -> float:
        """After so long a wait a caller does without."""
        return min(self.wait_timeout_s, self.callers.patience_s)

    def servers(self, size: int) -> int:
        """Connections of all replicas together."""
        return size * self.replicas

    def offered(self, size: int) -> float:
        """Load as a share of what pools of this size can serve, without contention."""
        return self.rate_per_s * self.holds.mean_s / self.servers(size)

    def scaled(self, load: float, rng: np.random.Generator) -> Workload:
        """So many times the arrivals, in the same time.

        Fewer are a random part of them; more are copies of them, each moved by a few gaps. So
        what moves all callers at once (a campaign, a wave of users) lasts as long as before and
        brings that many times as many. Compressed in time it would be over sooner, and the queue
        behind it shorter.
        """
        whole, part = divmod(load, 1.0)
        copies = [self.asked_s] * (whole >= 1)
        reach_s = _JITTER_GAPS / self.rate_per_s
        for share in [1.0] * (int(whole) - 1) + [part]:
            some = self.asked_s[rng.random(self.asked_s.size) < share]
            moved = rng.uniform(-reach_s, reach_s, some.size) if whole else 0.0
            copies.append(np.mod(some + moved, self.seconds))
        return replace(self, asked_s=np.sort(np.concatenate(copies)))

    def seen_again(self, rng: np.random.Generator) -> Resampled:
        """What another recording of the same might have been: as many blocks, and hold times."""
        return Resampled(self, rng.uniform(0.0, self.seconds, BLOCKS), self.holds.seen_again(rng))

    def dispersion(self, window_s: float) -> float:
        """Index of dispersion: variance over mean of the arrivals in windows; 1 for Poisson's.

        nan with fewer than two windows.
        """
        windows = int(self.seconds / window_s)
        if windows < 2:
            return math.nan
        counts, _ = np.histogram(self.asked_s, windows, (0.0, windows * window_s))
        return float(np.var(counts, ddof=1) / max(np.mean(counts), 1e-12))

    @property
    def squared_cv(self) -> float:
        """Squared coefficient of variation of the gaps between arrivals."""
        gaps = np.diff(self.asked_s)
        return float(np.var(gaps) / np.mean(gaps) ** 2)


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """Blocks of a workload's time, by when they start, and its hold times drawn anew.

    A circular block bootstrap (Politis and Romano, 1992): correlation within a block stays.
    """

    of: Workload
    starts_s: Floats
    holds: Holds

    def arrivals_s(self, rng: np.random.Generator, n: int) -> Floats:
        """The first `n` of an endless row of these blocks, each as likely to come next."""
        seconds, block_s = self.of.seconds, self.of.seconds / BLOCKS
        twice = np.concatenate((self.of.asked_s, self.of.asked_s + seconds))
        first = np.searchsorted(twice, self.starts_s)
        counts = np.searchsorted(twice, self.starts_s + block_s) - first
        if not counts.any():
            return np.empty(0)
        picked = rng.integers(0, BLOCKS, int(2 * n / counts.mean()) + BLOCKS)
        picked = picked[: int(np.searchsorted(np.cumsum(counts[picked]), n)) + 1]
        return _joined(twice, first[picked], counts[picked], self.starts_s[picked], block_s)[:n]


def _joined(times_s: Floats, first: Ints, counts: Ints, starts_s: Floats, block_s: float) -> Floats:
    """Stretches of these times one behind the other, each from its start."""
    before = np.cumsum(counts) - counts
    places = np.repeat(first - before, counts) + np.arange(int(counts.sum()))
    moved_s = block_s * np.arange(counts.size) - starts_s
    return np.asarray(times_s[places] + np.repeat(moved_s, counts))
