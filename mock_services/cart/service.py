"""cart-service: adding items to carts that live in an in-memory session cache."""

import asyncio
from collections.abc import Iterable
from typing import Self

from fastapi import FastAPI, Request, Response
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from pydantic import BaseModel, Field, model_validator

from mock_services.cart import contract
from mock_services.cart.memory_guard import MemoryGuard
from mock_services.cart.session_cache import SessionCache
from mock_services.cart.settings import CartSettings
from mock_services.kit import money
from mock_services.kit.app import build_app, settings_from_env
from mock_services.kit.errors import json_response
from mock_services.kit.service import MockService


class CartItem(BaseModel):
    """Body of POST /api/v2/cart/items; the product by its id or by its SKU."""

    cart_id: str = Field(min_length=1, max_length=100)
    user_id: str | None = Field(default=None, max_length=100)
    product_id: str | None = Field(default=None, pattern=money.PRODUCT_ID_PATTERN)
    sku: str | None = Field(default=None, pattern=money.SKU_PATTERN)
    quantity: int = Field(ge=1, le=99)

    @model_validator(mode="after")
    def _one_product(self) -> Self:
        if (self.product_id is None) == (self.sku is None):
            raise ValueError("exactly one of product_id and sku is required")
        if self.product_id == money.product_id(0):
            raise ValueError(f"product_id must be in {money.PRODUCT_ID_RANGE}")
        return self

    def price_cents(self) -> int:
        """Price of one piece."""
        if self.product_id is not None:
            return money.price_cents(money.sku_of(int(self.product_id[2:])))
        return money.price_cents(self.sku or "")


class CartService(MockService[CartSettings]):
    """Holds the carts."""

    name = "cart-service"
    version = "v3.4.2"

    def __init__(self, settings: CartSettings) -> None:
        super().__init__(settings)
        self.cache = SessionCache(settings.ttl_s, settings.session_bytes, settings.seed)
        self._guard = MemoryGuard(self.cache, self.events, lambda: self.settings)
        self._guarding: asyncio.Task[None] | None = None

    async def on_start(self) -> None:
        self._guarding = asyncio.create_task(self._guard.run())

    async def on_stop(self) -> None:
        if self._guarding is not None:
            self._guarding.cancel()

    def on_settings(self) -> None:
        self.cache.ttl_s = self.settings.ttl_s
        self.cache.session_bytes = self.settings.session_bytes

    def extra_metrics(self) -> Iterable[Metric]:
        yield GaugeMetricFamily("cart_sessions", "Sessions in memory", value=len(self.cache))
        yield GaugeMetricFamily(
            "container_spec_memory_limit_bytes",
            "Memory limit of the container",
            value=self.settings.memory_limit_bytes,
        )
        yield CounterMetricFamily(
            "cart_sessions_evicted", "Expired sessions dropped", value=self.cache.evicted
        )

    def add(self, item: CartItem) -> Response:
        """Put an item into its cart."""
        session = self.cache.access(item.cart_id)
        session.items += item.quantity
        session.subtotal_cents += item.quantity * item.price_cents()
        subtotal = money.dollars(session.subtotal_cents)
        return json_response(200, cart_id=item.cart_id, items=session.items, subtotal=subtotal)


def create_app(settings: CartSettings | None = None) -> FastAPI:
    """The cart service's app; settings from the environment unless given."""
    service = CartService(settings or settings_from_env(CartSettings))
    app = build_app(service, "Carts in an in-memory session cache.")

    @service.endpoint(app, "POST", "/api/v2/cart/items", "add_to_cart", contract.ADD_TO_CART)
    async def add_to_cart(request: Request, item: CartItem) -> Response:
        """Add an item; a cart id not seen before opens a session."""
        return service.add(item)

    return app


app = create_app()
