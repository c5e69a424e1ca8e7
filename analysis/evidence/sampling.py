"""Whether each service gave its metrics all the time, and which of them need not."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

import numpy as np

from analysis.evidence.orders_db import owner
from analysis.evidence.requests import Sample
from analysis.evidence.run import Evidence
from analysis.words.values import Check
from recording.metric_names import ORDERS_DB, UP
from recording.slots import ARMS

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


def _samples_taken(evidence: Evidence) -> Iterator[tuple[str, Check]]:
    sampled = evidence.resources.subjects(UP)
    arms = ARMS if evidence.manifest.paired else ("",)
    own = [(arm, evidence.manifest.flow(arm)) for arm in arms if evidence.is_ours(arm)]
    for subject in (f"{s}@{arm}".rstrip("@") for arm, flow in own for s in flow.subjects):
        if subject not in sampled:
            yield subject, Check(f"samples of {subject}", "none", "all", False)
    for subject in sampled:
        t_s, up = evidence.resources.get(subject, UP)
        inside = np.zeros(t_s.size, bool)
        for start, end in evidence.measured:
            inside |= (t_s >= start) & (t_s <= end)
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
