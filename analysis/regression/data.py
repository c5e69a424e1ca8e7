"""What the paired gate is given: the histograms of both arms, round by round."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recording.arrays import Bools, Floats, Ints


@dataclass(frozen=True, slots=True)
class GateData:
    """The histograms of a paired run: one base and one head slot in every round.

    `values_us` are the ascending midpoints of the k buckets; `base` and `head` count requests,
    [round, endpoint, k]; `head_first[r]` is True where round r loaded head before base.
    `control` names endpoints that no change touches: measured, not judged. `derived` names
    sums of other endpoints (the journey): judged, never taken as evidence about the host.

    Raises ValueError when shapes, counts or names do not fit together.
    """

    endpoints: tuple[str, ...]
    values_us: Floats
    base: Ints
    head: Ints
    head_first: Bools
    control: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        rounds, shape = len(self.head_first), self.base.shape
        expected = (rounds, len(self.endpoints), len(self.values_us))
        if not (shape == self.head.shape == expected and min(expected) > 0):
            raise ValueError(
                f"base {shape} and head {self.head.shape} need (rounds, endpoints, buckets) ="
                f" {expected}, none of them 0"
            )
        if self.values_us[0] <= 0 or np.any(np.diff(self.values_us) <= 0):
            raise ValueError("values_us must be positive and ascending")
        if self.base.min() < 0 or self.head.min() < 0:
            raise ValueError("counts must not be negative")
        unknown = ({*self.control} | {*self.derived}) - {*self.endpoints}
        if unknown or len(set(self.endpoints)) < len(self.endpoints):
            raise ValueError(f"endpoints need unique names; not among them: {sorted(unknown)}")
        if not self.judged:
            raise ValueError("every endpoint is a control: nothing is left to judge")

    @property
    def rounds(self) -> int:
        """How many rounds were run."""
        return len(self.head_first)

    @property
    def judged(self) -> tuple[str, ...]:
        """The endpoints that get a verdict."""
        return tuple(name for name in self.endpoints if name not in self.control)

    def upto(self, rounds: int) -> GateData:
        """The first so many rounds."""
        seen = slice(rounds)
        return replace(
            self, base=self.base[seen], head=self.head[seen], head_first=self.head_first[seen]
        )
