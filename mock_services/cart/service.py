"""cart-service: adding items to carts that live in an in-memory session cache."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Self

from fastapi import FastAPI, Request, Response
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from pydantic import BaseModel, Field, model_validator

from mock_services.cart import contract
from mock_services.cart.memory_guard import MemoryGuard
from mock_services.cart.session import PIECES_MAX, PRODUCTS_MAX
from mock_services.cart.session_cache import SessionCache
from mock_services.cart.settings import CartSettings
from mock_services.kit import money
from mock_services.kit.app import build_app, settings_from_env
from mock_services.kit.errors import error_response, json_response
from mock_services.kit.owner import is_service, user_of
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

    def chosen_sku(self) -> str:
        """The product's SKU."""
        return self.sku or money.sku_of(int((self.product_id or "")[2:]))


class CartHandOver(BaseModel):
    """Body of POST /api/v2/cart/checkout."""

    cart_id: str = Field(min_length=1, max_length=100)


class CartService(MockService[CartSettings]):
    """Holds the carts."""

    name = "cart-service"
    version = "v3.4.2"
    tells_modelled_time = True

    def __init__(self, settings: CartSettings) -> None:
        super().__init__(settings)
        self.cache = SessionCache(settings.ttl_s, settings.session_bytes, settings.seed)
        self._guard = MemoryGuard(self.cache, self.events, lambda: self.settings)
        self._guarding: asyncio.Task[None] | None = None
        self._baseline = b"\1" * settings.baseline_bytes  # every page is written: resident
        self.on_settings()

    async def on_start(self) -> None:
        self._guarding = asyncio.create_task(self._guard.run())

    async def on_stop(self) -> None:
        if self._guarding is not None:
            self._guarding.cancel()

    def on_settings(self) -> None:
        self.cache.ttl_s = self.settings.ttl_s
        self.cache.session_bytes = self.settings.session_bytes
        lazy = self.settings.eviction == "lazy"
        self.cache.leaks.share = self.settings.lost_share(collected=self._guard.collected)
        self.cache.sessions_max = None if lazy else self.settings.sessions_max

    async def make_test_data(self, wanted: Mapping[str, Any]) -> dict[str, int]:
        """A cart of one product for every user who has none."""
        made = 0
        for number in range(1, wanted["users"] + 1):
            cart_id = f"cart-{wanted['prefix']}seed-{number:05d}"
            if self.cache.find(cart_id) is None:
                session = self.cache.open(cart_id, f"{wanted['prefix']}user-{number:05d}")
                session.add(money.sku_of(1 + (number - 1) % wanted["products"]), 1)
                made += 1
        return {"carts": made}

    async def remove_test_data(self, prefix: str) -> dict[str, int]:
        """Carts of such users."""
        return {"carts": self.cache.drop(prefix)}

    def extra_metrics(self) -> Iterable[Metric]:
        yield GaugeMetricFamily("cart_sessions", "Sessions in memory", value=len(self.cache))
        yield CounterMetricFamily(
            "cart_sessions_evicted", "Expired sessions dropped", value=self.cache.evicted
        )
        lookups = CounterMetricFamily(
            "cart_session_lookups", "Sessions looked up by their cart", labels=("result",)
        )
        lookups.add_metric(("hit",), self.cache.hits)
        lookups.add_metric(("miss",), self.cache.misses)
        yield lookups

    def add(self, request: Request, item: CartItem) -> Response:
        """Put an item into its cart."""
        user_id = user_of(request)
        session = self.cache.find(item.cart_id)
        if session is None:
            session = self.cache.open(item.cart_id, user_id or item.user_id)
        elif self.settings.check_owner and user_id and session.owner not in (None, user_id):
            text = f"{item.cart_id} is not a cart of {user_id}"
            return error_response(403, "Forbidden", text)
        if not session.add(item.chosen_sku(), item.quantity):
            text = f"a cart holds {PRODUCTS_MAX} products at most, and {PIECES_MAX} of each"
            return error_response(409, "CartFull", text)
        subtotal = money.dollars(session.subtotal_cents())
        return json_response(
            200, cart_id=item.cart_id, items=sum(session.pieces), subtotal=subtotal
        )

    def hand_over(self, request: Request, cart_id: str) -> Response:
        """A cart for its checkout: the same until something is added, which begins a new one."""
        if self.settings.require_auth and not is_service(request):
            text = "only for services: Authorization must be Bearer lt-svc-token-..."
            return error_response(403, "Forbidden", text)
        session = self.cache.find(cart_id)
        if session is None:
            text = f"no cart {cart_id}: never filled, or expired"
            return error_response(404, "CartNotFound", text)
        session.handed_over = True
        return json_response(
            200,
            cart_id=cart_id,
            user_id=session.owner,
            items=[
                {"sku": sku, "quantity": count, "unit_price_cents": price_cents}
                for sku, count, price_cents in session.lines()
            ],
            subtotal_cents=session.subtotal_cents(),
        )


def create_app(settings: CartSettings | None = None) -> FastAPI:
    """The cart service's app; settings from the environment unless given."""
    service = CartService(settings or settings_from_env(CartSettings))
    app = build_app(service, "Carts in an in-memory session cache.")

    @service.endpoint(app, "POST", "/api/v2/cart/items", "add_to_cart", contract.ADD_TO_CART)
    async def add_to_cart(request: Request, item: CartItem) -> Response:
        """Add an item; a cart id not seen before opens a session. 403 foreign, 409 full."""
        return service.add(request, item)

    @service.endpoint(app, "POST", "/api/v2/cart/checkout", "checkout", contract.HAND_OVER)
    async def checkout(request: Request, cart: CartHandOver) -> Response:
        """Hand a cart over to a checkout, for services only; 404 when it has expired."""
        return service.hand_over(request, cart.cart_id)

    return app


app = create_app()
