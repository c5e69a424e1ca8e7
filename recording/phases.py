"""The phases of a run as they really happened, from the generator's events."""

from collections.abc import Mapping, Sequence
from typing import Any

from recording.events import PHASE_STARTED, PHASES_ENDED
from recording.manifest import MeasuredPhase


def phases_of(events: Sequence[Mapping[str, Any]]) -> tuple[MeasuredPhase, ...]:
    """Start and end of each phase that began; a phase that was cut off has no end."""
    timed = [row for row in events if isinstance(row.get("t_s"), int | float)]
    starts = [row for row in timed if row.get("event") == PHASE_STARTED]
    if not starts:
        return ()
    ends = [row for row in timed if row.get("event") == PHASES_ENDED]
    borders: list[float | None] = [float(row["t_s"]) for row in starts[1:]]
    borders.append(float(ends[0]["t_s"]) if ends else None)
    return tuple(
        MeasuredPhase(
            name=str(row.get("phase", "")),
            start_s=float(row["t_s"]),
            end_s=end_s,
            measured=bool(row.get("measured")),
        )
        for row, end_s in zip(starts, borders, strict=True)
    )
