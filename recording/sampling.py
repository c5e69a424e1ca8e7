"""``[sampling]`` of a profile: how the services are watched."""

from pydantic import Field

from recording.durations import DurationS
from recording.tables import Table


class Sampling(Table):
    """How often services and generator are sampled."""

    interval: DurationS = Field(default=1.0, ge=0.1)
    """How often `/metrics` is read."""
    timeout: DurationS = Field(default=2.0, gt=0)
    """Deadline for the whole page."""
    slow_statement: DurationS = Field(default=1.0, gt=0)
    """From how long on a statement of the checkout's PostgreSQL is a slow one."""
