"""Bursts of a profile's open model: when, for how long, and how many times the arrivals."""

from pydantic import ConfigDict, Field

from recording.durations import DurationS
from recording.tables import Table


class Burst(Table):
    """A stretch with ``factor`` times the arrivals; ``at`` counts from the start of the load."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    at: DurationS = Field(ge=0)
    """When it begins, from the start of the load."""
    duration: DurationS = Field(alias="for", gt=0)
    """How long it lasts."""
    factor: float = Field(gt=0, le=1000)
    """How many times the phase's own arrivals."""

    def of(self, t_s: float) -> float:
        """The factor at a moment, s after the load's start."""
        return self.factor if self.at <= t_s < self.at + self.duration else 1.0
