"""Restarts of a service: its CPU counter began anew, or its process says another start.

Whoever restarts loses what it held, and its memory begins at the bottom: a leak that is ended so
does not show, and what else broke has this for a cause.
"""

import numpy as np

from analysis.evidence.run import Evidence
from recording.metric_names import CPU, STARTED

WHERE_RESTARTS_SHOW = (CPU, STARTED)
"""What exporters of any language say of their process (prometheus.io, "Process metrics")."""
_ANOTHER_START_S = 0.5
"""Nearer to each other two starts are one: exporters reckon it from clocks that are corrected."""


def restarts_of(evidence: Evidence, subject: str) -> list[float] | None:
    """Times of the first samples after each restart, s; None where nothing tells of any."""
    cpu_t_s, cpu_s = evidence.resources.get(subject, CPU)
    started_t_s, started_s = evidence.resources.get(subject, STARTED)
    if cpu_t_s.size < 2 and not started_t_s.size:
        return None
    fell = cpu_t_s[1:][np.diff(cpu_s) < 0]
    changed = started_t_s[1:][np.abs(np.diff(started_s)) > _ANOTHER_START_S]
    return sorted({float(at) for at in (*fell, *changed)})


def services_that_restarted(evidence: Evidence) -> list[str]:
    """The subjects with at least one restart."""
    subjects = {s for name in WHERE_RESTARTS_SHOW for s in evidence.resources.subjects(name)}
    return sorted(subject for subject in subjects if restarts_of(evidence, subject))


def restarts_in_words(evidence: Evidence, subject: str) -> str:
    """When it restarted; "" where it did not."""
    found = restarts_of(evidence, subject) or []
    more = f" and {len(found) - 3} times more" if len(found) > 3 else ""
    when = ", ".join(evidence.elapsed(at_s) for at_s in found[:3])
    return f"restarted before {when}{more}" if found else ""
