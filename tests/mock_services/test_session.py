"""A session's cart: what adds up, what has no room."""

from __future__ import annotations

from mock_services.cart.session import PIECES_MAX, PRODUCTS_MAX, Session
from mock_services.kit import money


def session(*items: tuple[str, int]) -> Session:
    made = Session("lt-user-00001", b"", 0.0)
    assert all(made.add(sku, quantity) for sku, quantity in items)
    return made


def test_pieces_of_one_product_are_one_line() -> None:
    """In the order in which the products came."""
    cart = session(("SKU-28471", 1), ("SKU-39582", 2), ("SKU-28471", 3))
    price, other = money.price_cents("SKU-28471"), money.price_cents("SKU-39582")
    assert list(cart.lines()) == [("SKU-28471", 4, price), ("SKU-39582", 2, other)]
    assert cart.subtotal_cents() == 4 * price + 2 * other


def test_what_has_no_room_changes_nothing() -> None:
    """Neither pieces of one product nor products add up past their limit."""
    cart = session(*((f"SKU-{10_000 + number}", 1) for number in range(PRODUCTS_MAX - 1)))
    assert cart.add("SKU-10000", PIECES_MAX - 1)
    before = list(cart.lines())
    assert not cart.add("SKU-10000", 1)
    assert list(cart.lines()) == before
    assert cart.add("SKU-99999", PIECES_MAX)
    assert not cart.add("SKU-99998", 1)
    assert len(cart.skus) == PRODUCTS_MAX


def test_after_a_checkout_the_next_item_begins_a_new_cart() -> None:
    """A full one too."""
    cart = session(("SKU-28471", PIECES_MAX))
    cart.handed_over = True
    assert [line[1] for line in cart.lines()] == [PIECES_MAX]
    assert cart.add("SKU-28471", 2)
    assert ([line[1] for line in cart.lines()], cart.handed_over) == ([2], False)
