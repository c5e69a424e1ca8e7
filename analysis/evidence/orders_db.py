"""What a run recorded of the checkout's database: when it was gone, and its ledger's commits."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.evidence.processes import restarts_of
from analysis.evidence.run import Evidence
from analysis.words.units import counted
from recording.events import LEDGER_FAILED, LEDGER_LEFT, SAMPLE_FAILED
from recording.flow import Services
from recording.metric_names import ORDERS_DB, UP

KEPT_BY = "confirm"
"""The step whose order is written into it."""


@dataclass(frozen=True, slots=True)
class Outage:
    """From the last sample that it gave before, to the first after; ``end_s`` None: none came.

    ``failed`` writes of the service whose ledger it is were refused meanwhile.
    """

    start_s: float
    end_s: float | None
    why: str
    restarted: bool
    failed: int


def owner(services: Services) -> str:
    """The service whose ledger it keeps; "" where nobody takes orders."""
    return services.service_of(KEPT_BY)


def is_sampled(evidence: Evidence) -> bool:
    """Whether it was asked for its figures: no file is."""
    return ORDERS_DB in evidence.resources.subjects(UP)


def outages(evidence: Evidence) -> Iterator[Outage]:
    """Each stretch in which it gave no answer."""
    t_s, up = evidence.resources.get(ORDERS_DB, UP)
    down = np.concatenate([[False], up == 0, [False]])
    for first, after in np.flatnonzero(np.diff(down)).reshape(-1, 2):
        start_s = float(t_s[max(first - 1, 0)])
        end_s = float(t_s[after]) if after < t_s.size else None
        yield _outage(evidence, start_s, end_s)


def _outage(evidence: Evidence, start_s: float, end_s: float | None) -> Outage:
    over_s = evidence.end_s if end_s is None else end_s

    def inside(at_s: float) -> bool:
        return start_s <= at_s <= over_s

    said = [row for row in evidence.events_named(SAMPLE_FAILED) if row.get("subject") == ORDERS_DB]
    why = [str(row.get("error", "")) for row in said if inside(float(row["t_s"]))]
    restarted = any(map(inside, restarts_of(evidence, ORDERS_DB) or ()))
    failed = sum(map(inside, evidence.times_of(LEDGER_FAILED)))
    return Outage(start_s, end_s, why[-1] if why else "", restarted, failed)


def outages_in_words(evidence: Evidence) -> str:
    """When it was gone, why as far as it was seen, and what that did; "" where it never was."""
    return "; ".join(_in_words(evidence, outage) for outage in outages(evidence))


def _in_words(evidence: Evidence, outage: Outage) -> str:
    at = evidence.elapsed
    until = "the end" if outage.end_s is None else at(outage.end_s)
    parts = [f"gave no answer between {at(outage.start_s)} and {until}"]
    if outage.restarted:
        parts.append("was started anew in it")
    if outage.failed:
        who = owner(evidence.services)
        parts.append(f"{counted(outage.failed, 'write')} of {who} failed meanwhile")
    text = ", ".join(parts)
    return f"{text} ({outage.why})" if outage.why else text


def left_in_words(evidence: Evidence) -> Iterator[str]:
    """What of it the run could not put away at its end."""
    for row in evidence.events_named(LEDGER_LEFT):
        yield f"{row.get('subject')}: schema {row.get('schema')} is left: {row.get('because')}"
