"""payment-gateway: charges test cards through a rate-limited sandbox."""

import functools
import hashlib
from collections.abc import Iterable
from typing import Literal, Self

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from mock_services.kit import money
from mock_services.kit.app import build_app, settings_from_env
from mock_services.kit.call import Call
from mock_services.kit.errors import JSON, error_response, json_response, validation_response
from mock_services.kit.pool import Pool
from mock_services.kit.service import MockService
from mock_services.kit.shares import Share
from mock_services.payment import contract
from mock_services.payment.cards import (
    BY_TOKEN_OR_NUMBER,
    MESSAGES,
    Card,
    CardNumber,
    CardToken,
    DeclineCode,
)
from mock_services.payment.contract import KEY_HEADER, KEY_MAX_CHARS
from mock_services.payment.idempotency import Answer, IdempotencyStore, KeyReusedError
from mock_services.payment.rate_limit import Decision, TokenBucket
from mock_services.payment.settings import PaymentSettings

PASSING_STATUSES = frozenset({429, 500, 503, 504})
"""Answers that say nothing final about the charge; a retry with the same key may succeed."""


class ChargeRequest(BaseModel):
    """Body of POST /api/v2/payments/charge; the card by its token or by its number."""

    model_config = ConfigDict(frozen=True)

    checkout_id: str = Field(min_length=1, max_length=100)
    payment_method: Literal["card"]
    card_token: CardToken | None = None
    card_number: CardNumber | None = None

    @model_validator(mode="after")
    def _one_card(self) -> Self:
        if (self.card_token is None) == (self.card_number is None):
            raise ValueError("exactly one of card_token and card_number is required")
        return self

    def card(self) -> Card:
        """The card to charge."""
        return BY_TOKEN_OR_NUMBER[self.card_token or self.card_number or "neither"]


class PaymentService(MockService[PaymentSettings]):
    """Charges cards."""

    name = "payment-gateway"
    version = "v4.7.1"

    def __init__(self, settings: PaymentSettings) -> None:
        super().__init__(settings)
        self._pool = Pool("processor", "0", settings.pool_max)
        self._limit = TokenBucket(settings.rate_limit_per_s) if settings.rate_limit_per_s else None
        self._keys = IdempotencyStore(settings.idempotency_keys_max)
        self._declines = Share(settings.decline_share)
        self._insufficient = Share(settings.insufficient_funds_share)
        self._gateway_timeouts = Share(settings.gateway_timeout_share)
        self._charged = 0

    def pools(self) -> Iterable[Pool]:
        return (self._pool,)

    def on_settings(self) -> None:
        settings = self.settings
        self._pool.resize(settings.pool_max)
        self._keys.keys_max = settings.idempotency_keys_max
        self._declines.share = settings.decline_share
        self._insufficient.share = settings.insufficient_funds_share
        self._gateway_timeouts.share = settings.gateway_timeout_share
        if not settings.rate_limit_per_s:
            self._limit = None
        elif self._limit is None:
            self._limit = TokenBucket(settings.rate_limit_per_s)
        else:
            self._limit.set_rate(settings.rate_limit_per_s)

    async def charge(self, request: Request, wanted: ChargeRequest, key: str | None) -> Response:
        """Charge a card, once per idempotency key."""
        call = Call.of(request)
        if key is None:
            return await self._execute(call, wanted)

        async def execute() -> Answer:
            response = await self._execute(call, wanted)
            final = response.status_code not in PASSING_STATUSES
            # A copy: orjson's own bytes object keeps its 4 KB buffer for as long as it lives.
            body = bytes(memoryview(response.body))
            return Answer(response.status_code, body, final)

        try:
            answer, replayed = await self._keys.run(key, _digest(wanted), execute)
        except KeyReusedError:
            call.takes(0.0)
            text = "this Idempotency-Key was used with another request body"
            return error_response(409, "IdempotencyKeyReused", text)
        if replayed:
            call.takes(0.0)  # nothing is executed, so nothing takes its time
            call.extra_headers += ((b"idempotent-replayed", b"true"),)
        return Response(answer.body, status_code=answer.status, media_type=JSON)

    def admit(self, call: Call) -> Response | None:
        """Ask the rate limit; every answer from here on says how much of it is left."""
        if self._limit is None:
            return None
        decision = self._limit.take()
        call.extra_headers += _limit_headers(decision)
        if decision.allowed:
            return None
        call.endpoint = "charge"  # refused before the request is routed
        call.extra_headers += ((b"retry-after", b"%d" % decision.retry_after_s),)
        text = f"more than {self.settings.rate_limit_per_s:g} charges per second"
        return error_response(429, "RateLimited", text)

    async def _execute(self, call: Call, wanted: ChargeRequest) -> Response:
        work = functools.partial(self._outcome, call, wanted)
        timeout_s = self.settings.pool_wait_timeout_s
        return await self.with_connection(call, self._pool, timeout_s, work)

    async def _outcome(self, call: Call, wanted: ChargeRequest) -> Response:
        if self._gateway_timeouts.hit():
            call.takes(self.settings.gateway_timeout_s)
            text = f"the processor did not answer within {self.settings.gateway_timeout_s:g} s"
            return error_response(504, "GatewayTimeout", text)
        card = wanted.card()
        code = card.decline_code or self._extra_decline()
        if code is not None:
            return error_response(402, "CardDeclined", MESSAGES[code], decline_code=code)
        self._charged += 1
        return json_response(
            200,
            payment_id=f"pay-lt-{self._charged:05d}",
            status="succeeded",
            amount=money.dollars(money.checkout_total_cents(wanted.checkout_id)),
            card_last_four=card.number[-4:],
        )

    def _extra_decline(self) -> DeclineCode | None:
        if self._declines.hit():
            return "generic_decline"
        return "insufficient_funds" if self._insufficient.hit() else None


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

    @service.endpoint(app, "POST", "/api/v2/payments/charge", "charge", contract.CHARGE)
    async def charge(request: Request, wanted: ChargeRequest) -> Response:
        """Charge a card: 402 declined, 429 too many, 504 the processor did not answer."""
        # By hand: FastAPI's Header() costs about 80 us of CPU per request.
        key = request.headers.get(KEY_HEADER)
        if key is not None and not 1 <= len(key) <= KEY_MAX_CHARS:
            return validation_response([(KEY_HEADER, f"1 to {KEY_MAX_CHARS} characters")])
        return await service.charge(request, wanted, key)

    return app


app = create_app()


def _digest(wanted: ChargeRequest) -> bytes:
    return hashlib.blake2b(wanted.model_dump_json().encode(), digest_size=16).digest()
