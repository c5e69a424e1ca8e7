"""locustfiles/pausing.py, turns.py and arrivals.py: a pause shifts the plan and loses nothing."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gevent
import pytest

from locustfiles.arrivals import Dispatcher
from locustfiles.breaks import Breaks, moment_of
from locustfiles.levels import Orders
from locustfiles.pausing import LEAD_S, Pausing, heed
from locustfiles.turns import Turns
from recording.clock import RunClock
from recording.events import PAUSE_ASKED, PHASE_STARTED, PHASES_ENDED, RESUME_ASKED
from recording.jsonl import JsonLinesWriter
from recording.load import Load, Phase
from recording.profile import Profile
from recording.timetable import paused_s, pauses_of, phases_of

LOAD = Load(
    phases=(
        Phase(name="ramp-up", duration=10, users=20),
        Phase(name="sustained", duration=30, users=20, measured=True),
    )
)
PROFILE = Profile(name="paused", load=LOAD)
BEGAN_S = 100.0


class Played:
    """A load on a clock of its own, ticked once a second; ``events`` as the collector has them."""

    def __init__(self, folder: Path) -> None:
        self.now_s = BEGAN_S
        self.events: list[dict[str, Any]] = []
        self.told: list[Mapping[str, float]] = []
        self.path = folder / "events.jsonl"
        self.path.touch()
        breaks = Breaks()
        orders = Orders(self.path, PAUSE_ASKED, RESUME_ASKED)
        self.pausing = Pausing(PROFILE, breaks, orders, self.told.append)
        self.turns = Turns(LOAD, breaks)
        self.turns.pausing = self.pausing
        self.turns.on_phase = self._phase

    def _phase(self, name: str, t_s: float, measured: bool, paused: bool) -> None:
        row = {"event": PHASE_STARTED, "t_s": t_s, "phase": name, "measured": measured}
        self.events.append(row | ({"paused": True} if paused else {}))

    def ask(self, event: str) -> None:
        """As the harness does."""
        with JsonLinesWriter(self.path) as file:
            file.write({"t_s": self.now_s, "event": event})

    def tick(self, seconds: int = 1, journeys: int = 0) -> list[float | None]:
        """Users wanted at each; a worker says every second what is under way."""
        return [self._tick(journeys) for _ in range(seconds)]

    def _tick(self, journeys: int) -> float | None:
        self.turns.take(self.now_s, BEGAN_S)
        planned_s = self.turns.planned_s(self.now_s, BEGAN_S)
        level = LOAD.intended(planned_s)
        if level is None:
            over_s = planned_s - LOAD.duration_s
            self.events.append({"event": PHASES_ENDED, "t_s": self.now_s - over_s})
            return None
        self.now_s += 1.0
        self.pausing.heard("w1", self.now_s, journeys)
        return self.pausing.users(level)


@pytest.fixture
def played(tmp_path: Path) -> Played:
    return Played(tmp_path)


def test_a_paused_load_still_has_its_whole_measured_phase(played: Played) -> None:
    """Users go when their journeys have ended, and come back; then the plan goes on."""
    assert played.tick(15)[-1] == 20
    played.ask(PAUSE_ASKED)
    assert played.tick(3, journeys=4) == [20, 20, 20]  # journeys under way end
    played.tick(2)
    assert played.tick(5) == [0] * 5
    played.ask(RESUME_ASKED)
    assert played.tick()[0] == 20
    while played.tick()[0] is not None:
        assert played.now_s < 200
    phases = phases_of(played.events)
    assert [p.name for p in phases] == ["ramp-up", "sustained", "paused", "sustained"]
    measured = [p.end_s - p.start_s for p in phases if p.measured and p.end_s]
    assert sum(measured) == pytest.approx(30.0)
    stood_s = paused_s(pauses_of(played.events), played.now_s)
    assert played.events[-1]["t_s"] == pytest.approx(BEGAN_S + LOAD.duration_s + stood_s)


def test_workers_are_told_before_each_moment(played: Played) -> None:
    """All of them know it by then."""
    played.tick(12)
    played.ask(PAUSE_ASKED)
    asked_s = played.now_s
    played.tick(5)
    played.ask(RESUME_ASKED)
    played.tick(6)
    paused, came_back, goes_on = played.told
    assert paused == {"paused_s": asked_s + LEAD_S}
    assert "came_back_s" in came_back
    assert goes_on["goes_on_s"] > came_back["came_back_s"] + LEAD_S


def test_arrivals_are_due_later_by_the_pause() -> None:
    """None is late for it, and none is lost."""
    breaks, dispatcher, began = Breaks(), Dispatcher(), time.monotonic()
    begun: list[float] = []
    user: Any = type("User", (), {"begin": lambda _self, due: begun.append(due)})
    for _ in range(6):
        dispatcher.stand_by(user())
    dues = [began + s for s in (0.0, 0.05, 0.2, 0.25)]
    arriving = gevent.spawn(dispatcher.run, iter(dues), breaks.until)
    breaks.pause(began + 0.1)
    gevent.sleep(0.3)
    assert begun == dues[:2]
    dispatcher.release(breaks.go_on(began + 0.4))
    arriving.join(timeout=5)
    assert begun == pytest.approx([*dues[:2], dues[2] + 0.3, dues[3] + 0.3])
    assert (dispatcher.planned, dispatcher.started) == (4, 4)


def test_who_was_late_before_a_pause_is_no_later_after_it() -> None:
    """Nobody begins meanwhile, though users are free."""
    dispatcher = Dispatcher()
    begun: list[float] = []
    user: Any = type("User", (), {"begin": lambda _self, due: begun.append(due)})()
    dispatcher.arrive(5.0)
    heed({"paused_s": RunClock.start().now_s()}, breaks := Breaks(), dispatcher)
    dispatcher.stand_by(user)
    assert begun == []
    assert breaks.since == moment_of(breaks.since - moment_of(0.0))
    dispatcher.release(30.0)
    assert begun == [35.0]
