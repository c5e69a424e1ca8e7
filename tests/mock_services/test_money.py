"""Ids and amounts are pure functions of each other."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from mock_services.kit import money


def test_first_checkout_is_the_seeds() -> None:
    """chk-lt-00001 costs $89.99 and has 3 items, as in Appendix B."""
    total = money.dollars(money.checkout_total_cents("chk-lt-00001"))
    assert (total, money.checkout_items("chk-lt-00001")) == ("$89.99", 3)


def test_every_product_has_a_sku_of_its_own() -> None:
    """10,000 products, 10,000 SKUs of five digits."""
    skus = {money.sku_of(number) for number in range(1, money.PRODUCTS + 1)}
    assert len(skus) == money.PRODUCTS
    assert all(re.fullmatch(money.SKU_PATTERN, sku) for sku in skus)


@given(st.text(max_size=30))
@settings(derandomize=True, deadline=None)
def test_any_checkout_id_has_a_plausible_total(checkout_id: str) -> None:
    """Totals lie between $19.99 and $419.98 whatever the id, and are written with cents."""
    cents = money.checkout_total_cents(checkout_id)
    assert 1_999 <= cents < 41_999
    assert re.fullmatch(r"\$\d+\.\d\d", money.dollars(cents))
