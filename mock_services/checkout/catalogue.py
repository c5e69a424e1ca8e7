"""10,000 products in 10 categories; every answer is built once, at start-up."""

from typing import Any, Literal, get_args

import orjson

from mock_services.kit import money

Category = Literal[
    "electronics", "apparel", "home", "beauty", "sports",
    "toys", "books", "grocery", "garden", "automotive",
]  # fmt: skip
CATEGORIES: tuple[str, ...] = get_args(Category)
PAGE_SIZE = 20


def product(number: int) -> dict[str, Any]:
    """The `number`-th product; the same in every process."""
    sku = money.sku_of(number)
    category = CATEGORIES[(number - 1) % len(CATEGORIES)]
    return {
        "id": money.product_id(number),
        "sku": sku,
        "name": f"{category.capitalize()} item {number}",
        "category": category,
        "price": money.dollars(money.price_cents(sku)),
        "rating": 3 + number * 7 % 21 / 10,
    }


class Catalogue:
    """Encoded answers: one per product, and one per page of a category or of all."""

    def __init__(self) -> None:
        products = [product(number) for number in range(1, money.PRODUCTS + 1)]
        self._details = {entry["id"]: _encode(entry) for entry in products}
        self._pages: dict[tuple[str | None, int], bytes] = _pages(None, products)
        for index, category in enumerate(CATEGORIES):
            self._pages |= _pages(category, products[index :: len(CATEGORIES)])

    def detail(self, product_id: str) -> bytes | None:
        """A product's answer; None when there is no such product."""
        return self._details.get(product_id)

    def page(self, category: str | None, number: int) -> bytes | None:
        """A page's answer, from 1; None past the last page."""
        return self._pages.get((category, number))


def _pages(
    category: str | None, products: list[dict[str, Any]]
) -> dict[tuple[str | None, int], bytes]:
    pages: dict[tuple[str | None, int], bytes] = {}
    for start in range(0, len(products), PAGE_SIZE):
        number = start // PAGE_SIZE + 1
        pages[category, number] = _encode(
            {
                "category": category,
                "page": number,
                "pages": -(-len(products) // PAGE_SIZE),
                "total": len(products),
                "products": products[start : start + PAGE_SIZE],
            }
        )
    return pages


def _encode(value: dict[str, Any]) -> bytes:
    # A copy of the right size: orjson's own bytes object keeps its 4 KB buffer while it lives.
    return bytes(memoryview(orjson.dumps(value)))
