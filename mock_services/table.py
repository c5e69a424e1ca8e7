"""The services there are: the one table that everything else about them follows from.

The only module that others import: it reads no app, only what each service can be told.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mock_services.cart.settings import CartSettings
from mock_services.checkout.settings import CheckoutSettings
from mock_services.inventory_lock.settings import InventoryLockSettings
from mock_services.kit.settings import ServiceSettings
from mock_services.payment.settings import PaymentSettings


@dataclass(frozen=True, slots=True)
class Service:
    """``key`` names its package here and its ``[services.*]`` table, ``subject`` it in reports."""

    key: str
    subject: str
    port: int
    settings: type[ServiceSettings]


_ROWS = (
    Service("checkout", "checkout-service", 8001, CheckoutSettings),
    Service("payment", "payment-gateway", 8002, PaymentSettings),
    Service("inventory_lock", "inventory-lock-service", 8003, InventoryLockSettings),
    Service("cart", "cart-service", 8004, CartSettings),
)
SERVICES: Mapping[str, Service] = {service.key: service for service in _ROWS}
