"""Stretches of a run in which the load stood: only there is a climb the shop's own doing."""

from collections.abc import Iterator
from math import sqrt

from analysis.evidence.run import Evidence
from analysis.evidence.stretches import Stretch, joined
from recording.hlog import of_requests

_STANDS = 0.05
"""Share by which requests may come more often in the second half: `validity` lets users differ from
the plan by as much."""
_CHANCE = 3.0
"""Standard deviations of a number of requests (Poisson's) that are no growth either."""


def steady(evidence: Evidence) -> tuple[Stretch, ...]:
    """Stretches of one planned load, s since the run's epoch, in which no more requests came.

    That fewer came is no objection: a shop that slows down keeps its users waiting. There
    are none in a search, which changes load or services by itself.
    """
    if evidence.levels:
        return ()
    return tuple(one for one in joined(_planned(evidence)) if not _grew(evidence, one))


def _planned(evidence: Evidence) -> Iterator[Stretch]:
    """Phases that begin and end with the same load; with bursts in the plan there are none."""
    load = evidence.manifest.profile.load
    levels = {phase.name: phase.users or phase.arrivals_per_s or 0.0 for phase in load.phases}
    before = 0.0
    for phase in () if load.bursts else evidence.phases:
        level = levels.get(phase.name, 0.0)
        if level and level == before:
            yield Stretch(phase.start_s, evidence.end_s if phase.end_s is None else phase.end_s)
        before = level


def _grew(evidence: Evidence, stretch: Stretch) -> bool:
    """Whether requests came more often in its second half, where both halves are recorded."""
    middle_s = (stretch.start_s + stretch.end_s) / 2
    lengths: tuple[dict[float, float], ...] = ({}, {})
    counts = [0, 0]
    for i in of_requests(evidence.log.intervals):
        if stretch.start_s <= i.start_s < i.start_s + i.length_s <= stretch.end_s:
            half = int(i.start_s + i.length_s / 2 >= middle_s)
            lengths[half][i.start_s] = i.length_s
            counts[half] += i.histogram.n
    first_s, second_s = (sum(each.values()) for each in lengths)
    if not first_s or not second_s:
        return False
    due = counts[0] * second_s / first_s
    return counts[1] > (1.0 + _STANDS) * due + _CHANCE * sqrt(due)
