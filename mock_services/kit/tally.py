"""Counting values into buckets, on the hot path."""

from bisect import bisect_left
from collections.abc import Sequence


class Tally:
    """How many values fell into each bucket, and their sum; bounds are inclusive upper ones."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value
