"""Whom a rule can be about: services, steps, the journey."""

from collections.abc import Iterator
from math import nan

from analysis.evidence.requests import NONE_BEGAN
from analysis.metrics.case import Case
from analysis.words.values import Measurement
from recording.flow import Services
from recording.profile import JOURNEY


def is_service(services: Services, subject: str) -> bool:
    """Whether it has a process, and so pools and memory."""
    return subject in services.subjects


def has_requests(services: Services, subject: str) -> bool:
    """Whether users call it, so that clients saw its latency."""
    return subject == JOURNEY or bool(services.steps_of(subject) or services.named(subject))


def _steps_of(services: Services, subject: str) -> tuple[str, ...]:
    """Of a service, or of whoever is named so; the journey is none of them, but all together."""
    if subject == JOURNEY:
        return ()
    return services.steps_of(subject) or services.named(subject)


def of_steps(case: Case, subject: str, metric: str, unit: str) -> Iterator[Measurement]:
    """One measurement per step of a service: a step must not hide in the sum. Else its own.

    Steps that the profile lets nobody take are left out.
    """
    taken = case.evidence.manifest.profile.is_taken
    for step in filter(taken, _steps_of(case.services, subject) or (subject,)):
        sample = case.samples.get(step)
        nothing = Measurement(step, metric, nan, unit, 0, note=NONE_BEGAN)
        yield sample.measure(metric) if sample else nothing
