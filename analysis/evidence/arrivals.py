"""Were the open model's journeys delivered? Counted against the very moments they were due at.

The generator draws the moments from profile, seed and worker (``recording/arrivals.py``), so their
number is known and not estimated: a worker that was lost, or one too many, shows to the journey.
"""

from analysis.evidence.run import Evidence
from analysis.words.values import Check
from recording.arrivals import arrival_times_s
from recording.events import PHASES_ENDED
from recording.metric_names import ARRIVALS_PLANNED

EDGE_S = 1.0
"""Workers begin, and hear of the end, a moment after the events that say so; a tick of Locust's."""


def arrivals_due(evidence: Evidence) -> Check:
    """Journeys that were due, against the plan, over the whole load."""
    tolerance = evidence.manifest.profile.validity.undelivered_arrivals
    workers = evidence.load.subjects(ARRIVALS_PLANNED)
    due = sum(float(evidence.load.get(worker, ARRIVALS_PLANNED)[1][-1]) for worker in workers)
    fewest, most = _planned(evidence)
    return Check(
        "arrivals due",
        f"{due:.0f}",
        f"{fewest} to {most} ± {100 * tolerance:g} %",
        (1 - tolerance) * fewest <= due <= (1 + tolerance) * most,
        "each worker's share of them is drawn beforehand: one was lost, or was too many",
    )


def _planned(evidence: Evidence) -> tuple[int, int]:
    """The fewest and the most that could be due before the load ended."""
    ended = evidence.times_of(PHASES_ENDED) or [evidence.end_s]
    load_s = ended[-1] - evidence.load_start_s
    profile = evidence.manifest.profile
    workers = evidence.manifest.workers or len(evidence.load.subjects(ARRIVALS_PLANNED)) or 1
    fewest = most = 0
    for worker in range(workers):
        for t_s in arrival_times_s(profile.load, profile.seed, worker, workers):
            if t_s > load_s + EDGE_S:
                break
            most += 1
            fewest += t_s <= load_s - EDGE_S
    return fewest, most
