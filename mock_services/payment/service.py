"""payment-gateway: charges test cards through a rate-limited sandbox.

Idempotency keys follow Stripe's rules. A charge starts when it has a connection to the processor,
and every answer of one that has started is kept with its key and replayed: 200, 402 and 500. What
is refused before (400, 401, 403, 404, 409, 429, 503) is not kept. A 504 does not end a charge: it
goes on behind, its key stays in flight (409), and what it comes to is what a later retry gets.
"""

import asyncio
import functools
import time
from collections.abc import Iterable

from fastapi import FastAPI, Request, Response
from starlette.types import Scope

from mock_services.kit import money
from mock_services.kit.app import build_app, settings_from_env
from mock_services.kit.call import Call
from mock_services.kit.errors import (
    RefusedError,
    error_response,
    json_response,
    refused,
    validation_response,
)
from mock_services.kit.ledger import LedgerError
from mock_services.kit.owner import is_service, user_of
from mock_services.kit.pool import Pool
from mock_services.kit.service import MockService
from mock_services.kit.shares import Share
from mock_services.payment import contract
from mock_services.payment.answers import PROCESSING_ERROR, answer_to
from mock_services.payment.bodies import ChargeRequest
from mock_services.payment.charges import Charge, UnderWay, bound
from mock_services.payment.contract import KEY_HEADER, KEY_MAX_CHARS
from mock_services.payment.payments import SUCCEEDED, Payment, Payments
from mock_services.payment.quotes import Quotes
from mock_services.payment.rate_limit import Decision, TokenBucket
from mock_services.payment.settings import PaymentSettings

CHARGE_PATH = "/api/v2/payments/charge"
COMMIT_INTERVALS = 2
"""Group commits that the modelled latency of a charge contains; one is the usual wait."""


class PaymentService(MockService[PaymentSettings]):
    """Charges cards."""

    name = "payment-gateway"
    version = "v4.7.1"
    tells_modelled_time = True

    def __init__(self, settings: PaymentSettings) -> None:
        super().__init__(settings)
        self._pool = Pool("processor", "0", settings.pool_max)
        self._limit = TokenBucket(settings.rate_limit_per_s) if settings.rate_limit_per_s else None
        self._payments = Payments(settings.ledger_path, settings.ledger_commit_interval_s)
        self._under_way = UnderWay()
        self._late: set[asyncio.Task[None]] = set()
        self._declines = Share(settings.decline_share)
        self._insufficient = Share(settings.insufficient_funds_share)
        self._gateway_timeouts = Share(settings.gateway_timeout_share)
        self._bound_keys()

    async def on_start(self) -> None:
        self._payments.open()
        self._quotes = Quotes(lambda: self.settings)

    async def on_stop(self) -> None:
        for task in self._late:  # a charge ends with the process, however that ends
            task.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)
        self._quotes.close()
        self._payments.close()

    def pools(self) -> Iterable[Pool]:
        return (self._pool,)

    async def remove_test_data(self, prefix: str) -> dict[str, int]:
        """Payments of such requests: whose they are, only checkout knows."""
        return await self._payments.remove(prefix)

    def on_settings(self) -> None:
        settings = self.settings
        self._pool.resize(settings.pool_max)
        self._bound_keys()
        self._declines.share = settings.decline_share
        self._insufficient.share = settings.insufficient_funds_share
        self._gateway_timeouts.share = settings.gateway_timeout_share
        if not settings.rate_limit_per_s:
            self._limit = None
        elif self._limit is None:
            self._limit = TokenBucket(settings.rate_limit_per_s)
        else:
            self._limit.set_rate(settings.rate_limit_per_s)

    def _bound_keys(self) -> None:
        self._payments.keys_max = self.settings.idempotency_keys_max
        self._payments.key_ttl_s = self.settings.idempotency_key_ttl_s

    def admit(self, call: Call, scope: Scope) -> Response | None:
        """Ask the rate limit for a charge; every answer says how much of it is left."""
        if self._limit is None:
            return None
        is_charge = scope["method"] == "POST" and scope["path"] == CHARGE_PATH
        decision = self._limit.take(1 if is_charge else 0)
        call.extra_headers += _limit_headers(decision)
        if decision.allowed:
            return None
        call.endpoint = "charge"  # refused before the request is routed
        call.extra_headers += ((b"retry-after", b"%d" % decision.retry_after_s),)
        text = f"more than {self.settings.rate_limit_per_s:g} charges per second"
        return error_response(429, "RateLimited", text)

    def injected_error(self, endpoint: str) -> Response | None:
        """Those of charges are dealt to charges that have started: a retry sees them again."""
        return None if endpoint == "charge" else super().injected_error(endpoint)

    async def charge(self, request: Request, wanted: ChargeRequest, key: str | None) -> Response:
        """Charge a card, once per idempotency key."""
        call = Call.of(request)
        authorization = request.headers.get("authorization", "")
        charge = Charge(wanted, call.request_id, bound(key, authorization, wanted) if key else None)
        try:
            return self._replayed(call, charge) or await self._charged(call, request, charge)
        except LedgerError as problem:
            self.events.write("ledger_failed", request_id=call.request_id, problem=str(problem))
            return error_response(503, "LedgerUnavailable", f"payment not recorded: {problem}")
        except RefusedError as refusal:
            if refusal.response.status_code < 500:
                call.takes(0.0)  # nothing is executed, so nothing takes its time
            return refusal.response

    def _replayed(self, call: Call, charge: Charge) -> Response | None:
        """The answer that is kept with its key. Raises RefusedError when another holds the key."""
        if charge.key is None:
            return None
        in_flight = self._under_way.request_of(charge.key.digest)
        kept = None if in_flight else self._payments.kept(charge.key.digest)
        known = kept.request if kept else in_flight
        if known is None:
            return None
        if known != charge.key.request:
            text = "this Idempotency-Key was used with another request body"
            raise refused(400, "IdempotencyKeyReused", text)
        if kept is None:
            text = "a request with this Idempotency-Key is in flight"
            raise refused(409, "IdempotencyKeyInUse", text)
        call.takes(0.0)
        call.extra_headers += ((b"idempotent-replayed", b"true"),)
        return answer_to(kept.payment, kept.card_last_four)

    async def _charged(self, call: Call, request: Request, charge: Charge) -> Response:
        """Hold the key until the charge has ended."""
        self._under_way.begin(charge)
        try:
            charge.amount_cents = await self._quoted(call, request, charge.wanted.checkout_id)
            self._hold_checkout(charge)
            work = functools.partial(self._outcome, call, charge)
            timeout_s = self.settings.pool_wait_timeout_s
            return await self.with_connection(call, self._pool, timeout_s, work)
        finally:
            if not charge.runs_on:
                self._under_way.end(charge)

    async def _quoted(self, call: Call, request: Request, checkout_id: str) -> int:
        """What is to be paid, in cents."""
        if not self.settings.check_checkout:
            return money.checkout_total_cents(checkout_id)
        quote = await self._quotes.of(call, checkout_id)
        if quote is None:
            raise refused(404, "CheckoutNotFound", f"no checkout {checkout_id}")
        user_id = user_of(request) if self.settings.require_auth else None
        if user_id not in (None, quote.user_id):
            text = f"checkout {checkout_id} is not of {user_id}, whose token this is"
            raise refused(403, "Forbidden", text)
        return quote.total_cents

    def _hold_checkout(self, charge: Charge) -> None:
        """Refuse to charge a checkout twice."""
        if not self.settings.one_charge_per_checkout:
            return
        checkout_id = charge.wanted.checkout_id
        if self._under_way.is_charged(checkout_id):
            text = f"another charge of checkout {checkout_id} is in flight"
            raise refused(409, "ChargeInFlight", text)
        if payment_id := self._payments.paid(checkout_id):
            text = f"checkout {checkout_id} is paid by {payment_id}"
            raise refused(409, "AlreadyPaid", text, payment_id=payment_id)
        self._under_way.hold_checkout(charge)

    async def _outcome(self, call: Call, charge: Charge) -> Response:
        """What the processor answers, if it does in time."""
        if self._gateway_timeouts.hit():
            call.takes(0.0)  # nothing is done meanwhile: the connection only waits
            await asyncio.sleep(self.settings.gateway_timeout_s)
            charge.runs_on = True
            task = asyncio.create_task(self._end_late(charge))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
            text = f"the processor did not answer within {self.settings.gateway_timeout_s:g} s"
            return error_response(504, "GatewayTimeout", text)
        began_s = time.perf_counter()
        try:
            return await self._settle(charge)
        finally:
            took_s = time.perf_counter() - began_s
            call.covers(min(took_s, COMMIT_INTERVALS * self.settings.ledger_commit_interval_s))

    async def _end_late(self, charge: Charge) -> None:
        """End a charge that the processor did not answer in time."""
        try:
            await asyncio.sleep(self.settings.gateway_completes_s)
            await self._settle(charge)
        except LedgerError as problem:
            self.events.write("ledger_failed", request_id=charge.request_id, problem=str(problem))
        finally:
            self._under_way.end(charge)

    async def _settle(self, charge: Charge) -> Response:
        """Decide a charge, and answer once that is committed. Raises LedgerError."""
        card = charge.wanted.card()
        last_four = card.number[-4:]
        payment = Payment(
            self._payments.new_id(),
            charge.wanted.checkout_id,
            self._status(card.decline_code),
            charge.amount_cents,
            self.events.now_s(),
            charge.request_id,
        )
        await self._payments.record(payment, charge.key, last_four)
        return answer_to(payment, last_four)

    def _status(self, decline_code: str | None) -> str:
        if super().injected_error("charge"):
            return PROCESSING_ERROR
        if decline_code is not None:
            return decline_code
        if self._declines.hit():
            return "generic_decline"
        return "insufficient_funds" if self._insufficient.hit() else SUCCEEDED

    def payment(self, request: Request, payment_id: str) -> Response:
        """What is known of a payment; for services only."""
        if self.settings.require_auth and not is_service(request):
            return error_response(403, "Forbidden", "for services: Bearer lt-svc-token-...")
        payment = self._payments.find(payment_id)
        if payment is None:
            return error_response(404, "PaymentNotFound", f"no payment {payment_id}")
        return json_response(
            200,
            payment_id=payment_id,
            checkout_id=payment.checkout_id,
            status=payment.status,
            amount_cents=payment.amount_cents,
        )


def _limit_headers(decision: Decision) -> tuple[tuple[bytes, bytes], ...]:
    return (
        (b"x-ratelimit-limit", b"%d" % decision.limit),
        (b"x-ratelimit-remaining", b"%d" % decision.remaining),
        (b"x-ratelimit-reset", b"%d" % decision.reset_s),
    )


def create_app(settings: PaymentSettings | None = None) -> FastAPI:
    """The payment gateway's app; settings from the environment unless given."""
    service = PaymentService(settings or settings_from_env(PaymentSettings))
    app = build_app(service, "Charges test cards through a rate-limited sandbox.")

    @service.endpoint(app, "POST", CHARGE_PATH, "charge", contract.CHARGE)
    async def charge(request: Request, wanted: ChargeRequest) -> Response:
        """Charge a card: 402 declined, 409 paid already, 429 too many, 504 no answer in time."""
        # By hand: FastAPI's Header() costs about 80 us of CPU per request.
        key = request.headers.get(KEY_HEADER)
        if key is not None and not 1 <= len(key) <= KEY_MAX_CHARS:
            return validation_response([(KEY_HEADER, f"1 to {KEY_MAX_CHARS} characters")])
        return await service.charge(request, wanted, key)

    @service.endpoint(app, "GET", "/api/v2/payments/{payment_id}", "payment", contract.PAYMENT)
    async def payment(request: Request, payment_id: str) -> Response:
        """A payment, for other services only."""
        return service.payment(request, payment_id)

    return app


app = create_app()
