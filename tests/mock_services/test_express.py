"""The short way past FastAPI: nobody can tell which way a request went, but by its cost."""

from __future__ import annotations

import asyncio
import json
import re
import tracemalloc
import uuid
from collections.abc import Coroutine, Iterable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from hypothesis import given, settings
from hypothesis import strategies as st
from mock_process import ANY_CHARGE, UNCONNECTED, USER
from starlette.types import Message, Receive, Scope, Send

from mock_services.cart import service as cart
from mock_services.cart.settings import CartSettings
from mock_services.checkout import service as checkout
from mock_services.checkout.settings import CheckoutSettings
from mock_services.inventory_lock import service as inventory_lock
from mock_services.inventory_lock.settings import InventoryLockSettings
from mock_services.kit.call import Call
from mock_services.kit.express import Express
from mock_services.payment import service as payment
from mock_services.payment.settings import PaymentSettings

FAST = {"latency_scale": 1e-9}
JSON = "application/json"


def _payment(**more: Any) -> FastAPI:
    quick = {"rate_limit_per_s": 0, "ledger_commit_interval_s": 0, "gateway_timeout_share": 0}
    return payment.create_app(PaymentSettings(**quick, **ANY_CHARGE, **FAST, **more))


def _apps() -> dict[str, FastAPI]:
    return {
        "checkout": checkout.create_app(CheckoutSettings(**UNCONNECTED, **FAST)),
        "payment": _payment(),
        "lock": inventory_lock.create_app(InventoryLockSettings(**FAST)),
        "cart": cart.create_app(CartSettings(**FAST)),
    }


def _without_express(app: FastAPI) -> FastAPI:
    app.user_middleware = [m for m in app.user_middleware if m.cls is not Express]
    return app


SHORT = _apps()
LONG = {name: _without_express(app) for name, app in _apps().items()}


@pytest.fixture(autouse=True, scope="module")
def _ledgers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A charge is recorded: each of the two gateways has a file of its own, open meanwhile."""
    folder = tmp_path_factory.mktemp("ledgers")
    SHORT["payment"] = _payment(ledger_path=folder / "short.sqlite")
    LONG["payment"] = _without_express(_payment(ledger_path=folder / "long.sqlite"))
    services = [apps["payment"].state.service for apps in (SHORT, LONG)]
    asyncio.run(_each(service.on_start() for service in services))
    yield
    asyncio.run(_each(service.on_stop() for service in services))


async def _each(steps: Iterable[Coroutine[Any, Any, None]]) -> None:
    for step in steps:
        await step


async def _ask(app: FastAPI, method: str, path: str, **more: Any) -> tuple[int, Any, bytes]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://mock") as client:
        headers = USER | more.pop("headers", {})
        response = await client.request(method, path, headers=headers, **more)
        return response.status_code, response.headers.get("content-type"), response.content


def _both(name: str, method: str, path: str, **more: Any) -> list[tuple[int, Any, bytes]]:
    return [asyncio.run(_ask(apps[name], method, path, **more)) for apps in (SHORT, LONG)]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v2/products",
        "/api/v2/products?category=home&page=2",
        "/api/v2/products?page=2&page=3&other=1",
        "/api/v2/products?category=&page=1",
        "/api/v2/products?page=0",
        "/api/v2/products?page=99999",
        "/api/v2/products?page=%31&category=ho%6De",
        "/api/v2/products?page=2;category=home",
        "/api/v2/products?page=+2",
        "/api/v2/products/p-00001",
        "/api/v2/products/p-%30%30001",
        "/api/v2/products/nothing",
        "/api/v2/products/{}",
        "/api/v2/products/",
        "/api/v2/products/a/b",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_both_ways_answer_a_url_alike(method: str, path: str) -> None:
    """Status, content type and body of a catalogue request are those of FastAPI alone."""
    short, long = _both("checkout", method, path)
    assert short == long


@pytest.mark.parametrize("kind", [None, JSON, f"{JSON}; charset=utf-8", "text/plain", "a/b+json"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[1]",
        b"null",
        b'{"cart_id": "c", "coupon_code": "BF25-001"}',
        b'\xef\xbb\xbf{"cart_id": "c", "coupon_code": "BF25-001"}',
        b'{"cart_id": "a", "cart_id": "b", "coupon_code": "BF25-001", "x": NaN}',
        '{"cart_id": "c", "coupon_code": "BF25-001"}'.encode("utf-16"),
        b'{"cart_id": "\\ud800", "coupon_code": "BF25-001"}',
        b'{"cart_id": "c\xff", "coupon_code": "BF25-001"}',
    ],
)
def test_both_ways_read_a_body_alike(content: bytes, kind: str | None) -> None:
    """Whatever its content type and encoding, a body is taken or refused as FastAPI does."""
    headers = {} if kind is None else {"Content-Type": kind}
    short, long = _both(
        "checkout", "POST", "/api/v2/checkout/apply-coupon", content=content, headers=headers
    )
    assert short == long


_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 120),
    st.floats(allow_nan=False),
    st.sampled_from(["", "3", "3.0", "p-00001", "SKU-12345", "card", "tok_test_visa_4242", "x"]),
    st.lists(st.integers(0, 2), max_size=1),
)
_BODIES = {
    ("cart", "/api/v2/cart/items"): ("cart_id", "product_id", "sku", "quantity"),
    ("lock", "/api/v1/locks/release"): ("lock_id",),
    ("payment", "/api/v2/payments/charge"): ("payment_method", "card_token", "card_number"),
}


@pytest.mark.parametrize(("name", "path"), _BODIES)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data())
def test_both_ways_judge_fields_alike(name: str, path: str, data: st.DataObject) -> None:
    """A body is accepted or refused, in the same words, whichever way it goes."""
    fields = dict.fromkeys(_BODIES[name, path], _VALUES) | {"checkout_id": st.just("c")}
    body = data.draw(st.fixed_dictionaries({}, optional=fields))
    short, long = _both(name, "POST", path, content=json.dumps(body).encode())
    if 400 in (short[0], long[0]):
        assert short == long
    else:
        assert short[:2] == long[:2]  # ids and sums go on from one example to the next


class _Probe:
    """An app that stands for FastAPI's way: notes that it was asked, and what body it got."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        more = scope["method"] == "POST"
        while more:
            message = await receive()
            body += message["body"]
            more = message["more_body"]
        self.bodies.append(body)


def _through(app: FastAPI, method: str, path: str, *chunks: bytes) -> tuple[list[bytes], list[int]]:
    """Bodies that went FastAPI's way, and statuses of what went the short way."""
    statuses: list[int] = []
    left = list(chunks)

    async def receive() -> Message:
        body = left.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(left)}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope: Scope = {"type": "http", "method": method, "path": path, "headers": []}
    Call("r-1").attach(scope)
    probe = _Probe()
    asyncio.run(Express(probe, app.routes)(scope, receive, send))
    return probe.bodies, statuses


GOOD = b'{"cart_id": "c", "product_id": "p-00001", "quantity": 1}'


def test_a_valid_request_goes_the_short_way() -> None:
    """FastAPI's stack is not asked for a body that its model accepts."""
    assert _through(SHORT["cart"], "POST", "/api/v2/cart/items", GOOD) == ([], [200])


def test_a_body_in_pieces_reaches_fastapi_whole() -> None:
    """What the short way has read and leaves to FastAPI is there to be read again."""
    pieces = (GOOD[:9], GOOD[9:20], GOOD[20:])
    assert _through(SHORT["cart"], "POST", "/api/v2/cart/items", *pieces) == ([GOOD], [])


def test_every_business_endpoint_has_a_short_way() -> None:
    """No hot endpoint was left to FastAPI's way by a signature that does not fit."""
    for app in SHORT.values():
        business = {
            (method, re.sub(r"\{\w+\}$", "{}", route.path))
            for route in app.routes
            if isinstance(route, APIRoute) and route.path.startswith("/api/")
            for method in route.methods or ()
        }
        assert business <= Express(app, app.routes).ways.keys()


def test_a_route_with_more_than_one_input_is_left_to_fastapi() -> None:
    """A route that the short way cannot read has none."""
    app = FastAPI()

    @app.get("/two")
    async def two(request: Request, a: int, b: int) -> None: ...

    @app.get("/plain/{number}")
    async def plain(request: Request, number: int) -> None: ...

    assert not Express(app, app.routes).ways


def test_ids_in_bodies_are_not_kept() -> None:
    """Nothing is left of 5,000 of them: a cache of strings would hold most, 0.3 MB."""
    way = Express(SHORT["lock"], SHORT["lock"].routes).ways["POST", "/api/v1/locks/release"]
    scope = {"headers": []}
    bodies = [json.dumps({"lock_id": uuid.uuid4().hex}).encode() for _ in range(5_000)]
    way.read(scope, {"type": "http.request", "body": bodies[0]})
    tracemalloc.start()
    try:
        for body in bodies:
            way.read(scope, {"type": "http.request", "body": body})
        assert tracemalloc.get_traced_memory()[0] < 20_000
    finally:
        tracemalloc.stop()
