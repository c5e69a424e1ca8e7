"""What payment asks of checkout-service: what is to be paid, and by whom."""

from collections.abc import Callable
from urllib.parse import quote

from pydantic import BaseModel, Field

from mock_services.kit.call import Call
from mock_services.kit.downstream import Downstream, Question, Target
from mock_services.payment.settings import PaymentSettings


class Quote(BaseModel):
    """Of a checkout."""

    user_id: str
    total_cents: int = Field(ge=0, lt=2**63)


class Quotes:
    """Create it inside the event loop."""

    def __init__(self, settings: Callable[[], PaymentSettings]) -> None:
        self._settings = settings
        self._downstream = Downstream("payment", settings().ask_connections_max)

    def close(self) -> None:
        """Close all connections."""
        self._downstream.close()

    async def of(self, call: Call, checkout_id: str) -> Quote | None:
        """None when there is no such checkout. Raises UnavailableError when it cannot be told."""
        told = self._settings()
        target = Target.asked("checkout", "CheckoutUnavailable", told.checkout_url, told)
        path = f"/api/v2/checkout/{quote(checkout_id, safe='')}"
        question = Question("GET", path, {200: Quote, 404: None})
        found: Quote | None = (await self._downstream.ask(call, target, question)).value
        return found
