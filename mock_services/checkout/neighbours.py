"""What checkout asks of cart-service, inventory-lock and payment-gateway."""

from collections.abc import Callable
from urllib.parse import quote

from fastapi import Response
from pydantic import BaseModel, Field

from mock_services.checkout.settings import CheckoutSettings
from mock_services.kit.call import Call
from mock_services.kit.downstream import Downstream, Question, Target
from mock_services.kit.errors import JSON, RefusedError

LOCK_PIECES_MAX = 99
"""The lock service takes no more; a lock is on the SKU, however many."""


class CartItem(BaseModel):
    """Pieces of one product."""

    sku: str
    quantity: int = Field(ge=1)


class Cart(BaseModel):
    """A cart as it was handed over."""

    user_id: str | None = None
    items: list[CartItem] = Field(min_length=1)
    subtotal_cents: int = Field(ge=0, lt=2**63)


class Lock(BaseModel):
    """A lock on stock."""

    lock_id: str


class Payment(BaseModel):
    """What became of a charge."""

    checkout_id: str
    status: str
    amount_cents: int


class Neighbours:
    """Create it inside the event loop. Every call raises UnavailableError in the end."""

    def __init__(self, settings: Callable[[], CheckoutSettings]) -> None:
        self._settings = settings
        self._downstream = Downstream("checkout", settings().lock_connections_max)

    def close(self) -> None:
        """Close all connections."""
        self._downstream.close()

    async def cart(self, call: Call, cart_id: str) -> Cart:
        """What is in a cart. Raises RefusedError with cart-service's own 404."""
        question = Question(
            "POST", "/api/v2/cart/checkout", {200: Cart, 404: None}, {"cart_id": cart_id}
        )
        told = self._settings()
        target = Target.asked("cart-service", "CartUnavailable", told.cart_url, told)
        answer = await self._downstream.ask(call, target, question)
        if answer.value is None:
            raise RefusedError(Response(answer.body, answer.status, media_type=JSON))
        cart: Cart = answer.value
        return cart

    async def payment(self, call: Call, payment_id: str) -> Payment | None:
        """A payment; None when there is none by that id."""
        path = f"/api/v2/payments/{quote(payment_id, safe='')}"
        told = self._settings()
        target = Target.asked("payment-gateway", "PaymentUnavailable", told.payment_url, told)
        question = Question("GET", path, {200: Payment, 404: None})
        payment: Payment | None = (await self._downstream.ask(call, target, question)).value
        return payment

    async def lock(self, call: Call, checkout_id: str, sku: str, quantity: int) -> str:
        """Id of a lock on stock. Raises RefusedError with the lock service's own 503."""
        body = {
            "sku": sku,
            "quantity": min(quantity, LOCK_PIECES_MAX),
            "ttl_seconds": self._settings().lock_ttl_s,
            "checkout_id": checkout_id,
        }
        question = Question("POST", "/api/v1/locks/acquire", {200: Lock, 503: None}, body)
        answer = await self._downstream.ask(call, self._locks(), question)
        if answer.value is None:
            raise RefusedError(Response(answer.body, answer.status, media_type=JSON))
        lock: Lock = answer.value
        return lock.lock_id

    async def unlock(self, call: Call, lock_id: str) -> bool:
        """Release a lock; whether it was in force until now.

        One that a second attempt finds gone may be what the first one did.
        """
        question = Question(
            "POST", "/api/v1/locks/release", {200: None, 404: None, 410: None}, {"lock_id": lock_id}
        )
        answer = await self._downstream.ask(call, self._locks(), question)
        return answer.status == 200 or (answer.status == 404 and answer.attempt > 0)

    def _locks(self) -> Target:
        told = self._settings()
        return Target(
            "inventory-lock",
            "InventoryLockUnavailable",
            told.inventory_lock_url,
            told.lock_attempts,
            told.lock_attempt_timeout_s,
            told.lock_retry_backoff_s,
        )
