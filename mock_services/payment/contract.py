"""What the endpoints of payment-gateway answer, and examples, for its OpenAPI document."""

from typing import Literal

from pydantic import Field

from mock_services.kit.openapi import (
    Answer,
    Contract,
    Described,
    Dollars,
    Problem,
    exactly_one,
)
from mock_services.payment.cards import DeclineCode

KEY_HEADER = "Idempotency-Key"
KEY_MAX_CHARS = 255


class Charged(Described):
    """A charge that succeeded."""

    payment_id: str
    status: Literal["succeeded"]
    amount: Dollars
    card_last_four: str = Field(pattern=r"^\d{4}$")


class CardDeclined(Problem):
    """A charge that the card's bank declined."""

    decline_code: DeclineCode


class Conflict(Problem):
    """A charge that may not begin."""

    payment_id: str | None = Field(default=None, description="by which the checkout is paid")


class PaymentState(Described):
    """A payment as other services see it."""

    payment_id: str
    checkout_id: str
    status: str = Field(description="`succeeded`, or why not")
    amount_cents: int = Field(ge=0)


_KEY = {
    "in": "header",
    "name": KEY_HEADER,
    "description": "same key and body: same answer, one charge",
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_MAX_CHARS},
}

CHARGE = Contract(
    {
        200: Answer("charged", Charged, ("Idempotent-Replayed",)),
        402: Answer("declined", CardDeclined, ("Idempotent-Replayed",)),
        404: Answer("there is no such checkout"),
        409: Answer("the key is another charge's, or the checkout is paid or being paid", Conflict),
        429: Answer("more charges than the sandbox allows", headers=("Retry-After",)),
        504: Answer("the processor did not answer"),
    },
    example={
        "checkout_id": "chk-lt-00001",
        "payment_method": "card",
        "card_token": "tok_test_visa_4242",
    },
    how="`checkout_id` is in the answer of a start.",
    body=exactly_one("card_token", "card_number"),
    headers=("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"),
    parameters=(_KEY,),
)
PAYMENT = Contract(
    {200: Answer("the payment", PaymentState), 404: Answer("there is no such payment")},
    internal=True,
)
