"""``[tune]`` of a profile: how services that are not the mocks are told a setting."""

import shlex

from pydantic import Field

from recording.durations import DurationS
from recording.tables import Table


class Tune(Table):
    """How `loadgate tune` changes a setting of services that are not its mocks, between two slots.

    What `[arm]` starts needs none: it is started anew, with the setting as a variable.
    """

    apply: str = Field(min_length=1)
    """A command, not a shell's: ``{value}``, ``{setting}`` (the key) and ``{url}`` (the service's)
    are filled in."""
    ready: str = Field(default="", pattern=r"^(https?://\S+)?$")
    """What is asked afterwards, until it answers 2xx."""
    within: DurationS = Field(default=60.0, gt=0)
    """The deadline of both together."""

    def told(self, setting: str, value: float, url: str) -> list[str]:
        """The words of ``apply``, filled in after the command is split: no value is more than one.
        ``url`` is the service's.
        """
        filled = {"{value}": f"{value:.12g}", "{setting}": setting, "{url}": url}
        found = shlex.split(self.apply)
        for name, text in filled.items():
            found = [word.replace(name, text) for word in found]
        return found
