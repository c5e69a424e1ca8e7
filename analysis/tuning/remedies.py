"""What each lever on a lock pool has to be set to, so that it never runs dry: by the fluid model.

A backlog that grows for minutes, or a replica that comes after minutes, no slot of seconds sees. So
here the mechanism itself is played, with the load's whole plan.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import floor, inf

from analysis.tuning.lock_model import LockSettings, Plan, Told, play

Change = Callable[[str, float], LockSettings]
"""The settings with one of them replaced."""
FACTORS = {"pool_max": 4.0, "scale_threshold_percent": 0.3, "expiry_per_s": 4.0}
"""How far each lever may go, as a multiple of what it is today."""
WHOLE, HALVINGS = ("pool_max", "scale_threshold_percent"), 9


@dataclass(frozen=True, slots=True)
class Remedy:
    """A lever at the least change that suffices. ``peak`` is how full the pool then is, %.

    ``connections`` and ``replica_hours`` are what it costs beyond today, in the plan's own time.
    """

    name: str
    today: float
    value: float
    peak: float
    connections: int
    replica_hours: float

    @property
    def change(self) -> tuple[float, float]:
        """To order them by: connections first, then replica hours."""
        return (max(0, self.connections), max(0.0, round(self.replica_hours, 3)))


def suffices(told: Told, limit_percent: float) -> bool:
    """Whether nobody waited in vain and the pool was never fuller than it may be."""
    return told.exhausted_h is None and told.failed == 0 and told.peak < limit_percent


def remedies(plan: Plan, change: Change, limit_percent: float, headroom: float) -> Iterator[Remedy]:
    """One for each lever that suffices alone. Sweepers that free no more than expires suffice only
    on paper: theirs has the headroom, too.
    """
    before = play(plan)
    for name, factor in FACTORS.items():
        today = float(getattr(plan.settings, name))
        value = _least_change(plan, change, name, today, today * factor, limit_percent)
        if value is not None and name == "expiry_per_s":
            value = max(value, _written(name, _expiring_per_s(plan) / (1 - headroom), inf))
        if value is not None:
            after = play(replace(plan, settings=change(name, value)))
            yield Remedy(
                name,
                today,
                value,
                after.peak,
                after.connections - before.connections,
                after.replica_hours - before.replica_hours,
            )


def _expiring_per_s(plan: Plan) -> float:
    """Locks that nobody confirms, at the peak, for each replica."""
    return plan.peak_per_s * plan.abandoned / plan.settings.replicas


def _least_change(
    plan: Plan, change: Change, name: str, today: float, furthest: float, limit: float
) -> float | None:
    """By bisection; None where even the furthest does not suffice."""

    def enough(value: float) -> bool:
        return suffices(play(replace(plan, settings=change(name, value)), limit), limit)

    good, bad = _written(name, furthest, furthest), today
    if not enough(good):
        return None
    for _ in range(HALVINGS):
        middle = _written(name, (good + bad) / 2, good)
        if middle in (good, bad):
            break
        good, bad = (middle, bad) if enough(middle) else (good, middle)
    return good


def _written(name: str, value: float, towards: float) -> float:
    """As it can be set: rounded towards what suffices."""
    digit = 1.0 if name in WHOLE else 0.01
    up = towards >= value
    return round((-floor(-value / digit) if up else floor(value / digit)) * digit, 6)
