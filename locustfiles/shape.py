"""Turns the profile's phases into Locust's load shape, and says when each really began."""

from collections.abc import Callable
from math import ceil

from locust import LoadTestShape

from locustfiles.breaks import BREAKS, moment_of
from locustfiles.levels import Levels
from locustfiles.pausing import Pausing
from locustfiles.plan import Plan

MAX_SPAWN_RATE = 200.0
"""Users per second that Locust may start or stop at once; small batches do not stall others."""
PAUSED = "paused"
"""What the phase is called in which the plan stands still."""


class PhaseShape(LoadTestShape):
    """Users follow straight lines between phases; ``stop_early`` ends the run in good order."""

    abstract = True
    plan: Plan
    levels: Levels | None = None
    pausing: Pausing | None = None
    on_phase: Callable[[str, float, bool, bool], None] = staticmethod(lambda *_: None)
    on_end: Callable[[float], None] = staticmethod(lambda *_: None)

    def __init__(self) -> None:
        super().__init__()
        self._phase = -1
        self._said_s = 0.0
        self.stopping = False

    def stop_early(self) -> None:
        """End at the next tick, letting requests in flight finish."""
        self.stopping = True

    def tick(self) -> tuple[int, float] | None:
        """Users wanted now; None once every user has stopped and every worker reported."""
        now_s = self.plan.clock.now_s()
        began_s = now_s - self.get_run_time()
        if not self.stopping:
            self._turn(now_s, began_s)
        planned_s = self._planned_s(now_s, began_s)
        users = None if self.stopping else self._wanted(planned_s)
        if users is None:
            over_s = self.plan.profile.load.duration_s - planned_s
            self.on_end(max(self._said_s, now_s if self.stopping else now_s + over_s))
            if self.runner is not None:
                # runner.stop() waits for requests in flight and the workers' last reports;
                # returning None alone gives them half a second (Locust 2.47, MasterRunner.quit).
                self.runner.stop()
            return None
        return ceil(users if self.pausing is None else self.pausing.users(users)), MAX_SPAWN_RATE

    def _planned_s(self, now_s: float, began_s: float) -> float:
        """How far the plan is, s: the time since the load began, without its pauses."""
        return BREAKS.without(moment_of(now_s)) - moment_of(began_s)

    def _wanted(self, t_s: float) -> float | None:
        load = self.plan.profile.load
        level = load.intended(t_s)
        if level is not None and load.model == "users" and self.levels is not None:
            return self.levels.users_at(self.plan.clock.now_s())
        if level is None or load.model == "users":
            return level
        return float(load.max_concurrent)

    def _turn(self, now_s: float, began_s: float) -> None:
        """Say which phases began, and whether the plan stood still or went on."""
        turns = () if self.pausing is None else self.pausing.turns(now_s)
        for at_s, paused in turns:
            self._announce(at_s, began_s)
            phase = self.plan.profile.load.phases[max(0, self._phase)]
            name, measured = (PAUSED, False) if paused else (phase.name, phase.measured)
            self._say(name, at_s, measured, paused=paused)
        self._announce(now_s, began_s)

    def _announce(self, until_s: float, began_s: float) -> None:
        """Every phase that began since the last tick, each with its own moment.

        Locust ticks once a second, and later while it spawns: a phase may begin and end between.
        """
        t_s = self._planned_s(until_s, began_s)
        behind_s = until_s - began_s - t_s
        starts_s = 0.0
        for number, phase in enumerate(self.plan.profile.load.phases):
            if starts_s > t_s:
                return
            if number > self._phase:
                self._phase = number
                self._say(phase.name, began_s + behind_s + starts_s, phase.measured, paused=False)
            starts_s += phase.duration

    def _say(self, name: str, t_s: float, measured: bool, *, paused: bool) -> None:
        self._said_s = t_s
        self.on_phase(name, t_s, measured, paused)
