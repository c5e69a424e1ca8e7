"""``[tune]`` of a profile: how services that the run did not start are told a setting."""

from typing import Annotated, Literal

from pydantic import Field

from recording.durations import DurationS
from recording.tables import Table


class Tune(Table):
    """How `loadgate tune` changes a setting of services at urls, between two slots."""

    apply: str = Field(min_length=1)
    """A command, not a shell's: ``{value}`` and ``{setting}`` are filled in."""
    ready: Annotated[str, Field(pattern=r"^https?://\S+$")] | Literal[""] = ""
    """What is asked afterwards, until it answers 2xx."""
    within: DurationS = Field(default=60.0, gt=0)
    """The deadline of both together."""
