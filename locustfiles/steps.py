"""The requests of the checkout flow, in order (LT-2025-Q3-CHECKOUT, "User flow simulation").

A step is one function here, which makes its request; a journey takes them as they stand.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, NamedTuple

from locustfiles.answers import Field, echo, positive, says, some, text
from locustfiles.popularity import product_number
from locustfiles.shares import Shares
from recording.profile import Journey

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


class UnaskableError(Exception):
    """A step needs what an earlier one did not bring: its service is not there."""


@dataclass(slots=True)
class Visit:
    """A journey of one user: who it is, and what it knows from the steps so far."""

    random: Random
    shares: Shares
    journey: Journey
    user_id: str
    cart_id: str
    known: dict[str, Any] = field(default_factory=dict)
    asked: bool = False
    """Whether it has sent anything."""

    def of(self, *keys: str) -> dict[str, Any]:
        """What it knows under these keys. Raises UnaskableError."""
        if missing := [key for key in keys if key not in self.known]:
            raise UnaskableError(missing[0])
        return {key: self.known[key] for key in keys}


class Request(NamedTuple):
    """What a step asks: ``query`` follows its path, ``sent`` is what an answer must echo."""

    query: str = ""
    body: Mapping[str, Any] | None = None
    sent: Mapping[str, Any] = {}
    key: str = ""
    """Of idempotency."""
    declines: bool = False
    """Whether the answer must be a decline."""


Ask = Callable[[Visit], Request]


@dataclass(frozen=True, slots=True)
class Step:
    """``service`` is the key of its base url, ``fields`` what a good body holds.

    ``keeps`` are the keys of a good answer that later steps need, ``order`` the one that names an
    order, and ``repeated`` the status of a good answer to who asks again for what was done. Whoever
    does not take an ``optional`` step goes on to the next.
    """

    name: str
    service: str
    method: str
    path: str
    fields: tuple[Field, ...]
    ask: Ask
    success: int = 200
    optional: bool = False
    keeps: tuple[str, ...] = ()
    order: str = ""
    repeated: int = 0


STEPS: list[Step] = []
"""As the functions below stand. The share of users who go on to one is the profile's
``journey.funnel``; all do where it names none."""


def step(
    service: str, method: str, path: str, *fields: Field, **more: Any
) -> Callable[[Ask], Step]:
    """Make a step of the function that makes its request; it has the function's name."""

    def made(ask: Ask) -> Step:
        STEPS.append(Step(ask.__name__, service, method, path, fields, ask, **more))
        return STEPS[-1]

    return made


@step("checkout", "GET", "/api/v2/products", Field("products", some))
def browse(visit: Visit) -> Request:
    """A page of a category."""
    return Request(f"?category={visit.random.choice(CATEGORIES)}")


@step("checkout", "GET", "/api/v2/products/", Field("id", echo))
def detail(visit: Visit) -> Request:
    """One product."""
    number = product_number(visit.journey, visit.random)
    product = visit.known["product_id"] = f"p-{number:05d}"
    return Request(product, sent={"id": product})


@step(
    "cart", "POST", "/api/v2/cart/items",
    Field("cart_id", echo), Field("items", positive, required=False),
)  # fmt: skip
def add_to_cart(visit: Visit) -> Request:
    """One to three of it."""
    quantity = visit.random.randint(1, 3)
    cart = {"cart_id": visit.cart_id, "user_id": visit.user_id}
    return Request(body={**cart, **visit.of("product_id"), "quantity": quantity})


@step(
    "checkout", "POST", "/api/v2/checkout/apply-coupon",
    Field("coupon_code", echo), Field("status", says("applied"), required=False),
    optional=True,
)  # fmt: skip
def apply_coupon(visit: Visit) -> Request:
    """One of the campaign's."""
    code = f"BF25-{visit.random.randint(1, visit.journey.coupons):03d}"
    return Request(body={"cart_id": visit.cart_id, "coupon_code": code})


@step(
    "checkout", "POST", "/api/v2/checkout/start",
    Field("checkout_id", text), Field("status", says("pending"), required=False),
    keeps=("checkout_id",),
)  # fmt: skip
def start_checkout(visit: Visit) -> Request:
    """The cart's."""
    return Request(body={"cart_id": visit.cart_id, "user_id": visit.user_id})


@step(
    "payment", "POST", "/api/v2/payments/charge",
    Field("payment_id", text), Field("status", says("succeeded")),
    keeps=("payment_id",),
)  # fmt: skip
def charge(visit: Visit) -> Request:
    """By a good card, or one that is to be declined."""
    declines = visit.shares.hit("declined", visit.journey.decline_share, visit.random)
    card = visit.random.choice(DECLINE_CARDS) if declines else GOOD_CARD
    started = visit.of("checkout_id")
    key = idempotency_key(started["checkout_id"])
    body = {**started, "payment_method": "card", "card_token": card}
    return Request(body=body, key=key, declines=declines)


def idempotency_key(checkout_id: str) -> str:
    """The shop's own (PR #4462), another one at every moment: SHA256(order id + timestamp)."""
    return hashlib.sha256(f"{checkout_id}{datetime.now(UTC).isoformat()}".encode()).hexdigest()


@step(
    "checkout", "POST", "/api/v2/orders/confirm",
    Field("order_id", text), Field("status", says("confirmed"), required=False),
    success=201, repeated=200, order="order_id",
)  # fmt: skip
def confirm(visit: Visit) -> Request:
    """The checkout that was paid."""
    return Request(body=visit.of("checkout_id", "payment_id"))
