"""How far the plan of the load is, and what is said of its phases when they begin."""

from collections.abc import Callable

from locustfiles.breaks import Breaks, moment_of
from locustfiles.pausing import Pausing
from recording.load import Load

PAUSED = "paused"
"""What the phase is called in which the plan stands still."""


class Turns:
    """Of Locust's master; moments are s since the run's epoch, and ``began_s`` is the load's first.

    ``on_phase`` is told name, moment, whether it is measured, and whether the plan stands still.
    """

    def __init__(self, load: Load, breaks: Breaks) -> None:
        self.pausing: Pausing | None = None
        self.on_phase: Callable[[str, float, bool, bool], None] = lambda *_: None
        self.said_s = 0.0
        """The moment of the last phase that was told."""
        self._load = load
        self._breaks = breaks
        self._phase = -1

    def planned_s(self, now_s: float, began_s: float) -> float:
        """The time since the load began, without its pauses."""
        return self._breaks.without(moment_of(now_s)) - moment_of(began_s)

    def take(self, now_s: float, began_s: float) -> None:
        """Tell which phases began, and whether the plan stands still or goes on."""
        turns = () if self.pausing is None else self.pausing.turns(now_s)
        for at_s, paused in turns:
            self._announce(at_s, began_s)
            phase = self._load.phases[max(0, self._phase)]
            name, measured = (PAUSED, False) if paused else (phase.name, phase.measured)
            self._say(name, at_s, measured, paused=paused)
        self._announce(now_s, began_s)

    def _announce(self, until_s: float, began_s: float) -> None:
        """Every phase that began since the last tick, each with its own moment.

        Locust ticks once a second, and later while it spawns: a phase may begin and end between.
        """
        t_s = self.planned_s(until_s, began_s)
        behind_s = until_s - began_s - t_s
        starts_s = 0.0
        for number, phase in enumerate(self._load.phases):
            if starts_s > t_s:
                return
            if number > self._phase:
                self._phase = number
                self._say(phase.name, began_s + behind_s + starts_s, phase.measured, paused=False)
            starts_s += phase.duration

    def _say(self, name: str, t_s: float, measured: bool, *, paused: bool) -> None:
        self.said_s = t_s
        self.on_phase(name, t_s, measured, paused)
