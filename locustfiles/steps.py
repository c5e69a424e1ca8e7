"""The seven requests of the checkout flow (LT-2025-Q3-CHECKOUT, "User flow simulation")."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One request: ``service`` is the key of its base url, ``keys`` must be in a good body."""

    name: str
    service: str
    method: str
    path: str
    success: int
    keys: tuple[str, ...]


BROWSE = Step("browse", "checkout", "GET", "/api/v2/products", 200, ("products",))
DETAIL = Step("detail", "checkout", "GET", "/api/v2/products/", 200, ("id",))
ADD_TO_CART = Step("add_to_cart", "cart", "POST", "/api/v2/cart/items", 200, ("cart_id",))
APPLY_COUPON = Step(
    "apply_coupon", "checkout", "POST", "/api/v2/checkout/apply-coupon", 200, ("coupon_code",)
)
START_CHECKOUT = Step(
    "start_checkout", "checkout", "POST", "/api/v2/checkout/start", 200, ("checkout_id",)
)
CHARGE = Step("charge", "payment", "POST", "/api/v2/payments/charge", 200, ("payment_id", "status"))
CONFIRM = Step("confirm", "checkout", "POST", "/api/v2/orders/confirm", 201, ("order_id",))
STEPS = (BROWSE, DETAIL, ADD_TO_CART, APPLY_COUPON, START_CHECKOUT, CHARGE, CONFIRM)

CATEGORIES = (
    "electronics", "fashion", "home", "beauty", "sports",
    "toys", "books", "grocery", "garden", "automotive",
)  # fmt: skip
GOOD_CARD = "tok_test_visa_4242"
DECLINE_CARDS = ("tok_test_decline_0002", "tok_test_insufficient_9995")
