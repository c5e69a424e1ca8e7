"""What a hostile shop can do wrong, one function each; ``QUIRKS`` has them by name."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.faults.quirks_pages import PAGES

DRIP_S = 0.2
SLOW_S = 0.3
DECLINED = ("tok_test_decline_0002", "tok_test_insufficient_9995")


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came."""

    step: str
    target: str
    body: dict[str, Any]
    number: int


class Exchange:
    """A request and the ways to answer it; quirks are given one."""

    def __init__(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.request = request
        self.writer = writer
        self._reader = reader

    async def hung_up(self, within_s: float | None = None) -> bool:
        """Whether the client hangs up within a time; it sends nothing while it waits."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._reader.read(1), within_s)
            return True
        return False

    def good(self) -> tuple[int, dict[str, Any]]:
        """Status and body of a shop that works."""
        return _good(self.request)

    async def answer(self, status: int, body: object, head: str = "") -> None:
        """Send a whole answer; ``body`` is bytes, or becomes JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.writer.write(_head(status, len(data), head) + data)
        await self.writer.drain()

    async def changed(self, **values: object) -> None:
        """The good answer with other values; a value of ... leaves its key out."""
        status, body = self.good()
        kept = {key: v for key, v in (body | values).items() if v is not ...}
        await self.answer(status, kept)


def _good(request: Request) -> tuple[int, dict[str, Any]]:
    body, number = request.body, request.number
    match request.step:
        case "browse":
            return 200, {"products": [{"id": "p-00001"}, {"id": "p-00002"}], "total": 2}
        case "detail":
            return 200, {"id": request.target.rpartition("/")[2], "price": "$9.99"}
        case "add_to_cart":
            return 200, {"cart_id": body.get("cart_id"), "items": 1, "subtotal": "$9.99"}
        case "apply_coupon":
            echo = {key: body.get(key) for key in ("cart_id", "coupon_code")}
            return 200, {**echo, "status": "applied", "discount_percent": 25}
        case "start_checkout":
            return 200, {"checkout_id": f"chk-{number:05d}", "status": "pending", "items": 3}
        case "charge" if body.get("card_token") in DECLINED:
            return 402, {"error": "CardDeclined", "message": "generic_decline"}
        case "charge":
            return 200, {"payment_id": f"pay-{number:05d}", "status": "succeeded"}
        case _:
            return 201, {"order_id": f"ord-{number:05d}", "status": "confirmed"}


def _head(status: int, length: int, more: str = "") -> bytes:
    return (
        f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nX-Response-Time: 0ms\r\n"
        f"Content-Length: {length}\r\n{more}\r\n"
    ).encode("latin-1")


class HangUp(Exception):  # noqa: N818 - a way to leave, not an error
    """The connection ends here."""


EARLY_ORDER = "ord-too-early"


async def hang(exchange: Exchange) -> None:
    """Never answers; the connection stays open until the client hangs up."""
    await exchange.hung_up()
    raise HangUp


async def drip(exchange: Exchange) -> None:
    """The body a byte at a time: each read is quick, the answer takes for ever."""
    exchange.writer.write(_head(200, 100_000))
    await _byte_by_byte(exchange, b" " * 100_000)


async def drip_head(exchange: Exchange) -> None:
    """The status line and headers a byte at a time."""
    await _byte_by_byte(exchange, b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 10_000)


async def _byte_by_byte(exchange: Exchange, data: bytes) -> None:
    for place in range(len(data)):
        exchange.writer.write(data[place : place + 1])
        if await exchange.hung_up(DRIP_S):
            break
    raise HangUp


async def endless(exchange: Exchange) -> None:
    """A body without end, as fast as it is read."""
    exchange.writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:  # until the client hangs up, which drain() raises
        exchange.writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        await exchange.writer.drain()


async def slow(exchange: Exchange) -> None:
    """A good answer after 0.3 s."""
    await asyncio.sleep(SLOW_S)
    await exchange.answer(*exchange.good())


async def refuse(exchange: Exchange) -> None:
    """Ends the connection with a reset, without an answer."""
    connection = exchange.writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise HangUp


async def close(exchange: Exchange) -> None:
    """Ends the connection in good order, without an answer."""
    raise HangUp


async def cut(exchange: Exchange) -> None:
    """Half of an answer, then the end of the connection."""
    exchange.writer.write(_head(200, 1000) + b'{"half":')
    await exchange.writer.drain()
    raise HangUp


async def not_http(exchange: Exchange) -> None:
    """Something else than HTTP."""
    exchange.writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    await exchange.writer.drain()
    raise HangUp


async def status_200(exchange: Exchange) -> None:
    """The good body, with 200 whatever the status should be."""
    await exchange.answer(200, exchange.good()[1])


async def status_201(exchange: Exchange) -> None:
    """The good body, with 201 whatever the status should be."""
    await exchange.answer(201, exchange.good()[1])


async def status_204(exchange: Exchange) -> None:
    """No content."""
    exchange.writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    await exchange.writer.drain()


async def redirect(exchange: Exchange) -> None:
    """302 to a page that says so."""
    await exchange.answer(302, {"moved": True}, "Location: /login\r\n")


async def status_404(exchange: Exchange) -> None:
    """Not found."""
    await exchange.answer(404, {"error": "NotFound"})


async def status_500(exchange: Exchange) -> None:
    """An error of the shop."""
    await exchange.answer(500, {"error": "Internal"})


async def nulls(exchange: Exchange) -> None:
    """Every key of the good answer, and null for each value."""
    status, body = exchange.good()
    await exchange.answer(status, dict.fromkeys(body))


async def empty_values(exchange: Exchange) -> None:
    """Every key of the good answer, and an empty value of its type for each."""
    status, body = exchange.good()
    await exchange.answer(status, {key: type(value)() for key, value in body.items()})


async def failed(exchange: Exchange) -> None:
    """The good answer, but its status says that it failed."""
    await exchange.changed(status="failed")


async def other_id(exchange: Exchange) -> None:
    """The good answer, but about something else than was asked for."""
    ids = dict.fromkeys(("id", "cart_id", "coupon_code"), "somebody-elses")
    await exchange.changed(**{key: v for key, v in ids.items() if key in exchange.good()[1]})


async def status_says_number(exchange: Exchange) -> None:
    """A status of its own for every request, with characters that files and screens trip over."""
    await exchange.changed(status=f"a/b,c\n{exchange.request.number} \x1b[31m<b>|é")


async def names_an_order(exchange: Exchange) -> None:
    """The good answer, and the id of an order that nobody has confirmed yet."""
    await exchange.changed(order_id=EARLY_ORDER)


async def empty_object(exchange: Exchange) -> None:
    """A JSON object without any key."""
    await exchange.answer(exchange.good()[0], {})


async def not_json(exchange: Exchange) -> None:
    """A page for people."""
    await exchange.answer(exchange.good()[0], b"<html>maintenance</html>")


async def a_list(exchange: Exchange) -> None:
    """JSON, but not an object."""
    await exchange.answer(exchange.good()[0], [exchange.good()[1]])


async def no_body(exchange: Exchange) -> None:
    """The right status and nothing else."""
    await exchange.answer(exchange.good()[0], b"")


async def too_short_a_length(exchange: Exchange) -> None:
    """A Content-Length that ends the body too early; the rest of it follows."""
    data = json.dumps(exchange.good()[1]).encode()
    exchange.writer.write(_head(exchange.good()[0], len(data) - 5) + data)
    await exchange.writer.drain()


async def too_long_a_length(exchange: Exchange) -> None:
    """A Content-Length of more than there is; the connection stays open."""
    data = json.dumps(exchange.good()[1]).encode()
    exchange.writer.write(_head(exchange.good()[0], len(data) + 5) + data)
    await hang(exchange)


async def head_only(exchange: Exchange) -> None:
    """Status and headers, then nothing."""
    exchange.writer.write(_head(exchange.good()[0], 100))
    await hang(exchange)


async def slow_close(exchange: Exchange) -> None:
    """A good answer that ends its connection, which is closed later."""
    status, body = exchange.good()
    await exchange.answer(status, body, "Connection: close\r\n")
    await asyncio.sleep(SLOW_S)
    raise HangUp


_ALL: tuple[Callable[[Exchange], Awaitable[None]], ...] = (
    hang, drip, drip_head, endless, slow, refuse, close, cut, not_http,
    status_200, status_201, status_204, redirect, status_404, status_500,
    nulls, empty_values, failed, other_id, status_says_number, names_an_order,
    empty_object, not_json, a_list, no_body,
    too_short_a_length, too_long_a_length, head_only, slow_close,
    *PAGES,
)  # fmt: skip
QUIRKS = {quirk.__name__: quirk for quirk in _ALL}
