"""The levels of a search: Locust's master reads them from the harness and tells its workers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from gevent.queue import Queue

from recording.events import LEVEL_ENDED
from recording.levels import Level
from recording.profile import Profile


class Orders:
    """What the harness has newly written into ``events.jsonl`` of what the load is to do."""

    def __init__(self, events: Path, *names: str) -> None:
        self._events = events
        self._names = names
        self._offset = 0

    def new(self) -> list[dict[str, Any]]:
        """The rows since the last call, whole lines only."""
        with self._events.open("rb") as file:
            file.seek(self._offset)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        # Most lines are of others, and need not be parsed.
        ours = (line for line in whole.splitlines() if any(n.encode() in line for n in self._names))
        rows = map(orjson.loads, ours)
        return [row for row in rows if row.get("event") in self._names]


class Levels:
    """Those that this process was told of."""

    def __init__(self) -> None:
        self._coming: Queue[Level] = Queue()
        self._begun: list[Level] = []
        self._ends_s: dict[int, float] = {}

    def told(self, row: dict[str, Any]) -> None:
        """Take an event of the harness: a level will begin, or one is over before its time."""
        if row["event"] == LEVEL_ENDED:
            self._ends_s[row["number"]] = row["end_s"]
            return
        level = Level.of(row)
        self._begun.append(level)
        self._coming.put(level)

    def users_at(self, t_s: float) -> float:
        """Users of the closed model: those of the newest level that has begun."""
        begun = [level.load for level in self._begun if level.start_s <= t_s]
        return begun[-1] if begun else 0.0

    def times_s(self, profile: Profile, worker: int, workers: int) -> Iterator[float]:
        """When this worker's journeys are due, s since the run's epoch; waits for each level."""
        while True:
            level = self._coming.get()
            of_level = level.times_s(profile.load.arrivals, profile.seed, worker, workers)
            for t_s in of_level:
                due_s = level.start_s + t_s
                if due_s >= self._ends_s.get(level.number, level.end_s):
                    break
                yield due_s
