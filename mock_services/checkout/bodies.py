"""Requests of checkout-service: bodies, and the query of browse."""

from typing import Annotated

from pydantic import BaseModel, Field

from mock_services.checkout.catalogue import Category
from mock_services.kit import money

Identifier = Annotated[str, Field(min_length=1, max_length=100)]


class BrowseQuery(BaseModel):
    """Query of GET /api/v2/products."""

    category: Category | None = None
    page: int = Field(default=1, ge=1)


class CouponRequest(BaseModel):
    """Body of POST /api/v2/checkout/apply-coupon."""

    cart_id: Identifier
    coupon_code: Identifier


class StartItem(BaseModel):
    """One item of a checkout."""

    sku: str = Field(pattern=money.SKU_PATTERN)
    quantity: int = Field(ge=1, le=99)


class StartRequest(BaseModel):
    """Body of POST /api/v2/checkout/start. `items` count only where no cart is asked for them."""

    cart_id: Identifier
    user_id: Identifier
    items: list[StartItem] | None = Field(default=None, min_length=1, max_length=100)


class ConfirmRequest(BaseModel):
    """Body of POST /api/v2/orders/confirm."""

    checkout_id: Identifier
    payment_id: Identifier
