"""Whom a rule can be about: services, steps, the journey, the orders."""

from collections.abc import Iterator
from math import nan

from analysis.metrics.case import Case
from analysis.words.values import Measurement
from recording.flow import SERVICE_STEPS, STEPS

JOURNEY, ORDERS = "journey", "orders"
SUBJECTS = (*SERVICE_STEPS, JOURNEY, *STEPS, ORDERS)
"""Everyone a section of thresholds.toml may name."""


def is_service(subject: str) -> bool:
    """Whether it has a process, and so pools and memory."""
    return subject in SERVICE_STEPS


def has_requests(subject: str) -> bool:
    """Whether users call it, so that clients saw its latency."""
    return subject == JOURNEY or subject in STEPS or bool(SERVICE_STEPS.get(subject))


def is_orders(subject: str) -> bool:
    """Whether it is the shop's ledger."""
    return subject == ORDERS


def of_steps(case: Case, subject: str, metric: str, unit: str) -> Iterator[Measurement]:
    """One measurement per step of a service: a step must not hide in the sum. Else its own."""
    for step in SERVICE_STEPS.get(subject, (subject,)):
        sample = case.samples.get(step)
        yield sample.measure(metric) if sample else Measurement(step, metric, nan, unit, 0)
