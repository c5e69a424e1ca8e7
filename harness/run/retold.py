"""Tells services what a phase of the profile has for them, when it begins.

What was told is in ``events.jsonl``.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harness.run.events import write_event
from harness.scene.behaviour import change_all
from harness.scene.running import running_of
from harness.scene.services import Services, named_services
from recording.clock import RunClock
from recording.errors import LoadgateError
from recording.events import PHASE_STARTED, SETTINGS_CHANGED
from recording.load import Load
from recording.rundir import RunDir
from recording.tail import Tail

LOOKS_EVERY_S = 0.05
Tables = Mapping[str, Mapping[str, Any]]


class Teller(threading.Thread):
    """``problem`` says why a service could not be told; "" while all could."""

    def __init__(
        self, tables: Mapping[str, Tables], services: Services, run: RunDir, clock: RunClock
    ) -> None:
        super().__init__(name="retold", daemon=True)
        self.problem = ""
        self._tables = tables
        self._running = running_of(services, 0, 0)
        self._run = run
        self._clock = clock
        self._over = threading.Event()

    def stop(self) -> None:
        """No phase begins any more."""
        self._over.set()
        self.join()

    def run(self) -> None:
        """The thread."""
        events = Tail(self._run.events)
        try:
            while not self._over.wait(LOOKS_EVERY_S):
                for row in events.rows():
                    if row["event"] == PHASE_STARTED and row["phase"] in self._tables:
                        self._tell(row["phase"])
        except (LoadgateError, OSError) as error:
            self.problem = f"a phase could not tell the services: {error}"

    def _tell(self, phase: str) -> None:
        tables = self._tables[phase]
        change_all(self._running, tables)
        write_event(self._run, self._clock, SETTINGS_CHANGED, phase=phase, settings=tables)


@contextlib.contextmanager
def retold(
    load: Load, services: Services | None, run: RunDir, clock: RunClock
) -> Iterator[Callable[[], str]]:
    """Tells them meanwhile; says why it could not, "" as long as it could."""
    if not load.tells_services or services is None:
        yield lambda: ""
        return
    tables = {
        phase.name: named_services(phase.services, phase.name)
        for phase in load.phases
        if phase.services
    }
    teller = Teller(tables, services, run, clock)
    teller.start()
    try:
        yield lambda: teller.problem
    finally:
        teller.stop()
