"""One shopping session and its cart."""

import sys
from collections.abc import Iterator

from mock_services.kit import money

PRODUCTS_MAX = 100
PIECES_MAX = 99
"""Of one product, in all: no number of requests adds up to more."""


class Session:
    """A user's cart, products and pieces side by side: an object per item would outweigh both."""

    __slots__ = ("accessed_s", "ballast", "handed_over", "owner", "pieces", "skus")

    def __init__(self, owner: str | None, ballast: bytes, now_s: float) -> None:
        self.owner = owner
        self.ballast = ballast
        self.accessed_s = now_s
        self.skus: tuple[str, ...] = ()
        self.pieces = b""
        self.handed_over = False

    def add(self, sku: str, quantity: int) -> bool:
        """Put pieces into the cart, a new one after a checkout; False when there is no room."""
        skus, pieces = ((), b"") if self.handed_over else (self.skus, self.pieces)
        at = skus.index(sku) if sku in skus else len(skus)
        count = quantity + sum(pieces[at : at + 1])
        if at == PRODUCTS_MAX or count > PIECES_MAX:
            return False
        if at == len(skus):
            skus += (sys.intern(sku),)
        self.skus, self.pieces = skus, pieces[:at] + bytes((count,)) + pieces[at + 1 :]
        self.handed_over = False
        return True

    def lines(self) -> Iterator[tuple[str, int, int]]:
        """SKU, pieces and price of one in cents."""
        for sku, count in zip(self.skus, self.pieces, strict=True):
            yield sku, count, money.price_cents(sku)

    def subtotal_cents(self) -> int:
        """What all of it costs."""
        return sum(count * price_cents for _, count, price_cents in self.lines())
