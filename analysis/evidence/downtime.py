"""How long a service was down, as a monthly SLA review counts it: in minutes.

The seed's review of August 2025 has uptime = 1 - downtime / length of the month (checkout: 6.5 of
44,640 minutes are 99.985 %). A minute in which a share of the requests failed is down by that share
(the error ratio over time; B. Beyer et al., The Site Reliability Workbook, chapter 2): failures of
everything for 6.5 minutes are 6.5 minutes, and those of 1 % for an hour 0.6.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from analysis.evidence.run import Evidence
from recording.hlog import of_requests
from recording.outcomes import UNDECIDED, is_failure

MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Downtime:
    """Seconds that a service was down of those in which it was asked, while measured.

    ``requests`` are all of them; ``undecided`` ones never ended, and may have failed as well.
    """

    down_s: float
    asked_s: float
    requests: int
    undecided: int

    @property
    def availability(self) -> float:
        """Share of the time; nan without requests."""
        return 1.0 - self.down_s / self.asked_s if self.asked_s else float("nan")


def downtime(evidence: Evidence, steps: Iterable[str]) -> Downtime:
    """As clients of these steps saw it, by minute (or by interval, where that is longer)."""
    wanted = set(steps)
    counted = [
        i for i in of_requests(evidence.log.intervals)
        if i.tag.step in wanted and evidence.is_measured(i)
    ]  # fmt: skip
    lengths = {i.start_s: i.length_s for i in counted}
    starts, place = np.unique([i.start_s for i in counted], return_inverse=True)
    minutes, minute = np.unique(starts // MINUTE_S, return_inverse=True)
    of_minute = minute[place] if counted else place
    n = np.array([i.histogram.n for i in counted], float)
    failed = n * [is_failure(i.tag.outcome) for i in counted]
    spans_s = np.bincount(minute, [lengths[start] for start in starts.tolist()], minutes.size)
    asked = np.bincount(of_minute, n, minutes.size)
    shares = np.bincount(of_minute, failed, minutes.size) / np.maximum(asked, 1.0)
    undecided = sum(i.histogram.n for i in counted if i.tag.outcome in UNDECIDED)
    return Downtime(float(shares @ spans_s), float(spans_s.sum()), int(n.sum()), undecided)
