"""checkout-service: catalogue, coupons, checkouts with a lock on stock, orders in a ledger."""

import functools
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import FastAPI, Path, Query, Request, Response
from prometheus_client.core import GaugeMetricFamily, Metric

from mock_services.checkout import contract
from mock_services.checkout.bodies import BrowseQuery, ConfirmRequest, CouponRequest, StartRequest
from mock_services.checkout.catalogue import Catalogue
from mock_services.checkout.checkouts import Checkouts
from mock_services.checkout.ledger import Ledger, LedgerError
from mock_services.checkout.lock_client import LockAnswer, LockClient, LockUnavailableError
from mock_services.checkout.orders import Confirmation, OrderDesk
from mock_services.checkout.settings import CheckoutSettings
from mock_services.kit import money
from mock_services.kit.app import build_app, settings_from_env
from mock_services.kit.call import Call
from mock_services.kit.errors import JSON, error_response, json_response
from mock_services.kit.pool import Pool
from mock_services.kit.service import MockService

COUPONS = frozenset(f"BF25-{number:03d}" for number in range(1, 501))
COUPON_PERCENT = 25
DELIVERY_DAYS = 5
COMMIT_INTERVALS = 2
"""Group commits that the modelled latency of confirm contains; one is the usual wait."""


class CheckoutService(MockService[CheckoutSettings]):
    """Starts checkouts and confirms orders.

    A connection to the orders database is held for the whole of apply_coupon, start and confirm,
    the call to the lock service included. So 221 requests/s hold about 50 of 200, and when the
    lock service hangs (2 attempts x 0.8 s) 88 starts/s hold 150: with the others the seed's
    peak of 180.
    """

    name = "checkout-service"
    version = "v2.18.3"

    def __init__(self, settings: CheckoutSettings) -> None:
        super().__init__(settings)
        self.catalogue = Catalogue()
        self._pool = Pool("requests", "0", settings.pool_max)
        self._checkouts = Checkouts(settings.checkout_ttl_s)
        ledger = Ledger(settings.ledger_path, settings.ledger_commit_interval_s)
        self._desk = OrderDesk(self._checkouts, ledger, self.events.now_s)

    async def on_start(self) -> None:
        self._desk.open()
        self._locks = LockClient(self.settings.lock_connections_max)

    async def on_stop(self) -> None:
        await self._locks.close()
        self._desk.close()

    def on_settings(self) -> None:
        self._pool.resize(self.settings.pool_max)
        self._checkouts.ttl_s = self.settings.checkout_ttl_s

    def pools(self) -> Iterable[Pool]:
        return (self._pool,)

    def extra_metrics(self) -> Iterable[Metric]:
        pending = len(self._checkouts)
        yield GaugeMetricFamily("checkouts_pending", "Started, not confirmed", value=pending)

    async def pooled(self, call: Call, work: Callable[[], Awaitable[Response]]) -> Response:
        """Do the work on a connection to the orders database."""
        timeout_s = self.settings.pool_wait_timeout_s
        return await self.with_connection(call, self._pool, timeout_s, work)

    async def apply_coupon(self, wanted: CouponRequest) -> Response:
        """Apply one of the 500 coupons to a cart."""
        if wanted.coupon_code not in COUPONS:
            text = f"no coupon {wanted.coupon_code}; there are BF25-001 to BF25-500"
            return error_response(404, "CouponNotFound", text)
        return json_response(
            200,
            cart_id=wanted.cart_id,
            coupon_code=wanted.coupon_code,
            status="applied",
            discount_percent=COUPON_PERCENT,
        )

    async def start_checkout(self, call: Call, wanted: StartRequest) -> Response:
        """Lock stock, then open a checkout."""
        checkout_id = self._checkouts.new_id()
        try:
            answer = await self._acquire(call, checkout_id, wanted)
        except LockUnavailableError as problem:
            return error_response(503, "InventoryLockUnavailable", str(problem))
        if answer.status != 200:
            return Response(answer.body, status_code=answer.status, media_type=JSON)
        self._checkouts.add(checkout_id, wanted.user_id, answer.lock_id)
        return json_response(
            200,
            checkout_id=checkout_id,
            status="pending",
            total=money.dollars(money.checkout_total_cents(checkout_id)),
            items=wanted.item_count(checkout_id),
        )

    async def _acquire(self, call: Call, checkout_id: str, wanted: StartRequest) -> LockAnswer:
        item = wanted.locked()
        body = {
            "sku": item.sku,
            "quantity": item.quantity,
            "ttl_seconds": self.settings.lock_ttl_s,
            "checkout_id": checkout_id,
        }
        return await _downstream(call, self._locks.acquire(self.settings, call.request_id, body))

    async def confirm(self, call: Call, wanted: ConfirmRequest) -> Response:
        """Record the order, then release the lock."""
        try:
            confirmation = await self._record(call, wanted)
        except LedgerError as problem:
            self.events.write("ledger_failed", request_id=call.request_id, problem=str(problem))
            return error_response(503, "LedgerUnavailable", f"order not recorded: {problem}")
        if confirmation is None:
            return error_response(404, "NotFound", f"no checkout {wanted.checkout_id}")
        if confirmation.lock_id is not None:
            await self._release(call, confirmation.lock_id)
        delivery = datetime.now(UTC).date() + timedelta(days=DELIVERY_DAYS)
        return json_response(
            200 if confirmation.lock_id is None else 201,
            order_id=confirmation.order_id,
            status="confirmed",
            estimated_delivery=delivery.isoformat(),
        )

    async def _record(self, call: Call, wanted: ConfirmRequest) -> Confirmation | None:
        """The model contains the wait for a group commit; a ledger slower than that shows."""
        began_s = time.perf_counter()
        try:
            return await self._desk.confirm(wanted.checkout_id, wanted.payment_id, call.request_id)
        finally:
            took_s = time.perf_counter() - began_s
            call.covers(min(took_s, COMMIT_INTERVALS * self.settings.ledger_commit_interval_s))

    async def _release(self, call: Call, lock_id: str) -> None:
        """Release a lock. If that fails the order stands: the lock's time to live frees it."""
        try:
            await _downstream(call, self._locks.release(self.settings, call.request_id, lock_id))
        except LockUnavailableError as problem:
            self.events.write(
                "release_failed", request_id=call.request_id, lock_id=lock_id, problem=str(problem)
            )


async def _downstream(call: Call, asked: Awaitable[LockAnswer]) -> LockAnswer:
    """An endpoint's latency contains the lock service's own: its queues and delays come on top."""
    began_s = time.perf_counter()
    modelled_s: float | None = None
    try:
        answer = await asked
        modelled_s = answer.modelled_s
        return answer
    finally:
        took_s = time.perf_counter() - began_s
        call.covers(took_s if modelled_s is None else min(took_s, modelled_s))


def create_app(settings: CheckoutSettings | None = None) -> FastAPI:
    """The checkout service's app; settings from the environment unless given."""
    service = CheckoutService(settings or settings_from_env(CheckoutSettings))
    app = build_app(service, "Catalogue, coupons, checkouts and orders.")
    _add_catalogue(app, service)
    _add_orders(app, service)
    return app


def _add_catalogue(app: FastAPI, service: CheckoutService) -> None:
    catalogue = service.catalogue

    @service.endpoint(app, "GET", "/api/v2/products", "browse", contract.BROWSE)
    async def browse(request: Request, wanted: Annotated[BrowseQuery, Query()]) -> Response:
        """A page of 20 products of a category, or of all."""
        body = catalogue.page(wanted.category, wanted.page)
        if body is None:
            text = f"no page {wanted.page} of {wanted.category or 'products'}"
            return error_response(404, "NotFound", text)
        return Response(body, media_type=JSON)

    @service.endpoint(app, "GET", "/api/v2/products/{product_id}", "detail", contract.DETAIL)
    async def detail(
        request: Request, product_id: Annotated[str, Path(examples=["p-00001"])]
    ) -> Response:
        """One product, p-00001 to p-10000."""
        body = catalogue.detail(product_id)
        if body is None:
            text = f"no product {product_id}; there are {money.PRODUCT_ID_RANGE}"
            return error_response(404, "NotFound", text)
        return Response(body, media_type=JSON)


def _add_orders(app: FastAPI, service: CheckoutService) -> None:
    @service.endpoint(
        app, "POST", "/api/v2/checkout/apply-coupon", "apply_coupon", contract.APPLY_COUPON
    )
    async def apply_coupon(request: Request, wanted: CouponRequest) -> Response:
        """Apply a coupon, BF25-001 to BF25-500."""
        work = functools.partial(service.apply_coupon, wanted)
        return await service.pooled(Call.of(request), work)

    @service.endpoint(app, "POST", "/api/v2/checkout/start", "start_checkout", contract.START)
    async def start_checkout(request: Request, wanted: StartRequest) -> Response:
        """Open a checkout with a lock on stock; 503 when the lock service gives none."""
        call = Call.of(request)
        return await service.pooled(call, functools.partial(service.start_checkout, call, wanted))

    @service.endpoint(app, "POST", "/api/v2/orders/confirm", "confirm", contract.CONFIRM)
    async def confirm(request: Request, wanted: ConfirmRequest) -> Response:
        """Make a checkout an order (201); the same order again when confirmed twice (200)."""
        call = Call.of(request)
        return await service.pooled(call, functools.partial(service.confirm, call, wanted))


app = create_app()
