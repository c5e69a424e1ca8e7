"""checkout-service: catalogue, coupons, checkouts with a lock on stock, orders in a ledger."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

from fastapi import FastAPI, Path, Query, Request, Response
from prometheus_client.core import GaugeMetricFamily, Metric

from mock_services.checkout import basket, contract
from mock_services.checkout.basket import COUPON_PERCENT, Basket
from mock_services.checkout.bodies import BrowseQuery, ConfirmRequest, CouponRequest, StartRequest
from mock_services.checkout.catalogue import Catalogue
from mock_services.checkout.ledger import Checkout, Order
from mock_services.checkout.neighbours import Neighbours
from mock_services.checkout.orders import OrderDesk
from mock_services.checkout.settings import CheckoutSettings
from mock_services.kit import money
from mock_services.kit.app import build_app, settings_from_env
from mock_services.kit.call import Call
from mock_services.kit.downstream import UnavailableError
from mock_services.kit.errors import JSON, RefusedError, error_response, json_response, refused
from mock_services.kit.ledger import LedgerError
from mock_services.kit.metrics import commit_family
from mock_services.kit.owner import is_service, user_of
from mock_services.kit.pool import Pool
from mock_services.kit.service import MockService

T = TypeVar("T")
Work = Callable[[Call], Awaitable[Response]]

COUPONS = frozenset(f"BF25-{number:03d}" for number in range(1, 501))
DELIVERY_DAYS = 5
COMMIT_INTERVALS = 2
"""Group commits that the modelled latency of a write contains; one is the usual wait."""
SWEEP_S = 1.0
"""Time between two looks at what has expired."""


class CheckoutService(MockService[CheckoutSettings]):
    """Starts checkouts and confirms orders.

    A connection to the orders database is held for the whole of apply_coupon, start and confirm,
    the calls to other services included. So 221 requests/s hold about 50 of 200, and when the
    lock service hangs (2 attempts x 0.8 s) 88 starts/s hold 150: with the others the seed's
    peak of 180.
    """

    name = "checkout-service"
    version = "v2.18.3"
    tells_modelled_time = True

    def __init__(self, settings: CheckoutSettings) -> None:
        super().__init__(settings)
        self.catalogue = Catalogue()
        self._pool = Pool("requests", "0", settings.pool_max)
        self._desk = OrderDesk(lambda: self.settings, self.events.now_s)
        self._sweeping: asyncio.Task[None] | None = None

    async def on_start(self) -> None:
        await self._desk.open()
        self._neighbours = Neighbours(lambda: self.settings)
        self._sweeping = asyncio.create_task(self._sweep())

    async def on_stop(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
        self._neighbours.close()
        await self._desk.close()

    async def remove_test_data(self, prefix: str) -> dict[str, int]:
        """Orders and checkouts of such users."""
        return await self._desk.remove(prefix)

    def on_settings(self) -> None:
        self._pool.resize(self.settings.pool_max)

    def pools(self) -> Iterable[Pool]:
        return (self._pool,)

    def extra_metrics(self) -> Iterable[Metric]:
        pending = self._desk.pending
        yield GaugeMetricFamily("checkouts_pending", "Started, not confirmed", value=pending)
        yield commit_family(self._desk.commits)

    async def pooled(
        self, request: Request, work: Callable[[Call], Awaitable[Response]]
    ) -> Response:
        """Do the work on a connection to the orders database."""
        call = Call.of(request)

        async def answer() -> Response:
            try:
                return await work(call)
            except RefusedError as refusal:
                return refusal.response
            except LedgerError as problem:
                self.events.write("ledger_failed", request_id=call.request_id, problem=str(problem))
                return error_response(503, "LedgerUnavailable", f"not recorded: {problem}")

        return await self.with_connection(
            call, self._pool, self.settings.pool_wait_timeout_s, answer
        )

    async def apply_coupon(self, call: Call, wanted: CouponRequest) -> Response:
        """Apply one of the 500 coupons to a cart."""
        if wanted.coupon_code not in COUPONS:
            text = f"no coupon {wanted.coupon_code}; there are BF25-001 to BF25-500"
            return error_response(404, "CouponNotFound", text)
        if self.settings.check_cart:
            await self._written(call, self._desk.keep_coupon(wanted.cart_id))
        return json_response(
            200,
            cart_id=wanted.cart_id,
            coupon_code=wanted.coupon_code,
            status="applied",
            discount_percent=COUPON_PERCENT,
        )

    async def start_checkout(
        self, call: Call, user_id: str | None, wanted: StartRequest
    ) -> Response:
        """Take the cart, reserve and lock stock, then open a checkout."""
        _refuse_foreign(user_id, wanted.user_id, "this user")
        number = self._desk.next_number()
        sold = await self._basket(call, user_id, wanted, number)
        checkout_id = money.checkout_id(number)
        self._desk.reserve(sold.items)
        try:
            lock_id = await self._neighbours.lock(call, checkout_id, *sold.first)
            started = self._desk.start(
                number, wanted.user_id, lock_id, sold.items, sold.total_cents
            )
            await self._written(call, started)
        except BaseException:
            self._desk.give_back(sold.items)
            raise
        return json_response(
            200,
            checkout_id=checkout_id,
            status="pending",
            total=money.dollars(sold.total_cents),
            items=sold.pieces,
        )

    async def _basket(
        self, call: Call, user_id: str | None, wanted: StartRequest, number: int
    ) -> Basket:
        if not self.settings.check_cart:
            return basket.of_request(wanted, number)
        cart = await self._neighbours.cart(call, wanted.cart_id)
        if cart.user_id is not None:
            _refuse_foreign(user_id, cart.user_id, f"cart {wanted.cart_id}")
        return basket.of_cart(cart, await self._desk.has_coupon(wanted.cart_id))

    async def checkout(self, request: Request, checkout_id: str) -> Response:
        """What payment-gateway wants to know of a checkout."""
        if self.settings.require_auth and not is_service(request):
            raise refused(403, "Forbidden", "for services: Bearer lt-svc-token-...")
        if pending := await self._desk.checkout(checkout_id):
            user_id, status, total_cents = pending.user_id, "pending", pending.total_cents
        elif order := await self._desk.order(checkout_id):
            user_id, status, total_cents = order.user_id, "confirmed", order.amount_cents
        else:
            raise _no_checkout(checkout_id)
        return json_response(
            200, checkout_id=checkout_id, user_id=user_id, status=status, total_cents=total_cents
        )

    async def confirm(self, call: Call, user_id: str | None, wanted: ConfirmRequest) -> Response:
        """Make a checkout an order, or tell of the one it has become."""
        async with self._desk.turn(wanted.checkout_id):
            checkout = await self._desk.checkout(wanted.checkout_id)
            if checkout is None:
                order, status = await self._known_order(user_id, wanted), 200
            else:
                order, status = await self._order(call, user_id, checkout, wanted), 201
        delivery = datetime.now(UTC).date() + timedelta(days=DELIVERY_DAYS)
        return json_response(
            status,
            order_id=order.order_id,
            status="confirmed",
            estimated_delivery=delivery.isoformat(),
        )

    async def _known_order(self, user_id: str | None, wanted: ConfirmRequest) -> Order:
        order = await self._desk.order(wanted.checkout_id)
        if order is None:
            raise _no_checkout(wanted.checkout_id)
        _refuse_foreign(user_id, order.user_id, f"checkout {wanted.checkout_id}")
        if self.settings.check_payment and order.payment_id != wanted.payment_id:
            raise _mismatch(wanted, f"is paid by {order.payment_id}")
        return order

    async def _order(
        self, call: Call, user_id: str | None, checkout: Checkout, wanted: ConfirmRequest
    ) -> Order:
        """Record the order, then release the lock."""
        _refuse_foreign(user_id, checkout.user_id, f"checkout {wanted.checkout_id}")
        if self.settings.check_payment:
            await self._check_payment(call, checkout, wanted)
        recorded = self._desk.record(checkout, wanted.payment_id, call.request_id)
        order = await self._written(call, recorded)
        if not await self._unlock(call, checkout.lock_id) and self.settings.check_lock:
            await self._desk.take_back(order, checkout)
            text = f"{checkout.lock_id}, the lock on its stock, has expired or was released"
            raise refused(410, "LockExpired", text)
        return order

    async def _check_payment(self, call: Call, checkout: Checkout, wanted: ConfirmRequest) -> None:
        payment = await self._neighbours.payment(call, wanted.payment_id)
        if payment is None or payment.status != "succeeded":
            text = f"{wanted.payment_id} is no payment that succeeded"
            raise refused(402, "PaymentRequired", text)
        if payment.checkout_id != wanted.checkout_id:
            raise _mismatch(wanted, f"{wanted.payment_id} is of {payment.checkout_id}")
        if payment.amount_cents != checkout.total_cents:
            paid, total = money.dollars(payment.amount_cents), money.dollars(checkout.total_cents)
            raise _mismatch(wanted, f"costs {total}, {wanted.payment_id} is {paid}")

    async def _unlock(self, call: Call, lock_id: str) -> bool:
        """Release a lock; whether it was in force as far as anybody can say.

        It is asked for last: an order that could not be written keeps its lock, and what a crash
        leaves in between is an order. If it fails the order stands: the time to live frees the
        lock. One that was gone already takes the order back, before a client has heard of it.
        """
        try:
            return await self._neighbours.unlock(call, lock_id)
        except UnavailableError as failure:
            self.events.write(
                "release_failed",
                request_id=call.request_id,
                lock_id=lock_id,
                problem=failure.problem,
            )
            return True

    async def _written(self, call: Call, writing: Awaitable[T]) -> T:
        """The model contains the wait for a group commit; a ledger slower than that shows."""
        began_s = time.perf_counter()
        try:
            return await writing
        finally:
            took_s = time.perf_counter() - began_s
            call.covers(min(took_s, COMMIT_INTERVALS * self.settings.ledger_commit_interval_s))

    def user_of(self, request: Request) -> str | None:
        """The user who must own what is asked for; None where that is not checked."""
        told = self.settings
        return user_of(request) if told.check_owner and told.require_auth else None

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            with suppress(LedgerError):  # they are looked at again
                await self._desk.sweep()


def _refuse_foreign(user_id: str | None, owner: str, what: str) -> None:
    if user_id is not None and user_id != owner:
        raise refused(403, "Forbidden", f"{what} is not of {user_id}, whose token this is")


def _no_checkout(checkout_id: str) -> RefusedError:
    return refused(404, "NotFound", f"no checkout {checkout_id}")


def _mismatch(wanted: ConfirmRequest, why: str) -> RefusedError:
    return refused(409, "PaymentMismatch", f"checkout {wanted.checkout_id}: {why}")


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
        return await service.pooled(request, lambda call: service.apply_coupon(call, wanted))

    @service.endpoint(app, "POST", "/api/v2/checkout/start", "start_checkout", contract.START)
    async def start_checkout(request: Request, wanted: StartRequest) -> Response:
        """Open a checkout of a cart with a lock on stock; 503 when the lock service gives none."""
        user_id = service.user_of(request)
        return await service.pooled(
            request, lambda call: service.start_checkout(call, user_id, wanted)
        )

    @service.endpoint(app, "GET", "/api/v2/checkout/{checkout_id}", "checkout", contract.CHECKOUT)
    async def checkout(request: Request, checkout_id: str) -> Response:
        """A checkout, for services: pending or confirmed, and its total."""

        async def work(_: Call) -> Response:
            return await service.checkout(request, checkout_id)

        return await service.pooled(request, work)

    @service.endpoint(app, "POST", "/api/v2/orders/confirm", "confirm", contract.CONFIRM)
    async def confirm(request: Request, wanted: ConfirmRequest) -> Response:
        """Make a paid checkout an order (201); the same order when confirmed twice (200)."""
        user_id = service.user_of(request)
        return await service.pooled(request, lambda call: service.confirm(call, user_id, wanted))


app = create_app()
