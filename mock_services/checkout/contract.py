"""What the endpoints of checkout-service answer, and examples, for its OpenAPI document."""

from datetime import date
from typing import Literal

from pydantic import Field

from mock_services.checkout.catalogue import Category
from mock_services.kit.openapi import Answer, Contract, Described, Dollars, Problem


class Product(Described):
    """A product of the catalogue."""

    id: str
    sku: str
    name: str
    category: Category
    price: Dollars
    rating: float = Field(ge=3.0, le=5.0)


class ProductPage(Described):
    """A page of 20 products."""

    category: Category | None
    page: int = Field(ge=1)
    pages: int = Field(ge=1)
    total: int = Field(ge=0)
    products: list[Product] = Field(min_length=1, max_length=20)


class CouponApplied(Described):
    """A coupon that counts for a cart."""

    cart_id: str
    coupon_code: str
    status: Literal["applied"]
    discount_percent: int


class CheckoutStarted(Described):
    """A checkout that holds a lock on stock."""

    checkout_id: str
    status: Literal["pending"]
    total: Dollars
    items: int = Field(ge=1, description="pieces in the checkout")


class CheckoutState(Described):
    """A checkout as other services see it."""

    checkout_id: str
    user_id: str
    status: Literal["pending", "confirmed"]
    total_cents: int = Field(ge=0)


class OutOfStock(Problem):
    """A product of which too little is left."""

    sku: str


class OrderConfirmed(Described):
    """An order in the ledger."""

    order_id: str
    status: Literal["confirmed"]
    estimated_delivery: date


BROWSE = Contract(
    {200: Answer("a page of products", ProductPage), 404: Answer("there is no such page")}
)
DETAIL = Contract({200: Answer("the product", Product), 404: Answer("there is no such product")})
APPLY_COUPON = Contract(
    {
        200: Answer("the coupon counts", CouponApplied),
        404: Answer("there is no such coupon"),
    },
    example={"cart_id": "cart-lt-00001", "coupon_code": "BF25-001"},
)
START = Contract(
    {
        200: Answer("the checkout has begun", CheckoutStarted),
        404: Answer("the cart was never filled, or has expired"),
        409: Answer("too little of a product is left", OutOfStock),
    },
    example={"cart_id": "cart-lt-00001", "user_id": "lt-user-00001"},
    how="Add an item to the cart first.",
)
CHECKOUT = Contract(
    {
        200: Answer("the checkout", CheckoutState),
        404: Answer("there is no such checkout"),
    },
    internal=True,
)
CONFIRM = Contract(
    {
        200: Answer("the order was confirmed before: the same one again", OrderConfirmed),
        201: Answer("the order is in the ledger", OrderConfirmed),
        402: Answer("there is no such payment, or it did not succeed"),
        404: Answer("there is no such checkout"),
        409: Answer("the payment is of another checkout, or of another amount"),
        410: Answer("the lock has expired; its stock is free already"),
    },
    example={"checkout_id": "chk-lt-00001", "payment_id": "pay-lt-00001"},
    how="`checkout_id` is in the answer of a start, `payment_id` in that of a charge.",
)
