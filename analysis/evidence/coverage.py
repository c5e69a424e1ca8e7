"""Did a service say something in every sample that it gave? What it stopped saying is not zero."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from analysis.evidence.run import Evidence
from recording.arrays import Floats
from recording.metric_names import UP


@dataclass(frozen=True, slots=True)
class Gaps:
    """In how many of the samples that a service gave something was ``missing``."""

    missing: int
    samples: int

    def of(self, metric: str) -> str:
        """In words."""
        return f"no {metric} in {self.missing} of {self.samples} samples"


def samples_without(evidence: Evidence, subject: str, t_s: Floats, since_s: float) -> Gaps:
    """Gaps between what was seen at ``t_s`` and the samples of a service, up to the load's end."""
    up_t_s, up = evidence.resources.get(subject, UP)
    asked = (up > 0) & (up_t_s >= since_s) & (up_t_s <= evidence.load_end_s)
    return Gaps(int((~np.isin(up_t_s[asked], t_s)).sum()), int(asked.sum()))


def unsaid(
    evidence: Evidence, subject: str, metrics: Iterable[str], *, may_begin_late: bool = False
) -> str:
    """That a service left out all of ``metrics`` in too many samples since the measuring began.

    "" where at least one of them was there. As many may be missing as samples themselves. Counters
    with labels may begin late: they appear with their first event.
    """
    names = list(metrics)
    begins_s = evidence.measured_from_s
    times = [evidence.resources.get(subject, name)[0] for name in names]
    t_s = np.unique(np.concatenate(times)) if times else np.empty(0)
    if may_begin_late and t_s.size:
        begins_s = max(begins_s, float(t_s[0]))
    gaps = samples_without(evidence, subject, t_s, begins_s)
    tolerated = evidence.manifest.profile.validity.missing_samples
    return gaps.of(names[0].partition("/")[0]) if gaps.missing > tolerated * gaps.samples else ""
