"""Pieces on the shelf, where there is a limit."""

from collections import Counter
from collections.abc import Callable, Mapping

from mock_services.checkout.settings import CheckoutSettings


class Stock:
    """Counts what is reserved or sold of each SKU; unlimited stock counts nothing."""

    def __init__(self, settings: Callable[[], CheckoutSettings]) -> None:
        self._settings = settings
        self.taken: Counter[str] = Counter()

    def take(self, items: Mapping[str, int]) -> str | None:
        """Reserve all of it or nothing; the first SKU of which there is too little."""
        per_sku = self._settings().stock_per_sku
        if per_sku is None:
            return None
        there = per_sku + self._settings().stock_slack
        for sku, quantity in items.items():
            if self.taken[sku] + quantity > there:
                return sku
        self.taken.update(items)
        return None

    def give_back(self, items: Mapping[str, int]) -> None:
        """Return what was reserved and not sold."""
        if self._settings().stock_per_sku is not None:
            self.taken.subtract(items)
