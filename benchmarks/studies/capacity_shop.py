"""A simulated shop for searches: one pool that every journey takes a connection of.

No HTTP and no waiting for a connection: what is asked of it is how many are in use, which is
M/G/infinity, with its own arrivals, hold times and sweeper. What a search sees of a slot has the
form of `analysis.levels.seen.Seen`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import nan
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from analysis.evidence.pool_series import PoolSeries
from analysis.evidence.resources import Pool
from analysis.levels.margins import Fullness
from analysis.levels.seen import Seen
from analysis.words.values import Measurement, Outcome, RuleRow
from harness.run.search import Wanted
from recording.arrays import Bools, Floats
from recording.levels import Level
from recording.metric_names import POOL_HOLD_BUCKET, POOL_HOLD_COUNT
from recording.profile import JOURNEY
from recording.series_reader import Series

SUBJECT, LABEL = "inventory-lock-service", "locks/0"
RULE = "utilization < 90 %"
SAMPLED_S, GAP_S = 0.5, 1.0
BOUNDS_S = (*(0.001 * 2.0**k for k in range(20)), np.inf)


@dataclass(frozen=True, slots=True)
class Shop:
    """``slow`` of the journeys hold for ``ttl_s``, and then until the sweeper has freed them.

    The others hold for ``hold_s`` on average (log-normal). ``swept_per_s`` 0: at once.
    """

    size: int = 64
    hold_s: float = 0.9
    spread: float = 0.2
    slow: float = 0.0
    ttl_s: float = 300.0
    swept_per_s: float = 0.0
    even: bool = False


@dataclass(slots=True)
class Play:
    """One shop in the course of one search."""

    shop: Shop
    rng: np.random.Generator
    now_s: float = 0.0
    taken_s: Floats = field(default_factory=lambda: np.empty(0))
    back_s: Floats = field(default_factory=lambda: np.empty(0))

    def slot(self, wanted: Wanted, number: int) -> Seen:
        """Play one, and see it."""
        level = Level(
            number, self.now_s, self.now_s + max(SAMPLED_S, wanted.cut_s),
            self.now_s + wanted.seconds, wanted.load, {}, wanted.why,
        )  # fmt: skip
        if not wanted.load:  # a rest that is over as soon as nobody waits, and nobody does
            level = replace(level, end_s=level.start_s + 2.0)
        self._load(level)
        self.now_s = level.end_s + GAP_S
        return self._seen(level)

    def _load(self, level: Level) -> None:
        length_s = level.end_s - level.start_s
        n = (
            round(level.load * length_s)
            if self.shop.even
            else self.rng.poisson(level.load * length_s)
        )
        places = (np.arange(n) + 0.5) / max(1, n) if self.shop.even else np.sort(self.rng.random(n))
        taken = level.start_s + places * length_s
        hold = self.shop.hold_s * self.rng.lognormal(
            -(self.shop.spread**2) / 2, self.shop.spread, n
        )
        slow = self.rng.random(n) < self.shop.slow
        back = np.where(slow, self._swept(taken + self.shop.ttl_s, slow), taken + hold)
        self.taken_s = np.append(self.taken_s, taken)
        self.back_s = np.append(self.back_s, back)

    def _swept(self, expires_s: Floats, slow: Bools) -> Floats:
        """One after the other, at the sweeper's pace."""
        if not self.shop.swept_per_s:
            return expires_s
        swept = expires_s.copy()
        before = self.back_s[self.back_s - self.taken_s >= self.shop.ttl_s]
        last_s = float(before.max()) if before.size else 0.0
        for i in np.flatnonzero(slow):
            last_s = swept[i] = max(expires_s[i], last_s + 1 / self.shop.swept_per_s)
        return swept

    def _seen(self, level: Level) -> Seen:
        t_s = np.arange(level.counted_from_s, level.end_s, SAMPLED_S)
        back = np.sort(self.back_s)
        active = np.searchsorted(self.taken_s, t_s, "right") - np.searchsorted(back, t_s, "right")
        size = np.full(t_s.size, float(self.shop.size))
        zero = np.zeros(t_s.size)
        series = PoolSeries(t_s, size, active.astype(float), zero, zero)
        pool = Pool(SUBJECT, LABEL, series, ())
        used = series.utilization_peak_percent
        broken = () if used < 90 else (_row(used),)
        n = round(level.load * level.counted_s)
        sample = SimpleNamespace(n=n, measure=self._p95)
        resources = Series(dict(self._holds(t_s)), 0)
        case = SimpleNamespace(
            pools={SUBJECT: [pool]}, evidence=SimpleNamespace(resources=resources), memory={}
        )
        seen = SimpleNamespace(
            level=level, case=case, rows=broken, checks=(), broken=broken, holds=not broken,
            spoilt=(), samples={"browse": sample, JOURNEY: sample}, latency=nan,
            broke_otherwise=False, full={SUBJECT: self._fullness(series)},
        )  # fmt: skip
        return cast(Seen, seen)

    def _fullness(self, series: PoolSeries) -> Fullness:
        room = 0.9 * self.shop.size
        return Fullness(series.active / room, 1 / SAMPLED_S, room, starved=False)

    def _p95(self, metric: str) -> Measurement:
        """Of the one step there is: it lasts as long as the connection is held."""
        return Measurement("browse", metric, 1500 * self.shop.hold_s, "ms", 1000)

    def _holds(self, t_s: Floats) -> Mapping[tuple[str, str], Any]:
        held = self.back_s - self.taken_s
        found = {(SUBJECT, f"{POOL_HOLD_COUNT}/{LABEL}"): (t_s, _by(self.back_s, t_s))}
        for bound in BOUNDS_S:
            name = f"{POOL_HOLD_BUCKET}/{LABEL}/{'+Inf' if np.isinf(bound) else f'{bound:g}'}"
            found[SUBJECT, name] = (t_s, _by(self.back_s[held <= bound], t_s))
        return found


def _by(moments_s: Floats, t_s: Floats) -> Floats:
    return np.searchsorted(np.sort(moments_s), t_s, "right").astype(float)


def _row(used: float) -> RuleRow:
    measured = Measurement(SUBJECT, "utilization", used, "%", 1)
    return RuleRow(RULE, SUBJECT, measured, Outcome.FAIL, kind="pool")
