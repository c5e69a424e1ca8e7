"""Restarts of a service: its CPU counter began anew, or its process says another start.

Whoever restarts loses what it held, and its memory begins at the bottom: a leak that is ended so
does not show, and what else broke has this for a cause.
"""

from __future__ import annotations

from math import nan

import numpy as np

from analysis.evidence.coverage import unsaid
from analysis.evidence.run import Evidence
from analysis.words.values import Measurement

_CPU, _STARTED = "process_cpu_seconds_total", "process_start_time_seconds"
"""What exporters of any language say of their process (prometheus.io, "Process metrics")."""
_ANOTHER_START_S = 0.5
"""Nearer to each other two starts are one: exporters reckon it from clocks that are corrected."""


def restarts_of(evidence: Evidence, subject: str) -> list[float] | None:
    """Times of the first samples after each restart, s; None where nothing tells of any."""
    cpu_t_s, cpu_s = evidence.resources.get(subject, _CPU)
    started_t_s, started_s = evidence.resources.get(subject, _STARTED)
    if cpu_t_s.size < 2 and not started_t_s.size:
        return None
    fell = cpu_t_s[1:][np.diff(cpu_s) < 0]
    changed = started_t_s[1:][np.abs(np.diff(started_s)) > _ANOTHER_START_S]
    return sorted({float(at) for at in (*fell, *changed)})


def services_that_restarted(evidence: Evidence) -> list[str]:
    """The subjects with at least one restart."""
    subjects = {s for name in (_CPU, _STARTED) for s in evidence.resources.subjects(name)}
    return sorted(subject for subject in subjects if restarts_of(evidence, subject))


def restart_measurement(evidence: Evidence, subject: str) -> Measurement:
    """How often a service restarted, over the whole run."""
    found = restarts_of(evidence, subject)
    n = max(evidence.resources.get(subject, name)[0].size for name in (_CPU, _STARTED))
    note = (
        f"it exports neither {_CPU} nor {_STARTED}"
        if found is None
        else _left_out(evidence, subject)
    )
    value = nan if found is None or (note and not found) else float(len(found))
    return Measurement(
        subject, "restarts", value, "", max(1, n), phase="run", note=note, at_least=bool(note)
    )


def _left_out(evidence: Evidence, subject: str) -> str:
    """That neither of the two was there to the end; "" where one was."""
    gaps = [unsaid(evidence, subject, [name]) for name in (_CPU, _STARTED)]
    return gaps[0] if all(gaps) else ""


def restarts_in_words(evidence: Evidence, subject: str) -> str:
    """When it restarted; "" where it did not."""
    found = restarts_of(evidence, subject) or []
    more = f" and {len(found) - 3} times more" if len(found) > 3 else ""
    when = ", ".join(evidence.elapsed(at_s) for at_s in found[:3])
    return f"restarted before {when}{more}" if found else ""
