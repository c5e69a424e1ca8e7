"""Turns the profile's phases into Locust's load shape, and says when each really began."""

from collections.abc import Callable
from math import ceil

from locust import LoadTestShape

from locustfiles.levels import Levels
from locustfiles.plan import Plan

MAX_SPAWN_RATE = 200.0
"""Users per second that Locust may start or stop at once; small batches do not stall others."""


class PhaseShape(LoadTestShape):
    """Users follow straight lines between phases; ``stop_early`` ends the run in good order."""

    abstract = True
    plan: Plan
    levels: Levels | None = None
    on_phase: Callable[[str, float, bool], None] = staticmethod(lambda *_: None)
    on_end: Callable[[float], None] = staticmethod(lambda *_: None)

    def __init__(self) -> None:
        super().__init__()
        self._phase = -1
        self.stopping = False

    def stop_early(self) -> None:
        """End at the next tick, letting requests in flight finish."""
        self.stopping = True

    def tick(self) -> tuple[int, float] | None:
        """Users wanted now; None once every user has stopped and every worker reported."""
        t_s = self.get_run_time()
        began_s = self.plan.clock.now_s() - t_s
        users = None if self.stopping else self._wanted(t_s)
        if not self.stopping:
            self._announce(t_s, began_s)
        if users is None:
            self.on_end(began_s + (t_s if self.stopping else self.plan.profile.load.duration_s))
            if self.runner is not None:
                # runner.stop() waits for requests in flight and the workers' last reports;
                # returning None alone gives them half a second (Locust 2.47, MasterRunner.quit).
                self.runner.stop()
            return None
        return ceil(users), MAX_SPAWN_RATE

    def _wanted(self, t_s: float) -> float | None:
        load = self.plan.profile.load
        level = load.intended(t_s)
        if level is not None and load.model == "users" and self.levels is not None:
            return self.levels.users_at(self.plan.clock.now_s())
        if level is None or load.model == "users":
            return level
        return float(load.max_concurrent)

    def _announce(self, t_s: float, began_s: float) -> None:
        """Every phase that began since the last tick, each with its own moment.

        Locust ticks once a second, and later while it spawns: a phase may begin and end between.
        """
        starts_s = 0.0
        for number, phase in enumerate(self.plan.profile.load.phases):
            if starts_s > t_s:
                return
            if number > self._phase:
                self._phase = number
                self.on_phase(phase.name, began_s + starts_s, phase.measured)
            starts_s += phase.duration
