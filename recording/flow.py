"""The checkout flow's steps and the services that answer them, in the words of every report."""

from collections.abc import Mapping
from dataclasses import dataclass

STEPS = (
    "browse",
    "detail",
    "add_to_cart",
    "apply_coupon",
    "start_checkout",
    "charge",
    "confirm",
)

SERVICE_STEPS = {
    "checkout-service": ("browse", "detail", "apply_coupon", "start_checkout", "confirm"),
    "payment-gateway": ("charge",),
    "inventory-lock-service": (),
    "cart-service": ("add_to_cart",),
}
"""Which steps a service answers; users never talk to inventory-lock, checkout does."""

SERVICE_OF = {step: service for service, steps in SERVICE_STEPS.items() for step in steps}
"""Who answers a step."""

LOCK_SERVICE = "inventory-lock-service"
LOCK_STEPS = ("start_checkout", "confirm")
"""Steps during which checkout waits for inventory-lock."""


@dataclass(frozen=True, slots=True)
class Services:
    """Who answers which step, and whom a step's handler calls in turn."""

    answers: Mapping[str, tuple[str, ...]]
    called: Mapping[str, tuple[str, ...]]
    steps: tuple[str, ...]

    @property
    def subjects(self) -> tuple[str, ...]:
        """The services."""
        return tuple(self.answers)

    def steps_of(self, subject: str) -> tuple[str, ...]:
        """The steps that a service answers."""
        return self.answers.get(subject, ())

    def service_of(self, step: str) -> str:
        """Who answers a step; "" where nobody does."""
        return next((name for name, steps in self.answers.items() if step in steps), "")

    def calls(self, step: str) -> tuple[str, ...]:
        """Services that the handler of a step calls."""
        return self.called.get(step, ())


FLOW = Services(SERVICE_STEPS, dict.fromkeys(LOCK_STEPS, (LOCK_SERVICE,)), STEPS)
