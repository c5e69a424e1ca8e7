"""What a checkout sells, and for how much."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mock_services.checkout.bodies import StartRequest
from mock_services.checkout.neighbours import Cart
from mock_services.kit import money

COUPON_PERCENT = 25


@dataclass(frozen=True, slots=True)
class Basket:
    """`items` are pieces by SKU; `pieces` is how many the shopper is told."""

    items: Mapping[str, int]
    pieces: int
    total_cents: int

    @property
    def first(self) -> tuple[str, int]:
        """The item whose stock is locked."""
        return next(iter(self.items.items()))


def of_cart(cart: Cart, has_coupon: bool) -> Basket:
    """What cart-service has, less the coupon."""
    items = _by_sku((item.sku, item.quantity) for item in cart.items)
    discount_cents = cart.subtotal_cents * COUPON_PERCENT // 100 if has_coupon else 0
    return Basket(items, sum(items.values()), cart.subtotal_cents - discount_cents)


def of_request(wanted: StartRequest, number: int) -> Basket:
    """What the request names, at the price of the `number`-th checkout; cart-service is not asked.

    A cart whose items are not named sells one piece of one product.
    """
    checkout_id = money.checkout_id(number)
    total_cents = money.checkout_total_cents(checkout_id)
    if wanted.items:
        items = _by_sku((item.sku, item.quantity) for item in wanted.items)
        return Basket(items, sum(items.values()), total_cents)
    product = 1 + money.trailing_number(wanted.cart_id) % money.PRODUCTS
    return Basket({money.sku_of(product): 1}, money.checkout_items(checkout_id), total_cents)


def _by_sku(items: Iterable[tuple[str, int]]) -> Mapping[str, int]:
    pieces: Counter[str] = Counter()
    for sku, quantity in items:
        pieces[sku] += quantity
    return pieces
