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
    """Body of POST /api/v2/checkout/start. The stock of the first item is what gets locked."""

    cart_id: Identifier
    user_id: Identifier
    items: list[StartItem] | None = Field(default=None, min_length=1, max_length=100)

    def locked(self) -> StartItem:
        """What to lock; a cart whose items are not named locks one piece of one product."""
        if self.items:
            return self.items[0]
        number = 1 + money.trailing_number(self.cart_id) % money.PRODUCTS
        return StartItem(sku=money.sku_of(number), quantity=1)

    def item_count(self, checkout_id: str) -> int:
        """How many items the checkout has."""
        if self.items:
            return sum(item.quantity for item in self.items)
        return money.checkout_items(checkout_id)


class ConfirmRequest(BaseModel):
    """Body of POST /api/v2/orders/confirm."""

    checkout_id: Identifier
    payment_id: Identifier
