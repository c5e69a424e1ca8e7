"""``[validity]`` of a profile: when the run itself is no evidence."""

from pydantic import Field

from recording.durations import DurationS
from recording.tables import Share, Table


class Validity(Table):
    """When the run itself is not evidence. These limits judge the harness, not the shop."""

    users_tolerance: Share = 0.05
    """How far the users may be from the plan, as a share of it."""
    rate_tolerance: Share = 0.10
    """How far the request rate may be from what Little's law says of the users, as a share."""
    undelivered_arrivals: Share = 0.01
    """Open model: share of the arrivals due that may not begin."""
    distortion_p99: DurationS = Field(default=0.040, gt=0)
    """99th percentile of client time minus `X-Response-Time`: what harness and machine add. Of
    services at urls, what is beyond the way there and back."""
    generator_lag_p99: DurationS = Field(default=0.040, gt=0)
    """99th percentile of how late the generator's timers fire."""
    generator_cpu: Share = 0.90
    """CPU of a Locust process, as a share of one core."""
    generator_wait: Share = 0.30
    """Time that a Locust process waits for a core, as a share."""
    mock_cpu: Share = 0.90
    """CPU of a mock, as a share of one core."""
    foreign_cpu: Share = 0.55
    """CPU of this machine that processes outside the run may take, share of all cores."""
    count_tolerance: Share = 0.001
    """How far Locust's own count of requests may be from ours, as a share."""
    missing_intervals: Share = 0.02
    """Share of the intervals that may lack a line of the recording."""
    missing_samples: Share = 0.10
    """Share of the samples of a service's metrics that may be missing."""
