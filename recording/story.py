"""The clock of a run that tells a longer story: each phase a piece of it, at a pace of its own.

What was scaled in time and size is told in the story's hours: a moment, a growth an hour. What
was really waited is not.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recording.arrays import Floats


@dataclass(frozen=True, slots=True)
class Piece:
    """So much of the run tells so much of the story, s."""

    run_s: float
    story_s: float


@dataclass(frozen=True)
class Story:
    """Pieces that follow one another from T+0 on; what comes after goes at the last one's pace."""

    pieces: tuple[Piece, ...]

    def told_s(self, run_s: Floats) -> Floats:
        """Moments of the story, s since its start, at those of the run, s since the load's."""
        return _along(run_s, *self._borders)

    def run_s(self, told_s: Floats) -> Floats:
        """The moments of the run that tell those of the story."""
        run, told = self._borders
        return _along(told_s, told, run)

    def told_at_s(self, run_s: float) -> float:
        """Of one moment."""
        return float(self.told_s(np.array([run_s]))[0])

    def run_at_s(self, told_s: float) -> float:
        """Of one moment."""
        return float(self.run_s(np.array([told_s]))[0])

    @property
    def length_s(self) -> float:
        """Of the whole story, s."""
        return sum(piece.story_s for piece in self.pieces)

    @property
    def borders_s(self) -> tuple[float, ...]:
        """Where pieces begin and end, s of the run."""
        return tuple(self._borders[0].tolist())

    @property
    def most_times(self) -> float:
        """How many times as fast as the story its fastest piece is."""
        return max(piece.story_s / piece.run_s for piece in self.pieces)

    @cached_property
    def _borders(self) -> tuple[Floats, Floats]:
        """Of the pieces, in the run and in the story, s."""
        run = np.cumsum([0.0, *(piece.run_s for piece in self.pieces)])
        told = np.cumsum([0.0, *(piece.story_s for piece in self.pieces)])
        return run, told


def _along(x: Floats, known: Floats, values: Floats) -> Floats:
    """Straight lines through known points, the first and the last one longer."""
    piece = np.clip(np.searchsorted(known, x, side="right") - 1, 0, len(known) - 2)
    pace = np.diff(values) / np.diff(known)
    return np.asarray(values[piece] + (x - known[piece]) * pace[piece], dtype=np.float64)
