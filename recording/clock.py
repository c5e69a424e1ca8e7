"""The run's clock: seconds since its start on the monotonic clock, which no one can set back."""

import time
from dataclasses import dataclass
from typing import TypeGuard

LATEST_S = 1e9
"""No run lasts thirty years: a later moment in a recording is damage."""


@dataclass(frozen=True, slots=True)
class RunClock:
    """``epoch_s`` on the monotonic clock and ``epoch_wall_s`` on the wall clock are one moment."""

    epoch_s: float
    epoch_wall_s: float

    @classmethod
    def start(cls) -> "RunClock":
        """A clock that reads zero now."""
        return cls(time.monotonic(), time.time())

    def now_s(self) -> float:
        """Seconds since the run's start."""
        return time.monotonic() - self.epoch_s


def is_moment(value: object) -> TypeGuard[float]:
    """Whether a value read from a recording can be seconds since a run's start."""
    return type(value) in (int, float) and 0 <= value <= LATEST_S  # type: ignore[operator]
