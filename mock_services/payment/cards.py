"""The sandbox's test cards."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

CardToken = Literal["tok_test_visa_4242", "tok_test_decline_0002", "tok_test_insufficient_9995"]
CardNumber = Literal["4242424242424242", "4000000000000002", "4000000000009995"]
DeclineCode = Literal["generic_decline", "insufficient_funds"]

MESSAGES: Mapping[str, str] = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
}


class Card(NamedTuple):
    """A test card and what becomes of its charges."""

    token: CardToken
    number: CardNumber
    decline_code: DeclineCode | None


CARDS = (
    Card("tok_test_visa_4242", "4242424242424242", None),
    Card("tok_test_decline_0002", "4000000000000002", "generic_decline"),
    Card("tok_test_insufficient_9995", "4000000000009995", "insufficient_funds"),
)
"""The three cards of the load test LT-2025-Q3-CHECKOUT."""
BY_TOKEN_OR_NUMBER: Mapping[str, Card] = {
    name: card for card in CARDS for name in (card.token, card.number)
}
