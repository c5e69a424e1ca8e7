"""cart-service, payment-gateway and others as a test wants them: real HTTP, scripted answers."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Any]
"""Status, and a body: JSON, or bytes as they stand. Status 0 breaks off the connection."""


class Fake:
    """Answers what its tables hold, and whatever `scripts` say for a path."""

    def __init__(self) -> None:
        self.carts: dict[str, dict[str, Any]] = {}
        self.payments: dict[str, dict[str, Any]] = {}
        self.checkouts: dict[str, dict[str, Any]] = {}
        self.scripts: dict[str, Callable[[dict[str, Any]], Answer]] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def fill(self, cart_id: str, *skus: str, user_id: str | None = "lt-user-00001") -> None:
        """A cart with one piece each, together the seed's $89.99."""
        items = [{"sku": sku, "quantity": 1, "unit_price_cents": 1} for sku in skus]
        self.carts[cart_id] = {
            "cart_id": cart_id,
            "user_id": user_id,
            "items": items,
            "subtotal_cents": 8999,
        }

    def pay(self, payment_id: str, checkout_id: str, amount_cents: int, **more: str) -> None:
        """A payment that succeeded, or became what `status` says."""
        self.payments[payment_id] = {
            "payment_id": payment_id,
            "checkout_id": checkout_id,
            "status": "succeeded",
            "amount_cents": amount_cents,
            **more,
        }

    def quote(self, checkout_id: str, total_cents: int, user_id: str = "lt-user-00001") -> None:
        """A checkout that can be paid."""
        self.checkouts[checkout_id] = {
            "checkout_id": checkout_id,
            "user_id": user_id,
            "status": "pending",
            "total_cents": total_cents,
        }

    def answer(self, path: str, body: dict[str, Any]) -> Answer:
        if script := self.scripts.get(path):
            return script(body)
        if path == "/api/v2/cart/checkout":
            cart = self.carts.get(body["cart_id"])
            return (200, cart) if cart else (404, {"error": "CartNotFound", "message": "no"})
        table = self.checkouts if path.startswith("/api/v2/checkout/") else self.payments
        found = table.get(path.rpartition("/")[2])
        return (200, found) if found else (404, {"error": "NotFound", "message": "no"})

    @contextlib.contextmanager
    def serving(self) -> Iterator[Fake]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def _handler(fake) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - `self` is the handler's
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(length) or b"{}")
                fake.asked.append((self.command, self.path, dict(self.headers)))
                status, said = fake.answer(self.path, body)
                if not status:
                    self.close_connection = True
                    return
                data = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST  # noqa: N815 - the base class's name

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler
