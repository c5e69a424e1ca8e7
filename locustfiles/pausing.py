"""Locust's master pauses the load when the harness says so, and brings it back.

It reads the harness' wish in ``events.jsonl`` and tells its workers. First no journey begins any
more; when all have ended, or have had their time, there are no users. They come back to the level
at which the plan stood still, unmeasured, and then the plan goes on.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from locustfiles.arrivals import Dispatcher
from locustfiles.breaks import Breaks, moment_of
from locustfiles.levels import Orders
from recording.events import PAUSE_ASKED, RESUME_ASKED
from recording.profile import Profile

LEAD_S = 0.5
"""Between what workers are told and its moment: every one of them knows by then."""
BREAK_MESSAGE = "loadgate-break"


def heed(said: Mapping[str, float], breaks: Breaks, dispatcher: Dispatcher) -> None:
    """What a worker does when its master tells it so."""
    if "paused_s" in said:
        dispatcher.held = True
        breaks.pause(moment_of(said["paused_s"]))
    elif "goes_on_s" in said:
        dispatcher.release(breaks.go_on(moment_of(said["goes_on_s"])))
    else:
        breaks.come_back()


State = Literal["loaded", "ending", "empty", "returning", "returned"]


class Pausing:
    """Asked once a tick how many users there may be."""

    def __init__(
        self,
        profile: Profile,
        breaks: Breaks,
        orders: Orders,
        tell: Callable[[Mapping[str, float]], None],
    ) -> None:
        self._profile = profile
        self._breaks = breaks
        self._orders = orders
        self._tell = tell
        self._state: State = "loaded"
        self._moment_s = 0.0
        self._under_way: dict[str, tuple[float, int]] = {}

    def heard(self, worker: str, t_s: float, journeys: int) -> None:
        """How many of a worker's journeys are under way."""
        self._under_way[worker] = t_s, journeys

    def forget(self, worker: str) -> None:
        """A lost worker has none."""
        self._under_way.pop(worker, None)

    def turns(self, now_s: float) -> Iterator[tuple[float, bool]]:
        """Do what was asked for, and what is due: when the plan stands still (True) or goes on."""
        asked = [row["event"] for row in self._orders.new()]
        if self._state == "loaded" and PAUSE_ASKED in asked:
            self._begin(now_s + LEAD_S)
            yield self._moment_s, True
        elif self._state in ("ending", "empty") and RESUME_ASKED in asked:
            self._breaks.come_back()
            self._tell({"came_back_s": now_s})
            self._state = "returning"
        elif self._state == "ending" and self._all_ended(now_s):
            self._state = "empty"
        elif self._state == "returning":  # Locust has begun them all, and each waits for its turn
            self._moment_s = now_s + LEAD_S + self._stagger_s
            self._state = "returned"
        if self._state == "returned" and now_s >= self._moment_s - LEAD_S:
            at_s = max(self._moment_s, now_s + LEAD_S)
            self._breaks.go_on(moment_of(at_s))
            self._tell({"goes_on_s": at_s})
            self._state = "loaded"
            yield at_s, False

    def users(self, planned: float) -> float:
        """How many there may be of those that the plan has."""
        return 0.0 if self._state == "empty" else planned

    def _begin(self, at_s: float) -> None:
        self._moment_s = at_s
        self._breaks.pause(moment_of(at_s))
        self._tell({"paused_s": at_s})
        self._state = "ending"

    def _all_ended(self, now_s: float) -> bool:
        ended = all(t_s > self._moment_s and not n for t_s, n in self._under_way.values())
        return ended or now_s > self._moment_s + self._patience_s

    @property
    def _patience_s(self) -> float:
        """How long a journey may take to its end: as a stop, and a thought before each step."""
        journey = self._profile.journey
        thinks_s = journey.think.max * len(self._profile.flow.order)
        return max(self._profile.load.stop_patience_s, thinks_s)

    @property
    def _stagger_s(self) -> float:
        """What new users wait for at most before their first request."""
        return self._profile.journey.period or 1.0
