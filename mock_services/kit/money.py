"""Identifiers and money: pure functions, so that services agree without talking.

Checkout quotes a total at start, payment charges it: both compute it from the checkout id.
Catalogue and cart compute the price of a product from its SKU.
"""

import re
import zlib

PRODUCTS = 10_000
PRODUCT_ID_PATTERN = r"^p-(0\d{4}|10000)$"
PRODUCT_ID_RANGE = "p-00001 to p-10000"
SKU_PATTERN = r"^SKU-\d{5}$"

_NUMBER = re.compile(r"(\d{1,15})$")


def product_id(number: int) -> str:
    """Id of the catalogue's `number`-th product, from 1."""
    return f"p-{number:05d}"


def sku_of(number: int) -> str:
    """SKU of the `number`-th product; a bijection, as 12,409 and 89,989 are primes.

    With this factor the seed's three are products: SKU-28471, SKU-39582 and SKU-41093.
    """
    return f"SKU-{10_000 + number * 12_409 % 89_989:05d}"


def price_cents(sku: str) -> int:
    """Price of a SKU: 4.99 to 204.98."""
    return 499 + zlib.crc32(sku.encode()) % 20_000


def trailing_number(identifier: str) -> int:
    """The number an id ends with; a checksum of the id when it ends with none."""
    match = _NUMBER.search(identifier)
    return int(match.group(1)) if match else zlib.crc32(identifier.encode())


def checkout_id(number: int) -> str:
    """Id of the `number`-th checkout, from 1."""
    return f"chk-lt-{number:05d}"


def checkout_number(identifier: str) -> int | None:
    """The number of a checkout; None when no checkout can be called so."""
    number = trailing_number(identifier)
    return number if checkout_id(number) == identifier else None


def checkout_total_cents(identifier: str) -> int:
    """What the order of a checkout costs; chk-lt-00001 is the seed's $89.99."""
    return 1_999 + (7_000 + (trailing_number(identifier) - 1) * 7_919) % 40_000


def checkout_items(identifier: str) -> int:
    """How many items a checkout has that named none: 1 to 5, chk-lt-00001 the seed's 3."""
    return 1 + (trailing_number(identifier) + 1) % 5


def dollars(cents: int) -> str:
    """An amount as the APIs write it, for example $89.99."""
    return f"${cents // 100}.{cents % 100:02d}"
