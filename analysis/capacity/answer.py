"""What a search found: the largest load, how sure that is, and what it rests on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, inf, isfinite, sqrt

from analysis.capacity.asked import CONFIRMATION, Asked, of_stage
from analysis.capacity.design import border, bracketed, safe
from analysis.capacity.gives import Gave, gives_first
from analysis.capacity.slow import Limit, limits
from analysis.capacity.trials import ceiling, confirmed, refuted, trials
from analysis.levels.seen import Seen
from analysis.limits.thresholds import Thresholds
from recording.profile import JOURNEY

BELOW = 0.95
"""Of a load whose confirmation broke a rule, what is confirmed next."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The largest load at which every rule holds, with its 95 % interval.

    ``at_least``: generator or host gave first, or nothing did, so there is no upper end. ``held``
    is the largest load of a confirmation that held; 0 where none did. ``limit`` is what a pool
    carries for good, where that is less than what slots say. ``per_journey`` is requests.
    ``border`` is what slots alone say: load, and interval; None where it is open.
    """

    load: float
    low: float
    high: float
    at_least: bool
    held: float
    gave: Gave | None
    limit: Limit | None
    per_journey: float
    border: tuple[float, float, float] | None = None

    @property
    def nothing_held(self) -> bool:
        """Whether every level broke a rule, so that ``load`` is beyond what holds."""
        return not (self.low or self.per_journey or self.limit)


def answer(seen: Sequence[Seen], asked: Asked, thresholds: Thresholds) -> Answer | None:
    """Of what was seen so far; None while nothing held and nothing was in a bracket."""
    found = _from_slots(seen)
    if found is None:
        return None
    found = _as_confirmed(found, seen)
    limit = next(iter(limits(seen, asked, thresholds)), None)
    if limit is not None and limit.load < found.load:
        low = 0.0 if limit.at_most else min(limit.low, found.load)
        high = min(limit.high, found.high)
        return replace(found, load=limit.load, low=low, high=high, at_least=False, limit=limit)
    return found


def nothing_held(seen: Sequence[Seen]) -> Answer | None:
    """Where each level that is evidence broke a rule: what holds is less than the least of them.

    None where one held, or none was evidence.
    """
    tried = trials(seen)
    broke = [trial.load for trial in tried]
    broke += [one.level.load for one in of_stage(seen, CONFIRMATION) if refuted(one)]
    if not broke or any(trial.held for trial in tried):
        return None
    least = min(broke)
    return Answer(least, 0.0, least, False, 0.0, gives_first(seen, least), None, 0.0)


def _from_slots(seen: Sequence[Seen]) -> Answer | None:
    tried = trials(seen)
    per_journey = requests_per_journey(seen)
    held = max((s.level.load for s in of_stage(seen, CONFIRMATION) if confirmed(s)), default=0.0)
    if bracketed(tried):
        fit = border(tried)
        load, low, high = (exp(x) for x in (fit.x, fit.low, fit.high))
        if ceiling(seen) < low:
            return Answer(load, low, inf, True, held, None, None, per_journey)
        gave, border_ = gives_first(seen, load), (load, low, high)
        return Answer(load, low, high, False, held, gave, None, per_journey, border_)
    most = max((trial.load for trial in tried if trial.held), default=0.0)
    return Answer(most, most, inf, True, held, None, None, per_journey) if most else None


def _as_confirmed(found: Answer, seen: Sequence[Seen]) -> Answer:
    """A run is longer than a slot: where it broke what slots held, the border is between runs."""
    broke = [s.level.load for s in of_stage(seen, CONFIRMATION) if refuted(s)]
    if not broke or min(broke) > found.load:
        return found
    least = min(broke)
    gave = found.gave or gives_first(seen, least)
    if not found.held:
        return replace(found, load=least, low=0.0, at_least=False, gave=gave)
    middle = sqrt(found.held * least)
    high = found.high if isfinite(found.high) else least
    return replace(found, load=middle, low=found.held, high=high, at_least=False, gave=gave)


def requests_per_journey(seen: Sequence[Seen]) -> float:
    """Where every rule held; 0 where that was never seen."""
    held = [one for one in seen if one.level.load and one.holds and not one.spoilt]
    begun = sum(one.level.load * one.level.counted_s for one in held)
    return sum(one.samples[JOURNEY].n for one in held) / begun if begun else 0.0


def prospect(seen: Sequence[Seen], asked: Asked, thresholds: Thresholds) -> float:
    """The load to confirm next: the lower end of the interval, or below what a run broke."""
    tried = trials(seen)
    if bracketed(tried):
        low = safe(tried)
    else:
        low = max((trial.load for trial in tried if trial.held), default=0.0)
    for one in of_stage(seen, CONFIRMATION):
        if not confirmed(one):
            low = min(low, one.level.load * BELOW)
    least = next(iter(limits(seen, asked, thresholds)), None)
    return min(low, least.low if least else inf)
