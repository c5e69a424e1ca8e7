"""The checkout flow's steps and the services that answer them, in the words of every report."""

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
