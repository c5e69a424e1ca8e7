"""The timetable that a paired run really had, from its manifest and its events."""

from collections.abc import Mapping, Sequence
from typing import Any

from recording.events import SLOTS_STARTED
from recording.manifest import Manifest
from recording.slots import Slots


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
