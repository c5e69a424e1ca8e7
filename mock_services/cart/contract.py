"""What the endpoints of cart-service answer, and examples, for its OpenAPI document."""

from pydantic import Field

from mock_services.kit.openapi import Answer, Contract, Described, Dollars, exactly_one


class ItemAdded(Described):
    """A cart after an item was added."""

    cart_id: str
    items: int = Field(ge=1, description="pieces in the cart")
    subtotal: Dollars


class CartItems(Described):
    """One product of a cart that is handed over."""

    sku: str
    quantity: int = Field(ge=1)
    unit_price_cents: int = Field(ge=1)


class CartHandedOver(Described):
    """A cart as its checkout takes it."""

    cart_id: str
    user_id: str | None
    items: list[CartItems] = Field(min_length=1)
    subtotal_cents: int = Field(ge=1)


ADD_TO_CART = Contract(
    {
        200: Answer("the item is in the cart", ItemAdded),
        409: Answer("no more fits into the cart"),
    },
    example={
        "cart_id": "cart-lt-00001",
        "user_id": "lt-user-00001",
        "product_id": "p-00001",
        "quantity": 1,
    },
    body=exactly_one("product_id", "sku")
    | {"properties": {"product_id": {"not": {"const": "p-00000"}}}},
)
HAND_OVER = Contract(
    {
        200: Answer("the cart; the same until something is added to it", CartHandedOver),
        404: Answer("the cart was never filled, or has expired"),
    },
    example={"cart_id": "cart-lt-00001"},
    how="Add an item to the cart first.",
    internal=True,
)
