"""Requests of payment-gateway."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mock_services.payment.cards import BY_TOKEN_OR_NUMBER, Card, CardNumber, CardToken

PRINTABLE = r"^\P{C}+$"
"""No control characters, and no halves of a surrogate pair: SQLite could not keep those."""


class ChargeRequest(BaseModel):
    """Body of POST /api/v2/payments/charge; the card by its token or by its number."""

    model_config = ConfigDict(frozen=True)

    checkout_id: str = Field(min_length=1, max_length=100, pattern=PRINTABLE)
    payment_method: Literal["card"]
    card_token: CardToken | None = None
    card_number: CardNumber | None = None

    @model_validator(mode="after")
    def _one_card(self) -> Self:
        if (self.card_token is None) == (self.card_number is None):
            raise ValueError("exactly one of card_token and card_number is required")
        return self

    def card(self) -> Card:
        """The card to charge."""
        return BY_TOKEN_OR_NUMBER[self.card_token or self.card_number or "neither"]
