"""Which level a search for a setting tries next: first the whole range, then around the border.

Levels are in random order, so that a drift of the host is no trend of the setting. At the end the
answer is confirmed for a minute; where that does not pass, the next safer level is, once.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

from analysis.levels.seen import Seen, see
from analysis.limits.thresholds import Thresholds
from analysis.tuning.answer import Answer, answered, rounded, safer
from analysis.tuning.asked import CONFIRMATION, PRESENT, Asked, Setting
from analysis.tuning.confirmed import Confirmed, confirmed
from analysis.tuning.slot import slot_of, tightened
from harness.run.pools_now import queues_up
from harness.run.search import Latest, Wanted

COARSE, COARSE_OF_TWO = 6, 4
"""Levels over the whole range, of one setting and of each of two."""
APART = 1.1
"""Between the levels around the border, and at most as wide is an interval that will do."""
FEWEST = 4
"""Batches around the border, before an interval is believed to be narrow."""
CONFIRMATIONS = 2
BETWEEN_S = 2.0
"""From slot to slot: what was recorded is read, the next is announced."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Lengths, s: of a slot, of what is cut off at its start, and of the whole search."""

    slot_s: float
    cut_s: float
    within_s: float


class Tuner:
    """A `Chooser`. ``say`` is told of each slot that is over."""

    def __init__(
        self,
        asked: Asked,
        thresholds: Thresholds,
        pace: Pace,
        subject: str,
        seed: int,
        say: Callable[[str], None],
    ) -> None:
        self.tight = tightened(thresholds, asked.headroom)
        self._asked = asked
        self._thresholds = thresholds
        self._pace = pace
        self._subject = subject
        self._random = random.Random(seed)
        self._say = say
        self._queue = self._shuffled(self._coarse())
        self._batches = 0
        self._tried = 0

    def next(self, seen: Sequence[Seen]) -> Wanted | None:
        """The level after these; None when they are enough."""
        if seen:
            self._tell(seen[-1])
        if seen and seen[-1].level.why == CONFIRMATION:
            return self._after(seen[-1])
        if not self._queue:
            answer = self._answer(seen)
            if self._enough(seen, answer):
                return self._confirmation(answer.levels) if answer.levels else None
            self._batches += 1
            self._queue = self._shuffled(self._around(answer))
        levels, load = self._queue.pop()
        why = PRESENT if levels == self._present else ""
        return self._wanted(levels, load, self._pace.slot_s, why)

    def hopeless(self, wanted: Wanted, latest: Latest) -> bool:
        """Whether callers queue up for the pool as they will go on to."""
        return wanted.why != CONFIRMATION and queues_up(latest.get(self._subject, {}))

    @property
    def _present(self) -> tuple[float, ...]:
        return tuple(setting.present for setting in self._asked.settings)

    def _coarse(self) -> list[tuple[float, ...]]:
        settings = self._asked.settings
        if len(settings) > 1:
            one, other = (spread(setting, COARSE_OF_TWO) for setting in settings)
            return [*((a, b) for a in one for b in other), self._present]
        found = {(value,) for value in spread(settings[0], COARSE)}
        return [*(found - {self._present}), self._present, self._present]

    def _around(self, answer: Answer) -> list[tuple[float, ...]]:
        """Of one setting levels at the border and on both sides; of two the answer again."""
        if not answer.levels:
            setting = self._asked.setting
            edge = setting.high if setting.cheaper == "less" else setting.low
            return [(edge,)] if len(self._asked.settings) == 1 else []
        if len(self._asked.settings) > 1:
            return [answer.levels]
        setting, (at,) = self._asked.setting, answer.levels
        around = {rounded(setting, at * APART**k) for k in (-1, 0, 1)}
        return [(value,) for value in around]

    def _shuffled(
        self, levels: Sequence[tuple[float, ...]]
    ) -> list[tuple[tuple[float, ...], float]]:
        every = [(one, load) for one in sorted(levels) for load in self._asked.loads]
        self._random.shuffle(every)
        return every

    def _answer(self, seen: Sequence[Seen]) -> Answer:
        keys = [setting.key for setting in self._asked.settings]
        slots = [
            slot_of(s, tuple(float(s.level.settings[key]) for key in keys), self.tight)
            for s in seen
            if not s.spoilt
        ]
        return answered(slots, self._asked) if slots else Answer()

    def _enough(self, seen: Sequence[Seen], answer: Answer) -> bool:
        pace = self._pace
        spent_s = seen[-1].level.end_s - seen[0].level.start_s
        batch_s = len(self._around(answer)) * len(self._asked.loads) * (pace.slot_s + BETWEEN_S)
        last_s = self._asked.confirm_s + pace.cut_s + BETWEEN_S
        if spent_s + batch_s + last_s > pace.within_s or not batch_s:
            return True
        if not answer.levels or len(self._asked.settings) > 1:
            return self._batches >= 1
        narrow = all(_is_narrow(b.low, b.high) for _, b in answer.borders if not b.edge)
        return self._batches >= FEWEST and narrow

    def _confirmation(self, levels: tuple[float, ...]) -> Wanted:
        self._tried += 1
        seconds = self._asked.confirm_s + self._pace.cut_s
        load = max(self._asked.loads)
        return self._wanted(levels, load, seconds, CONFIRMATION)

    def _after(self, seen: Seen) -> Wanted | None:
        found = self._confirmed(seen)
        if found.passed or len(self._asked.settings) > 1 or self._tried >= CONFIRMATIONS:
            return None
        at = found.levels[0]
        again = at if found.spoilt else safer(self._asked.setting, at)
        return self._confirmation((again,)) if found.spoilt or again != at else None

    def _confirmed(self, seen: Seen) -> Confirmed:
        keys = [setting.key for setting in self._asked.settings]
        levels = tuple(float(seen.level.settings[key]) for key in keys)
        return confirmed(see(seen.case.evidence, seen.level, self._thresholds), levels)

    def _wanted(self, levels: tuple[float, ...], load: float, seconds: float, why: str) -> Wanted:
        pairs = zip(self._asked.settings, levels, strict=True)
        settings = {setting.key: setting.written(value) for setting, value in pairs}
        return Wanted(load * self._asked.load, seconds, self._pace.cut_s, settings, why)

    def _tell(self, seen: Seen) -> None:
        level = seen.level
        at = ", ".join(f"{key} = {value:g}" for key, value in level.settings.items())
        if level.why == CONFIRMATION:
            said = str(self._confirmed(seen))
        elif seen.spoilt:
            said = f"no evidence: {seen.spoilt[0]}"
        else:
            row = next(iter(seen.broken), None)
            said = f"{row.measurement.subject} {row.rule}: {row.measurement.shown}" if row else "ok"
        self._say(f"slot {level.number + 1}: {at}, {level.load:g}/s: {said}")


def spread(setting: Setting, count: int) -> list[float]:
    """Levels from end to end, each as many times the one before."""
    ratio = setting.high / setting.low
    steps = max(1, count - 1)
    return sorted({rounded(setting, setting.low * ratio ** (k / steps)) for k in range(count)})


def _is_narrow(low: float, high: float) -> bool:
    return isfinite(low) and isfinite(high) and low > 0 and high / low <= APART
