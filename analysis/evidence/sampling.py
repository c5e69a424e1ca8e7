"""Whether each service gave its metrics all the time, and which of them need not."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

import numpy as np

from analysis.evidence.coverage import NO_WORK
from analysis.evidence.orders_db import owner
from analysis.evidence.requests import Sample
from analysis.evidence.run import Evidence
from analysis.words.values import Check
from recording.arrays import Floats
from recording.hlog import of_requests
from recording.metric_names import CPU, ORDERS_DB, UP
from recording.slots import ARMS

FEWEST_SAMPLES = 5
SCRAPED_WITHIN_S = 60.0
"""The longest that a Prometheus usually leaves between two scrapes."""
HANGS_FROM = 0.01
"""Share of a step's requests without a good answer from which on its service is not well, so that
metrics which it does not give are its own doing and not the sampler's."""


def unwell(evidence: Evidence, samples: Mapping[str, Sample], arm: str = "") -> frozenset[str]:
    """Services whose requests failed or hung, as the sampler calls them.

    One that another calls has a part in the steps in which it does. A database is
    not well where whom it belongs to is not.
    """
    hanging = {step for step, sample in samples.items() if _hangs(sample)}
    flow = evidence.manifest.flow(arm)
    found = [s for s in flow.subjects if hanging.intersection(flow.during(s))]
    if owner(flow) in found:
        found.append(ORDERS_DB)
    return frozenset(f"{subject}@{arm}".rstrip("@") for subject in found)


def _hangs(sample: Sample) -> bool:
    return sample.n > 0 and (sample.failures + sample.undecided) / sample.n >= HANGS_FROM


def samples_taken(evidence: Evidence, unwell: Collection[str]) -> Iterator[Check]:
    """Whether each service answered the sampler all the time that was measured.

    One that is `unwell` need not: that its metrics are missing is a finding (``unsampled``).
    """
    for subject, check in _samples_taken(evidence):
        excused = not check.ok and subject in unwell
        yield replace(check, ok=True, hint="its requests fail too") if excused else check


def unsampled(evidence: Evidence, unwell: Collection[str]) -> dict[str, str]:
    """Of the services that are not well those that gave too few samples, and how many."""
    return {
        subject: f"{check.actual} samples, {check.allowed} wanted"
        for subject, check in _samples_taken(evidence)
        if not check.ok and subject in unwell
    }


def standing_still(evidence: Evidence) -> dict[str, str]:
    """Services whose pages were not renewed, and how that shows: each is one old sample."""
    found = {}
    renewed_s = SCRAPED_WITHIN_S if evidence.manifest.profile.metrics.prometheus else 0.0
    for subject in evidence.services.subjects:
        t_s, cpu_s = evidence.resources.get(subject, CPU)
        inside = _measured(evidence, t_s)
        if (
            inside.sum() < FEWEST_SAMPLES
            or np.ptp(t_s[inside]) < renewed_s
            or np.ptp(cpu_s[inside])
        ):
            continue
        steps, intervals = evidence.services.during(subject), evidence.log.intervals
        asked = [i for i in of_requests(intervals) if i.tag.step in steps]
        at_s = np.array([i.start_s for i in asked])
        n = int(np.array([i.histogram.n for i in asked])[_measured(evidence, at_s)].sum())
        if n >= NO_WORK:
            found[subject] = (
                f"{CPU} stood still at {cpu_s[inside][0]:g} over {n:,} requests: "
                "its page is not renewed"
            )
    return found


def _measured(evidence: Evidence, t_s: Floats) -> np.typing.NDArray[np.bool_]:
    inside = np.zeros(t_s.size, bool)
    for start, end in evidence.measured:
        inside |= (t_s >= start) & (t_s <= end)
    return inside


def _samples_taken(evidence: Evidence) -> Iterator[tuple[str, Check]]:
    sampled = evidence.resources.subjects(UP)
    arms = ARMS if evidence.manifest.paired else ("",)
    own = [(arm, evidence.manifest.flow(arm)) for arm in arms if evidence.is_ours(arm)]
    for subject in (f"{s}@{arm}".rstrip("@") for arm, flow in own for s in flow.subjects):
        if subject not in sampled:
            yield subject, Check(f"samples of {subject}", "none", "all", False)
    for subject in sampled:
        t_s, up = evidence.resources.get(subject, UP)
        inside = _measured(evidence, t_s)
        check = enough_of(
            f"samples of {subject}",
            int((up[inside] > 0).sum()),
            evidence.measured_s / evidence.manifest.profile.sampling.interval,
            evidence.manifest.profile.validity.missing_samples,
        )
        yield subject, check


def enough_of(name: str, actual: int, expected: float, tolerated: float) -> Check:
    """Whether so many of what was expected are there."""
    # A phase may begin and end inside an interval: one at either end is not a hole. None is none.
    enough = actual >= max(min(1, expected), (1 - tolerated) * expected - 2)
    return Check(name, f"{actual}", f"≥ {100 * (1 - tolerated):g} % of {expected:.0f}", enough)
