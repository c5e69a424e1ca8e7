"""Turns the profile's phases into Locust's load shape."""

from collections.abc import Callable
from math import ceil

from locust import LoadTestShape

from locustfiles.breaks import BREAKS
from locustfiles.levels import Levels
from locustfiles.plan import Plan
from locustfiles.turns import Turns

MAX_SPAWN_RATE = 200.0
"""Users per second that Locust may start or stop at once; small batches do not stall others."""


class PhaseShape(LoadTestShape):
    """Users follow straight lines between phases; ``stop_early`` ends the run in good order."""

    abstract = True
    plan: Plan
    levels: Levels | None = None
    on_end: Callable[[float], None] = staticmethod(lambda *_: None)

    def __init__(self) -> None:
        super().__init__()
        self.turns = Turns(self.plan.profile.load, BREAKS)
        self.stopping = False

    def stop_early(self) -> None:
        """End at the next tick, letting requests in flight finish."""
        self.stopping = True

    def tick(self) -> tuple[int, float] | None:
        """Users wanted now; None once every user has stopped and every worker reported."""
        now_s = self.plan.clock.now_s()
        began_s = now_s - self.get_run_time()
        if not self.stopping:
            self.turns.take(now_s, began_s)
        planned_s = self.turns.planned_s(now_s, began_s)
        users = None if self.stopping else self._wanted(planned_s)
        if users is None:
            over_s = 0.0 if self.stopping else planned_s - self.plan.profile.load.duration_s
            self.on_end(max(self.turns.said_s, now_s - over_s))
            if self.runner is not None:
                # runner.stop() waits for requests in flight and the workers' last reports;
                # returning None alone gives them half a second (Locust 2.47, MasterRunner.quit).
                self.runner.stop()
            return None
        return ceil(users), MAX_SPAWN_RATE

    def _wanted(self, t_s: float) -> float | None:
        load, pausing = self.plan.profile.load, self.turns.pausing
        level = load.intended(t_s)
        if level is None:
            return None
        if load.model == "arrivals":
            level = float(load.max_concurrent)
        elif self.levels is not None:
            level = self.levels.users_at(self.plan.clock.now_s())
        return level if pausing is None else pausing.users(level)
