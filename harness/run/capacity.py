"""Chooses the levels of a search for the largest load at which every rule holds.

Doubling, then at random around the border until its interval is narrow or only the time of a
confirmation is left; then the confirmation, and lower ones while they break a rule. It knows
nothing but what was seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isinf, log, sqrt
from random import Random

import numpy as np

from analysis.capacity.answer import prospect
from analysis.capacity.asked import (
    BORDER,
    CONFIRMATION,
    DOUBLING,
    REST,
    WARM_UP,
    Asked,
    of_stage,
    stage_of,
)
from analysis.capacity.design import border, bracketed, doubled, drawn
from analysis.capacity.trials import ceiling, confirmed, trials
from analysis.levels.seen import Seen
from analysis.limits.thresholds import Thresholds
from harness.run.pools_now import is_idle, queues_up
from harness.run.search import Latest, Wanted
from recording.journey import Journey
from recording.profile import JOURNEY

LATENCY_S = 0.25
"""Of a request, before any was seen: about the seed's slowest step."""
SHORTEST_S, LONGEST_S = 5.0, 15.0
"""What counts of a slot."""
REQUESTS = 400.0
"""That a step should have in it: a p99 takes 368."""
REST_S = 20.0
"""The longest wait for callers who still wait after a bad level."""
FULL_PERCENT = 95.0
MOST_SPOILT = 6
"""Levels that were no evidence, without one that was."""
FEWEST = 14
"""Levels, before an interval is taken for narrow: of few it may be so by chance."""
NEAR = 1.2
"""A ceiling of the harness is looked for until it is so near above what held."""


@dataclass(frozen=True, slots=True)
class CapacityChooser:
    """``start`` is the first load, ``steps`` how many requests the longest journey has."""

    asked: Asked
    thresholds: Thresholds
    journey: Journey
    steps: int
    start: float

    def next(self, seen: Sequence[Seen]) -> Wanted | None:
        """The level after these; None when they are enough."""
        if not seen:
            cut_s = self._cut_s(seen)
            return Wanted(self._runnable(self.start), cut_s + SHORTEST_S, cut_s, {}, WARM_UP)
        if _is_bad(seen[-1]):
            return Wanted(0.0, REST_S, 0.0, {}, f"{REST}: until nobody waits")
        if of_stage(seen, CONFIRMATION):
            return self._after_confirmation(seen)
        return self._slot(seen) or self._confirmation(seen)

    def hopeless(self, wanted: Wanted, latest: Latest) -> bool:
        """Whether so many callers wait that rules are broken by far; of a rest, whether it is over.

        Only of services whose pools have a rule.
        """
        if not wanted.load:
            return all(is_idle(latest.get(subject, {})) for subject in self._ruled())
        return any(queues_up(latest.get(subject, {})) for subject in self._ruled())

    def _ruled(self) -> set[str]:
        return {subject for subject, rule in self.thresholds if rule.metric.kind == "pool"}

    def _slot(self, seen: Sequence[Seen]) -> Wanted | None:
        """One more; None when a confirmation is due."""
        tried = trials(seen)
        load, stage = self._load(seen)
        if load is None:
            return None
        wanted = self._wanted(seen, load, f"{stage}: {self._so_far(seen)}", stage)
        enough = self._left_s(seen) - wanted.seconds < self._confirmation_s(seen)
        return None if enough and any(trial.held for trial in tried) else wanted

    def _load(self, seen: Sequence[Seen]) -> tuple[float | None, str]:
        """None when no further slot is needed."""
        tried, top = trials(seen), ceiling(seen)
        if not tried:
            spoilt = len(of_stage(seen, DOUBLING))
            return (self.start / 2 ** (spoilt // 2) if spoilt < MOST_SPOILT else None), DOUBLING
        if bracketed(tried):
            fit = border(tried)
            narrow = len(tried) >= FEWEST and fit.high - fit.low <= log(1 + self.asked.narrow)
            load = drawn(tried, Random(f"{self.asked.seed}/{len(seen)}"))
            return (None if narrow else min(load, top)), BORDER
        load = doubled(tried, self.start)
        if tried[0].held and not isinf(top):
            most = max(trial.load for trial in tried)
            return (sqrt(most * top) if top > NEAR * most else None), DOUBLING
        return load, DOUBLING

    def _after_confirmation(self, seen: Sequence[Seen]) -> Wanted | None:
        if any(map(confirmed, of_stage(seen, CONFIRMATION))):
            return None
        return self._confirmation(seen)

    def _confirmation(self, seen: Sequence[Seen]) -> Wanted | None:
        """At the lower end of the interval, or below what was not confirmed; None without time."""
        load = self._runnable(prospect(seen, self.asked, self.thresholds))
        cut_s = self._cut_s(seen)
        seconds = cut_s + self.asked.confirm_s
        if not load or self._left_s(seen) < seconds:
            return None
        return Wanted(load, seconds, cut_s, {}, f"{CONFIRMATION}: does {load:.3g} hold?")

    def _wanted(self, seen: Sequence[Seen], load: float, why: str, stage: str) -> Wanted:
        cut_s, load = self._cut_s(seen), self._runnable(load)
        per_s = load / cut_s if self.asked.unit == "users" else load
        counted_s = float(np.clip(REQUESTS / max(per_s, 0.1), SHORTEST_S, LONGEST_S))
        return Wanted(load, cut_s + counted_s, cut_s, {}, why)

    def _runnable(self, load: float) -> float:
        """There is no half user."""
        return float(int(load) or load > 0) if self.asked.unit == "users" else load

    def _cut_s(self, seen: Sequence[Seen]) -> float:
        """What a journey takes to reach its last step: pauses, with their spread, and answers."""
        think, pauses = self.journey.think, self.steps - 1
        spread_s = (think.max - think.min) * sqrt(pauses / 12)
        held = [one for one in seen if one.level.load and one.holds and not one.spoilt]
        answers_s = _answers_s(held[-1]) if held else self.steps * LATENCY_S
        return pauses * think.mean_s + 2 * spread_s + answers_s

    def _confirmation_s(self, seen: Sequence[Seen]) -> float:
        return self._cut_s(seen) + self.asked.confirm_s + 1.0

    def _left_s(self, seen: Sequence[Seen]) -> float:
        return self.asked.within_s - (seen[-1].level.end_s - seen[0].level.start_s)

    def _so_far(self, seen: Sequence[Seen]) -> str:
        """The bracket, for whoever watches."""
        tried = trials(seen)
        most = max((trial.load for trial in tried if trial.held), default=None)
        least = min((trial.load for trial in tried if not trial.held), default=None)
        ends = ("?" if load is None else f"{load:.3g}" for load in (most, least))
        return "holds at {}, breaks at {}".format(*ends)


def _answers_s(one: Seen) -> float:
    """The steps' p95 together, s."""
    steps = (sample for name, sample in one.samples.items() if name != JOURNEY and sample.n)
    return sum(sample.measure("p95").value for sample in steps) / 1000


def _is_bad(one: Seen) -> bool:
    """Whether what it left behind would be measured in the next."""
    if stage_of(one) == REST:
        return False
    pools = [pool.series for pools in one.case.pools.values() for pool in pools]
    return any(
        pool.waiting.size and (np.nanmax(np.append(pool.waiting, 0.0)) > 0) for pool in pools
    ) or any(pool.utilization_peak_percent > FULL_PERCENT for pool in pools)
