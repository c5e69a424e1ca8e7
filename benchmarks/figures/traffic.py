"""What the driver sends: for each service its own requests, in Appendix A's proportions."""

import itertools
import json
import random
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.figures.appendix_a import PEAK_RATES

CHECKOUT_STEPS = ("browse", "detail", "apply_coupon", "start_checkout", "confirm")
_CATEGORIES = ("electronics", "apparel", "home", "beauty", "sports")


@dataclass(frozen=True, slots=True)
class Request:
    """A request as bytes, and what kind it is."""

    kind: str
    data: bytes


class Plan(ABC):
    """An endless row of requests to one service."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._random = random.Random(1)
        self._numbers = itertools.count(1)

    @abstractmethod
    def next(self) -> Request:
        """The next request."""

    def learn(self, request: Request, status: int, body: bytes) -> None:  # noqa: B027 - optional
        """Take what a later request needs from an answer."""

    def get(self, kind: str, path: str) -> Request:
        """A GET with the headers that the load sends."""
        return Request(kind, self._head("GET", path).encode() + b"\r\n")

    def post(self, kind: str, path: str, body: Mapping[str, Any], more: str = "") -> Request:
        """A POST of JSON with the headers that the load sends."""
        data = json.dumps(body).encode()
        head = f"{self._head('POST', path)}{more}Content-Length: {len(data)}\r\n\r\n"
        return Request(kind, head.encode() + data)

    def _head(self, method: str, path: str) -> str:
        return (
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\n"
            "Authorization: Bearer lt-user-token-00001\r\nContent-Type: application/json\r\n"
            f"X-Locust-Worker: bench\r\nX-Request-ID: lt-req-bench-{next(self._numbers):09d}\r\n"
        )


class CheckoutPlan(Plan):
    """All five endpoints; a confirm needs a checkout that was started."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self._started: deque[str] = deque()
        self._weights = [PEAK_RATES[step] for step in CHECKOUT_STEPS]

    def next(self) -> Request:
        kind = self._random.choices(CHECKOUT_STEPS, self._weights)[0]
        number = self._random.randint(1, 10_000)
        if kind == "confirm" and self._started:
            body = {"checkout_id": self._started.popleft(), "payment_id": f"pay-lt-{number:05d}"}
            return self.post(kind, "/api/v2/orders/confirm", body)
        if kind == "apply_coupon":
            coupon = {"cart_id": f"cart-lt-{number:05d}", "coupon_code": "BF25-001"}
            return self.post(kind, "/api/v2/checkout/apply-coupon", coupon)
        if kind == "start_checkout":
            start = {"cart_id": f"cart-lt-{number:05d}", "user_id": "lt-user-00001"}
            return self.post(kind, "/api/v2/checkout/start", start)
        if kind == "detail":
            return self.get(kind, f"/api/v2/products/p-{number:05d}")
        category = self._random.choice(_CATEGORIES)
        return self.get("browse", f"/api/v2/products?category={category}")

    def learn(self, request: Request, status: int, body: bytes) -> None:
        if request.kind == "start_checkout" and status == 200:
            self._started.append(json.loads(body)["checkout_id"])


class PaymentPlan(Plan):
    """Charges of the good card, each with a key of its own."""

    def next(self) -> Request:
        number = next(self._numbers)
        body = {
            "checkout_id": f"chk-lt-{number:07d}",
            "payment_method": "card",
            "card_token": "tok_test_visa_4242",
        }
        key = f"Idempotency-Key: bench-{number:012d}\r\n"
        return self.post("charge", "/api/v2/payments/charge", body, key)


class CartPlan(Plan):
    """Products put into 12,000 carts. WireMock gets the same."""

    def next(self) -> Request:
        number = self._random.randint(1, 12_000)
        body = {
            "cart_id": f"cart-lt-{number:05d}",
            "user_id": f"lt-user-{number:05d}",
            "product_id": f"p-{self._random.randint(1, 10_000):05d}",
            "quantity": self._random.randint(1, 3),
        }
        return self.post("add_to_cart", "/api/v2/cart/items", body)


class LockPlan(Plan):
    """Locks acquired and released in turn."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self._held: deque[str] = deque()

    def next(self) -> Request:
        if self._held:
            return self.post("release", "/api/v1/locks/release", {"lock_id": self._held.popleft()})
        sku = f"SKU-{self._random.randint(10_000, 99_999)}"
        body = {"sku": sku, "quantity": 1, "ttl_seconds": 300}
        return self.post("acquire", "/api/v1/locks/acquire", body)

    def learn(self, request: Request, status: int, body: bytes) -> None:
        if request.kind == "acquire" and status == 200:
            self._held.append(json.loads(body)["lock_id"])


PLANS: Mapping[str, Callable[[str], Plan]] = {
    "checkout": CheckoutPlan,
    "payment": PaymentPlan,
    "inventory_lock": LockPlan,
    "cart": CartPlan,
}
