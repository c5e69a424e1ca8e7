"""The shipped scenario: the checkout flow of LT-2025-Q3-CHECKOUT ("User flow simulation").

A step is one function here, which makes its request; a journey takes them as they stand. It is what
a shop's own module is, but that the profile's journey says more of it.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from loadgate_scenario import (
    Request,
    Scenario,
    Service,
    Step,
    Users,
    Visit,
    maybe,
    one_of,
    positive,
    same,
    some,
    text,
)
from locustfiles.plan import PLAN
from locustfiles.popularity import product_number
from recording.flow import FLOW

JOURNEY = PLAN.profile.journey
CATEGORIES = (
    "electronics",
    "home",
    "beauty",
    "sports",
    "toys",
    "books",
    "grocery",
    "garden",
    "automotive",
)
"""Those that catalogues of before `apparel` have as well: a gate asks both arms the same."""
GOOD_CARD = "tok_test_visa_4242"
DECLINE_CARDS = ("tok_test_decline_0002", "tok_test_insufficient_9995")
_API = "/api/v2"
_NEXT_ACCOUNT = 7919


def account(number: int, session: int) -> Mapping[str, Any]:
    """Of a test user: another one in each session."""
    which = (number + session * _NEXT_ACCOUNT) % JOURNEY.test_users + 1
    return {"id": f"lt-user-{which:05d}", "token": f"lt-user-token-{which:05d}"}


def headers(visit: Visit) -> Mapping[str, str]:
    """Of every request."""
    token = visit.user["token"]
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def _cart(visit: Visit) -> str:
    return f"cart-{visit.session_id}"


def browse(visit: Visit) -> Request:
    """A page of a category."""
    return Request(f"{_API}/products?category={visit.random.choice(CATEGORIES)}")


def detail(visit: Visit) -> Request:
    """One product."""
    number = product_number(JOURNEY, visit.random)
    product = visit.known["product_id"] = f"p-{number:05d}"
    return Request(f"{_API}/products/{product}", sent={"id": product})


def add_to_cart(visit: Visit) -> Request:
    """One to three of it."""
    quantity = visit.random.randint(1, 3)
    cart = {"cart_id": _cart(visit), "user_id": visit.user["id"]}
    return Request(f"{_API}/cart/items", {**cart, **visit.of("product_id"), "quantity": quantity})


def apply_coupon(visit: Visit) -> Request:
    """One of the campaign's."""
    code = f"BF25-{visit.random.randint(1, JOURNEY.coupons):03d}"
    return Request(f"{_API}/checkout/apply-coupon", {"cart_id": _cart(visit), "coupon_code": code})


def start_checkout(visit: Visit) -> Request:
    """The cart's."""
    body = {"cart_id": _cart(visit), "user_id": visit.user["id"]}
    return Request(f"{_API}/checkout/start", body)


def charge(visit: Visit) -> Request:
    """By a good card, or one that is to be declined."""
    declines = visit.chance("declined", JOURNEY.decline_share)
    card = visit.random.choice(DECLINE_CARDS) if declines else GOOD_CARD
    body = {**visit.of("checkout_id"), "payment_method": "card", "card_token": card}
    return _with_a_new_key(
        Request(
            f"{_API}/payments/charge",
            body,
            declines=declines,
            again=_with_a_new_key if JOURNEY.retry_key == "new" else None,
        )
    )


def _with_a_new_key(request: Request) -> Request:
    return request._replace(
        headers={"Idempotency-Key": idempotency_key(request.body["checkout_id"])}
    )


def idempotency_key(checkout_id: str) -> str:
    """The shop's own (PR #4462), another one at every moment: SHA256(order id + timestamp)."""
    return hashlib.sha256(f"{checkout_id}{datetime.now(UTC).isoformat()}".encode()).hexdigest()


def confirm(visit: Visit) -> Request:
    """The checkout that was paid."""
    return Request(f"{_API}/orders/confirm", visit.of("checkout_id", "payment_id"))


_SHARE = JOURNEY.funnel
SCENARIO = Scenario(
    services=tuple(Service(s.key, s.subject) for s in FLOW.all if s.steps),
    users=Users(data=account, headers=headers),
    steps=(
        Step("browse", "GET", browse, {"products": some}, service="checkout"),
        Step("detail", "GET", detail, {"id": same}, service="checkout", share=_SHARE.detail),
        Step(
            "add_to_cart", "POST", add_to_cart, {"cart_id": same, "items": maybe(positive)},
            service="cart", share=_SHARE.add_to_cart,
        ),
        Step(
            "apply_coupon", "POST", apply_coupon,
            {"coupon_code": same, "status": maybe(one_of("applied"))},
            service="checkout", share=_SHARE.apply_coupon, optional=True,
        ),
        Step(
            "start_checkout", "POST", start_checkout,
            {"checkout_id": text, "status": maybe(one_of("pending"))},
            takes=("checkout_id",), service="checkout", share=_SHARE.start_checkout,
        ),
        Step(
            "charge", "POST", charge, {"payment_id": text, "status": one_of("succeeded")},
            takes=("payment_id",), service="payment", share=_SHARE.charge,
        ),
        Step(
            "confirm", "POST", confirm,
            {"order_id": text, "status": maybe(one_of("confirmed"))},
            status=201, repeated=200, order="order_id", service="checkout", share=_SHARE.confirm,
        ),
    ),
)  # fmt: skip
"""The share of users who go on to a step is the profile's ``journey.funnel``."""
