"""Restarts of a service: its CPU counter began anew, its process says another start, or whoever
starts it has counted one more.

Whoever restarts loses what it held, and its memory begins at the bottom: a leak that is ended so
does not show, and what else broke has this for a cause.
"""

from collections.abc import Iterator

import numpy as np

from analysis.evidence.resources import counter_growth
from analysis.evidence.run import Evidence
from recording.metric_names import CPU, RESTARTS, STARTED

WHERE_RESTARTS_SHOW = (CPU, STARTED, RESTARTS)
"""What exporters of any language say of their process (prometheus.io, "Process metrics"), and what
Kubernetes says of its containers."""
MOST_AT_ONCE = 1000
"""Restarts between two samples; more of them than nobody can have seen happen are as many."""
_ANOTHER_START_S = 0.5
"""Nearer to each other two starts are one: exporters reckon it from clocks that are corrected."""


def restarts_of(evidence: Evidence, subject: str) -> list[float] | None:
    """Times of the first samples after each restart of a replica, s; None where nothing tells any.

    Who counts them, and the processes themselves, tell of the same: the longer list is the truth.
    """
    own = [*_of_process(evidence, subject)]
    counted = _counted(evidence, subject)
    if not own and counted is None:
        return None
    return max(sorted({at for found in own for at in found}), counted or [], key=len)


def where_restarts_show(evidence: Evidence, subject: str, name: str) -> list[str]:
    """A metric of a service, or that of each of its replicas."""
    return [m for m in evidence.resources.metrics(subject) if m.partition("/")[0] == name]


def _of_process(evidence: Evidence, subject: str) -> Iterator[list[float]]:
    """By each series that shows them."""
    for name in where_restarts_show(evidence, subject, CPU):
        t_s, cpu_s = evidence.resources.get(subject, name)
        if t_s.size > 1:
            yield t_s[1:][np.diff(cpu_s) < 0].tolist()
    for name in where_restarts_show(evidence, subject, STARTED):
        t_s, started_s = evidence.resources.get(subject, name)
        yield t_s[1:][np.abs(np.diff(started_s)) > _ANOTHER_START_S].tolist()


def _counted(evidence: Evidence, subject: str) -> list[float] | None:
    t_s, steps = counter_growth(evidence, subject, RESTARTS)
    times = np.minimum(np.round(steps), MOST_AT_ONCE).astype(int)
    return np.repeat(t_s, times).tolist() if t_s.size else None


def services_that_restarted(evidence: Evidence) -> list[str]:
    """The subjects with at least one restart."""
    subjects = {subject for subject, _ in evidence.resources.values}
    return sorted(subject for subject in subjects if restarts_of(evidence, subject))


def restarts_in_words(evidence: Evidence, subject: str) -> str:
    """When it restarted; "" where it did not."""
    found = restarts_of(evidence, subject) or []
    more = f" and {len(found) - 3} times more" if len(found) > 3 else ""
    when = ", ".join(evidence.elapsed(at_s) for at_s in found[:3])
    return f"restarted before {when}{more}" if found else ""
