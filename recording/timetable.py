"""What a run's timetable really was, from its events: its phases, and a paired run's slots."""

from collections.abc import Mapping, Sequence
from typing import Any

from recording.clock import is_moment
from recording.events import PHASE_STARTED, PHASES_ENDED, SLOTS_STARTED
from recording.manifest import Manifest, MeasuredPhase
from recording.slots import Slots


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


Pauses = Sequence[tuple[float, float | None]]
"""Start and end of each, s since the run's epoch; None for one that lasts."""


def pauses_of(events: Sequence[Mapping[str, Any]]) -> Pauses:
    """When the load stood still: from the pause to the moment at which the plan went on."""
    turns = [
        row
        for row in events
        if row.get("event") in (PHASE_STARTED, PHASES_ENDED) and is_moment(row.get("t_s"))
    ]
    ends = (*(float(row["t_s"]) for row in turns[1:]), None)
    found = ((float(row["t_s"]), end_s) for row, end_s in zip(turns, ends, strict=False)
             if row.get("paused"))  # fmt: skip
    return tuple(found)


def paused_s(pauses: Pauses, t_s: float) -> float:
    """How much of the time up to a moment the load stood still, s."""
    return sum(
        max(0.0, (t_s if end_s is None else min(t_s, end_s)) - start_s) for start_s, end_s in pauses
    )


def slots_of(manifest: Manifest, events: Sequence[Mapping[str, Any]]) -> Slots | None:
    """None where the run is not paired, or ended before its first slot was due."""
    gate, paired = manifest.profile.gate, manifest.paired
    starts = [row.get("start_s") for row in events if row.get("event") == SLOTS_STARTED]
    if gate is None or paired is None or not starts or not isinstance(starts[0], int | float):
        return None
    return gate.slots(float(starts[0]), paired.head_first)


def borders_s(slots: Slots) -> list[float]:
    """Where the recorder began a new interval: at each slot, and where its requests count."""
    starts = [slots.start_of(slot) for slot in range(slots.count + 1)]
    return starts + [slots.counted_from(slot) for slot in range(slots.count)]
