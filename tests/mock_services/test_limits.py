"""How much a client may send, and how slowly."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from mock_process import Running, wait_until
from starlette.types import ASGIApp, Receive, Scope, Send

from mock_services.cart.service import create_app
from mock_services.cart.settings import CartSettings
from mock_services.kit import bounded_http
from mock_services.kit.body import BODY_MAX_BYTES
from mock_services.kit.bounded_http import HEAD_MAX_BYTES, BoundedHttp

PATH = "/api/v2/cart/items"
TOKEN = "Authorization: Bearer lt-user-token-00001"
GOOD = b'{"cart_id": "c", "product_id": "p-00001", "quantity": 1}'
SOON_S = 0.2
"""READ_S in tests that wait for it."""


class Client:
    """A socket that sends what it is told to and reads one answer."""

    def __init__(self, url: str) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=10)

    def head(self, *headers: str, method: str = "POST", path: str = PATH) -> None:
        lines = (f"{method} {path} HTTP/1.1", "Host: shop", *headers, "", "")
        self.send("\r\n".join(lines).encode())

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> tuple[int, dict[str, str], Any]:
        """Status, headers and body."""
        with self.socket.makefile("rb") as file:
            status = int(file.readline().split()[1])
            lines = iter(lambda: file.readline().decode("latin-1").strip(), "")
            headers = dict(line.lower().split(": ", 1) for line in lines)
            return status, headers, json.loads(file.read(int(headers["content-length"])))

    def is_closed(self) -> bool:
        """Whether the service closes the connection, in good order or not."""
        with contextlib.suppress(ConnectionResetError):
            return self.socket.recv(1) == b""
        return True


@contextlib.contextmanager
def client(url: str) -> Iterator[Client]:
    made = Client(url)
    with made.socket:
        yield made


def test_a_body_that_says_it_is_too_long_is_not_read(shared: dict[str, Running]) -> None:
    """413 comes before a byte of the body is sent, and the connection is closed."""
    with client(shared["cart"].url) as asker:
        asker.head(TOKEN, f"Content-Length: {BODY_MAX_BYTES + 1}", "X-Request-ID: r-1")
        status, headers, body = asker.answer()
        assert (status, body["error"]) == (413, "BodyTooLarge")
        assert str(BODY_MAX_BYTES) in body["message"]
        assert (headers["x-request-id"], headers["connection"]) == ("r-1", "close")
        assert asker.is_closed()


def test_a_body_of_unknown_length_is_read_up_to_the_limit(shared: dict[str, Running]) -> None:
    """Chunks without an end: 413 as soon as there are too many."""
    piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    with client(shared["cart"].url) as asker:
        asker.head(TOKEN, "Transfer-Encoding: chunked")
        for _ in range(BODY_MAX_BYTES // 0x10000):
            asker.send(piece)
        asker.send(b"1\r\n \r\n")  # one byte more, and no end
        assert asker.answer()[0] == 413
        assert asker.is_closed()


@pytest.mark.parametrize("path", [PATH, "/admin/behaviour", "/nowhere"])
def test_the_limit_holds_everywhere(shared: dict[str, Running], path: str) -> None:
    """On paths that no business endpoint has, too."""
    with client(shared["cart"].url) as asker:
        asker.head(TOKEN, "Content-Length: 9999999999", path=path)
        assert asker.answer()[0] == 413


def test_a_body_within_the_limit_is_read(shared: dict[str, Running]) -> None:
    """1 MB to the byte is judged by what is in it, said to be so long or not."""
    padded = GOOD + b" " * (BODY_MAX_BYTES - len(GOOD))
    cart = shared["cart"].client
    assert cart.post(PATH, content=padded).status_code == 200
    pieces = (padded[at : at + 100_000] for at in range(0, len(padded), 100_000))
    assert cart.post(PATH, content=pieces).status_code == 200
    assert cart.post(PATH, content=padded + b" ").status_code == 413


def test_a_chunked_body_is_taken_as_any_other(shared: dict[str, Running]) -> None:
    """In pieces as small as they can be."""
    with client(shared["cart"].url) as asker:
        asker.head(TOKEN, "Transfer-Encoding: chunked")
        for byte in GOOD:
            asker.send(b"1\r\n%c\r\n" % byte)
        asker.send(b"0\r\n\r\n")
        assert asker.answer()[0] == 200
        asker.head(TOKEN, f"Content-Length: {len(GOOD)}")
        asker.send(GOOD)
        assert asker.answer()[0] == 200


def test_who_may_not_ask_is_told_that_first(shared: dict[str, Running]) -> None:
    """401 before the body is looked at."""
    with client(shared["cart"].url) as asker:
        asker.head("Content-Length: 9999999999")
        assert asker.answer()[0] == 401


@pytest.mark.parametrize("pieces", [1, 40])
def test_a_head_that_is_too_long_is_refused(shared: dict[str, Running], pieces: int) -> None:
    """431 whether it comes at once or bit by bit, whole or not; the service lives on."""
    piece = "".join(f"X-{n}: {'a' * 1000}\r\n" for n in range(400 // pieces))
    with client(shared["cart"].url) as asker:
        asker.send(b"GET /healthz HTTP/1.1\r\nHost: shop\r\n")
        with contextlib.suppress(ConnectionError):  # cut off while it goes on sending
            for _ in range(pieces):
                asker.send(piece.encode())
            asker.send(b"\r\n")
        status, headers, body = asker.answer()
        assert (status, body["error"]) == (431, "HeadersTooLarge")
        assert headers["x-request-id"].startswith("mock-")
        assert asker.is_closed()
    assert shared["cart"].get("/healthz").status_code == 200


def test_a_header_without_an_end_is_refused(shared: dict[str, Running]) -> None:
    """What the parser has not told of yet counts."""
    with client(shared["cart"].url) as asker:
        asker.send(b"GET /healthz HTTP/1.1\r\nX-Long: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(4 * HEAD_MAX_BYTES // 1000):
                asker.send(b"a" * 1000)
        assert asker.answer()[0] == 431


def test_a_head_within_the_limit_is_read(shared: dict[str, Running]) -> None:
    """60 KB of headers, in one piece and in many."""
    with client(shared["cart"].url) as asker:
        for pause_every in (60, 7):
            asker.send(b"GET /healthz HTTP/1.1\r\nHost: shop\r\n")
            lines = [f"X-{n}: {'a' * 1000}\r\n".encode() for n in range(60)]
            for at in range(0, 60, pause_every):
                asker.send(b"".join(lines[at : at + pause_every]))
            asker.send(b"\r\n")
            assert asker.answer()[0] == 200


def test_what_is_no_http_is_refused_in_the_one_shape(shared: dict[str, Running]) -> None:
    """400, JSON, with an id."""
    with client(shared["cart"].url) as asker:
        asker.send(b"HELO shop\r\n\r\n")
        status, headers, body = asker.answer()
        assert (status, body["error"]) == (400, "BadRequest")
        assert headers["x-request-id"].startswith("mock-")


def test_a_host_that_is_none_changes_nothing(shared: dict[str, Running]) -> None:
    """A path that there is not is 404, whatever the Host header holds."""
    response = shared["cart"].get("/api/v2/nowhere", Host="[")
    assert response.status_code == 404


@contextlib.contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """The url of an app behind the mocks' own protocol, in this process."""
    config = uvicorn.Config(app, http=BoundedHttp, ws="none", log_level="error")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            wait_until(lambda: server.started)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The url of a cart service that waits for the rest of a request for SOON_S only."""
    monkeypatch.setattr(bounded_http, "READ_S", SOON_S)
    with serving(create_app(CartSettings(latency_scale=0.001))) as url:
        yield url


@pytest.mark.parametrize(
    "begin",
    [b"P", b"POST /api/v2/cart/items HTTP/1.1\r\nHost: sh", b"Content-Length: 9\r\n\r\n{"],
    ids=["method", "head", "body"],
)
def test_half_a_request_is_cut_off(impatient: str, begin: bytes) -> None:
    """408 after READ_S to twice that, and the connection is closed."""
    if begin.startswith(b"Content"):
        begin = f"POST {PATH} HTTP/1.1\r\nHost: shop\r\n{TOKEN}\r\n".encode() + begin
    began_s = time.monotonic()
    with client(impatient) as asker:
        asker.send(begin)
        status, _, body = asker.answer()
        assert (status, body["error"]) == (408, "RequestTimeout")
        assert time.monotonic() - began_s >= SOON_S
        assert asker.is_closed()


def test_a_drip_is_cut_off_too(impatient: str) -> None:
    """A byte now and then keeps no request alive."""
    with client(impatient) as asker:
        asker.socket.settimeout(SOON_S / 20)
        asker.send(b"GET /healthz HTTP/1.1\r\nX-Slow: ")

        def heard() -> bytes:
            with contextlib.suppress(TimeoutError):
                return asker.socket.recv(100)
            asker.send(b"a")
            return b""

        assert wait_until(heard, 10 * SOON_S).startswith(b"HTTP/1.1 408 ")


def test_idling_between_requests_is_no_offence(impatient: str) -> None:
    """A connection that rests for longer than a request may take is still there."""
    with client(impatient) as asker:
        for halves in (1, 2):
            asker.send(b"GET /healthz HTTP/1.1\r\n")
            time.sleep(SOON_S / 4 * (halves - 1))
            asker.send(b"Host: shop\r\n\r\n")
            assert asker.answer()[0] == 200
            time.sleep(3 * SOON_S)
        asker.head(method="GET", path="/healthz")
        assert asker.answer()[0] == 200


def test_who_waits_for_a_slow_service_is_not_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that the service does not read yet is not its client's fault."""
    monkeypatch.setattr(bounded_http, "READ_S", SOON_S)

    async def slow_reader(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        await asyncio.sleep(4 * SOON_S)
        size, more = 0, True
        while more:
            message = await receive()
            size, more = size + len(message["body"]), message["more_body"]
        body = b"%d" % size
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    with serving(slow_reader) as url, client(url) as asker:
        asker.head("Content-Length: 20000000")
        asker.send(b" " * 20_000_000)
        assert asker.answer()[::2] == (200, 20_000_000)
