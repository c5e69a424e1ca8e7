"""What a run's timetable really was, from its events: its phases, and a paired run's slots."""

from collections.abc import Mapping, Sequence
from typing import Any

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
