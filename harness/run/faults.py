"""Follows the schedule of a profile's faults while the load goes on.

Connections go wrong in the proxy before a service, its own answers by its behaviour settings. What
was done is in ``events.jsonl``; the judge finds causes without it.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import httpx

from harness.run.events import write_event
from harness.scene.services import Services
from recording.clock import RunClock
from recording.errors import RunFailedError
from recording.events import FAULT_ENDED, FAULT_STARTED, PHASE_STARTED
from recording.faults import Fault
from recording.rundir import RunDir
from recording.tail import Tail

LOOKS_EVERY_S = 0.05
TOLD_WITHIN_S = 5.0
BEHAVIOURS: Mapping[str, Callable[[Fault], dict[str, Any]]] = {
    "malformed_body": lambda fault: {"malformed_body_share": fault.toxicity},
    "retry_after": lambda fault: {
        "unavailable_share": fault.toxicity,
        "retry_after_s": fault.attributes["retry_after"],
    },
    "replica_down": lambda _: {"replicas_down": 1},
}
"""What a service is told for each kind that is not a matter of connections."""


class _Moment(NamedTuple):
    """A fault begins or ends, s since the load's start."""

    t_s: float
    begins: bool
    number: int


class Conductor(threading.Thread):
    """``problem`` says why the schedule could not be followed; "" while it is."""

    def __init__(
        self, faults: Sequence[Fault], services: Services, run: RunDir, clock: RunClock
    ) -> None:
        super().__init__(name="faults", daemon=True)
        self.problem = ""
        self._faults = faults
        self._services = services
        self._run = run
        self._clock = clock
        self._over = threading.Event()
        self._before: dict[int, dict[str, Any]] = {}

    def stop(self) -> None:
        """End every fault that is under way, and the schedule with it."""
        self._over.set()
        if self.is_alive():
            self.join()

    def run(self) -> None:
        """The thread."""
        under_way: set[int] = set()
        try:
            for moment in self._due():
                (self._begin if moment.begins else self._end)(moment.number)
                (under_way.add if moment.begins else under_way.discard)(moment.number)
            for number in sorted(under_way):
                self._end(number)
        except (RunFailedError, httpx.HTTPError, OSError) as error:
            self.problem = f"a fault could not be planted: {error}"

    def _due(self) -> Iterator[_Moment]:
        """Every moment when it has come; ends early when the load does."""
        events, start_s = Tail(self._run.events), None
        while start_s is None:
            started = [row["t_s"] for row in events.rows() if row["event"] == PHASE_STARTED]
            start_s = started[0] if started else None
            if start_s is None and self._over.wait(LOOKS_EVERY_S):
                return
        for moment in self._moments():
            if self._over.wait(max(0.0, start_s + moment.t_s - self._clock.now_s())):
                return
            yield moment

    def _moments(self) -> list[_Moment]:
        """In order; at the same moment what ends comes first."""
        begin = [_Moment(f.at, True, number) for number, f in enumerate(self._faults)]
        end = [_Moment(f.ends_s, False, number) for number, f in enumerate(self._faults)]
        return sorted(begin + end)

    def _begin(self, number: int) -> None:
        fault = self._faults[number]
        if fault.below_http:
            self._proxy.begin(number, fault)
        else:
            wanted = BEHAVIOURS[fault.kind](fault)
            before = self._tell(fault, {})
            self._before[number] = {key: before[key] for key in wanted}
            self._tell(fault, wanted)
        more = {"attributes": fault.attributes, "toxicity": fault.toxicity}
        self._note(FAULT_STARTED, fault, **more)

    def _end(self, number: int) -> None:
        fault = self._faults[number]
        if fault.below_http:
            self._proxy.end(number, fault)
        else:
            self._tell(fault, self._before[number])
        self._note(FAULT_ENDED, fault)

    @property
    def _proxy(self) -> Any:
        return self._services.proxy

    def _tell(self, fault: Fault, changed: Mapping[str, Any]) -> dict[str, Any]:
        """Change a service's behaviour; what is in force now."""
        service = next(s for s in self._services.services if s.name == fault.service)
        answer = httpx.post(
            f"{service.url}/admin/behaviour",
            json=dict(changed),
            headers={"X-Admin-Token": self._services.admin_token},
            timeout=TOLD_WITHIN_S,
            trust_env=False,
        )
        answer.raise_for_status()
        in_force: dict[str, Any] = answer.json()
        return in_force

    def _note(self, event: str, fault: Fault, **more: Any) -> None:
        service = next(s for s in self._services.services if s.name == fault.service)
        about = {"service": service.subject, "kind": fault.kind}
        write_event(self._run, self._clock, event, **about, **more)


@contextlib.contextmanager
def planted(
    faults: Sequence[Fault], services: Services | None, run: RunDir, clock: RunClock
) -> Iterator[Callable[[], str]]:
    """Follows the schedule meanwhile; says why it could not, "" as long as it could."""
    if not faults or services is None:
        yield lambda: ""
        return
    conductor = Conductor(faults, services, run, clock)
    conductor.start()
    try:
        yield lambda: conductor.problem
    finally:
        conductor.stop()
