"""Did a service say something in every sample that it gave? What it stopped saying is not zero."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

import numpy as np

from analysis.evidence.run import Evidence
from recording.arrays import Floats
from recording.clock import is_moment
from recording.events import METRICS_VANISHED
from recording.hlog import of_requests
from recording.metric_names import UP

NO_WORK = 1000
"""So many requests take some CPU: counters have hundredths of a second. And whoever had a part in
them had to open its pools, and counted."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """In how many of the samples that a service gave something was ``missing``."""

    missing: int
    samples: int

    def of(self, metric: str) -> str:
        """In words."""
        return f"no {metric} in {self.missing} of {self.samples} samples"


def stopped_s(evidence: Evidence, subject: str, metric: str) -> float:
    """From when on a service told a metric no more that is written when it changes; inf: never.

    ``metric`` is a flat name, or the beginning of several up to a slash. One that was told again
    later had changed, or was written anew.
    """
    found = inf
    for row in evidence.events_named(METRICS_VANISHED):
        names, from_s = row.get("metrics"), row.get("from_s")
        if row.get("subject") != subject or not isinstance(names, list) or not is_moment(from_s):
            continue
        for name in names:
            if f"{name}/".startswith(f"{metric}/"):
                t_s = evidence.resources.get(subject, str(name))[0]
                found = found if t_s.size and t_s[-1] > from_s else min(found, from_s)
    return found


def stopped(evidence: Evidence, subject: str, metric: str) -> str:
    """The same in words; "" where it was told up to the load's end."""
    since_s = stopped_s(evidence, subject, metric)
    if since_s >= evidence.load_end_s:
        return ""
    return f"no {metric.partition('/')[0]} since {evidence.elapsed(since_s)}"


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
    with labels, and pools, may begin late: they appear with their first use. Not once the service
    was asked `NO_WORK` times.
    """
    names = list(metrics)
    begins_s = evidence.measured_from_s
    times = [evidence.resources.get(subject, name)[0] for name in names]
    t_s = np.unique(np.concatenate(times)) if times else np.empty(0)
    if may_begin_late and t_s.size and t_s[0] > begins_s:
        begins_s = max(begins_s, min(float(t_s[0]), _used_from_s(evidence, subject)))
    gaps = samples_without(evidence, subject, t_s, begins_s)
    tolerated = evidence.manifest.profile.validity.missing_samples
    return gaps.of(names[0].partition("/")[0]) if gaps.missing > tolerated * gaps.samples else ""


def _used_from_s(evidence: Evidence, subject: str) -> float:
    """When a service had been asked `NO_WORK` times while measured; inf: never."""
    steps = evidence.services.during(subject)
    asked = [
        i for i in of_requests(evidence.log.intervals)
        if i.tag.step in steps and evidence.is_measured(i)
    ]  # fmt: skip
    ends_s = np.array([i.start_s + i.length_s for i in asked])
    order = np.argsort(ends_s)
    begun = np.cumsum(np.array([i.histogram.n for i in asked], float)[order])
    place = int(np.searchsorted(begun, NO_WORK))
    return float(ends_s[order[place]]) if place < begun.size else inf
