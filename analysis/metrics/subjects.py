"""Whom a rule can be about: services, steps, the journey."""

from collections.abc import Iterator
from math import nan

from analysis.metrics.case import Case
from analysis.words.values import Measurement
from recording.flow import Services
from recording.profile import JOURNEY


def is_service(services: Services, subject: str) -> bool:
    """Whether it has a process, and so pools and memory."""
    return subject in services.subjects


def has_requests(services: Services, subject: str) -> bool:
    """Whether users call it, so that clients saw its latency."""
    return subject in (JOURNEY, *services.steps) or bool(services.steps_of(subject))


def of_steps(case: Case, subject: str, metric: str, unit: str) -> Iterator[Measurement]:
    """One measurement per step of a service: a step must not hide in the sum. Else its own.

    Steps that the profile lets nobody take are left out.
    """
    taken = case.evidence.manifest.profile.journey.funnel.is_taken
    for step in filter(taken, case.services.steps_of(subject) or (subject,)):
        sample = case.samples.get(step)
        yield sample.measure(metric) if sample else Measurement(step, metric, nan, unit, 0)
