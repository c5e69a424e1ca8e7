"""Services that stood still: one alone did not answer the sampler for a while, the others did.

What its clients waited then is the service's own, although it says nothing of it: a stopped
process does not know how long its requests lay in the socket. Without this such a shop would
count as harness and host that distort, and its run as no evidence.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np

from analysis.evidence.run import Evidence
from analysis.evidence.stretches import Stretch, Stretches
from recording.hlog import Interval
from recording.metric_names import ORDERS_DB, UP
from recording.slots import ARMS


def stalls(evidence: Evidence) -> Stretches:
    """When a service did not answer the sampler and every other one did, in order: from the last
    sample that it gave to the next one.
    """
    asked = evidence.resources.subjects(UP)
    services = (subject for subject in asked if subject.partition("@")[0] != ORDERS_DB)
    silent = {subject: _silent(evidence, subject) for subject in services}
    if len(silent) < 2:
        return {}  # nobody there who could have answered
    return {subject: tuple(_alone(subject, silent)) for subject in silent}


def undisturbed(evidence: Evidence, *more: Stretches) -> Callable[[Interval], bool]:
    """Says of an interval whether the service behind its step answered the sampler throughout, and
    it lies in none of ``more`` of that service.
    """
    sources = (stalls(evidence), *more)
    flows = {arm: evidence.manifest.flow(arm) for arm in ("", *ARMS)}

    def answered(interval: Interval) -> bool:
        arm = interval.tag.arm if interval.tag.arm in ARMS else ""
        service = flows[arm].service_of(interval.tag.step)
        subject = f"{service}@{arm}".rstrip("@")
        own = Stretch(interval.start_s, interval.start_s + interval.length_s)
        return not any(own.overlaps(found.get(subject, ())) for found in sources)

    return answered


def stalls_in_words(evidence: Evidence) -> Iterator[str]:
    """One finding for each stall."""
    for subject, found in stalls(evidence).items():
        for stall in found:
            yield (
                f"{subject} alone gave no metrics for up to {stall.end_s - stall.start_s:.1f} s at "
                f"{evidence.elapsed(stall.start_s)}: what clients waited for it then counts as its "
                "own, not as distortion"
            )


def _silent(evidence: Evidence, subject: str) -> tuple[Stretch, ...]:
    """Stretches of failed samples between two good ones."""
    t_s, up = evidence.resources.get(subject, UP)
    edges = np.flatnonzero(np.diff(up > 0))  # the last of each stretch of equal samples
    return tuple(
        Stretch(float(t_s[good]), float(t_s[bad + 1]))
        for good, bad in pairwise(edges)
        if up[good] > 0
    )


def _alone(subject: str, silent: Stretches) -> Iterator[Stretch]:
    others = [stall for other, found in silent.items() if other != subject for stall in found]
    return (stall for stall in silent[subject] if not stall.overlaps(others))
