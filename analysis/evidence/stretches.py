"""Stretches of a run, and what they share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stretch:
    """From one moment to another, s since the run's epoch."""

    start_s: float
    end_s: float

    def overlaps(self, others: "Iterable[Stretch]") -> bool:
        """Whether it shares a moment with any of them."""
        return any(one.start_s < self.end_s and self.start_s < one.end_s for one in others)


Stretches = Mapping[str, tuple[Stretch, ...]]
"""By service."""


def joined(stretches: Iterable[Stretch], gap_s: float = 0.0) -> tuple[Stretch, ...]:
    """In order of time; those with no more than the gap between them are one."""
    found: list[Stretch] = []
    for one in sorted(stretches, key=lambda stretch: stretch.start_s):
        if found and one.start_s <= found[-1].end_s + gap_s:
            found[-1] = Stretch(found[-1].start_s, max(found[-1].end_s, one.end_s))
        else:
            found.append(one)
    return tuple(found)
