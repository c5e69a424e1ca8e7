"""Kept connections to one other service, as lean as HTTP/1.1 allows.

A request is one write and its answer one pass of uvicorn's own parser. aiohttp's client took three
times as much CPU for a call as the service that answers it.
"""

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import httptools

from mock_services.kit.body import BODY_MAX_BYTES

IDLE_S = 60.0
"""A connection that nobody has used for so long is closed rather than used again."""


class Reply(NamedTuple):
    """An answer; header names are in lower case."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


class BrokenOffError(Exception):
    """The connection ended before the answer did; ``unasked`` when nothing of it had come."""

    def __init__(self, why: str, *, unasked: bool) -> None:
        super().__init__(why)
        self.unasked = unasked


class UnreadableError(ValueError):
    """What came is no HTTP, or too long."""


class _Connection(asyncio.Protocol):
    """One at a time: a request, then its answer."""

    def __init__(self) -> None:
        self.open = False
        self.used_s = 0.0
        self.answers = 0
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Reply] | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._begun = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self.open = cast(asyncio.Transport, transport), True  # uvloop's is none

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        self._parser = None  # it has this connection: nobody else would free them
        why = type(exc).__name__ if exc else "closed"
        self._fail(BrokenOffError(why, unasked=not self._begun))

    def ask(self, request: bytes) -> "asyncio.Future[Reply]":
        """The answer to come. Only where ``open`` and nothing else is asked."""
        assert self._transport is not None
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[bytes, bytes] = {}
        self._body = b""
        self._begun = False
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._waiting

    def close(self) -> None:
        """Now; an answer that is waited for never comes."""
        self.open = False
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._waiting is None or self._parser is None:  # nobody asked
            self.close()
            return
        self._begun = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(UnreadableError(str(error) or type(error).__name__))
            self.close()

    def eof_received(self) -> None:
        """An answer without a length ends with the connection, which then closes by itself."""

    # What httptools calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        self._body = self._body + body if self._body else body
        if len(self._body) > BODY_MAX_BYTES:
            raise UnreadableError(f"longer than {BODY_MAX_BYTES} bytes")

    def on_message_complete(self) -> None:
        parser = cast(httptools.HttpResponseParser, self._parser)  # which calls this
        status = parser.get_status_code()
        waiting, self._waiting = self._waiting, None
        if not parser.should_keep_alive():
            self.close()
        self.answers += 1
        if waiting is not None and not waiting.done():
            waiting.set_result(Reply(status, self._headers, self._body))

    def _fail(self, error: Exception) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(error)


@dataclass(frozen=True, slots=True)
class _Origin:
    host: str
    port: int
    tls: bool
    netloc: bytes
    prefix: str

    @staticmethod
    def of(url: str) -> "_Origin":
        parts = urlsplit(url)
        tls = parts.scheme == "https"
        port = parts.port or (443 if tls else 80)
        netloc = parts.netloc.rpartition("@")[2].encode()
        return _Origin(parts.hostname or "", port, tls, netloc, parts.path.rstrip("/"))


class Connections:
    """To one base url, `most` at once; create it inside the event loop."""

    def __init__(self, url: str, most: int, headers: bytes) -> None:
        """`headers`: lines that every request has, each with its line end."""
        self._origin = _Origin.of(url)
        self._headers = b"Host: " + self._origin.netloc + b"\r\n" + headers
        self._free = asyncio.Semaphore(most)
        self._idle: deque[_Connection] = deque()
        self._all: set[_Connection] = set()

    def close(self) -> None:
        """Close all of them."""
        for connection in tuple(self._all):
            connection.close()

    async def ask(self, method: str, path: str, headers: bytes, body: bytes | None) -> Reply:
        """An answer, of whatever status.

        What is safe to repeat is asked again where a kept connection was closed by the other side
        before it had read the request. Raises OSError when no connection can be opened,
        BrokenOffError, and UnreadableError.
        """
        length = b"" if body is None else b"Content-Length: %d\r\n" % len(body)
        line = f"{method} {self._origin.prefix}{path} HTTP/1.1\r\n".encode("latin-1")
        request = b"".join((line, self._headers, headers, length, b"\r\n", body or b""))
        async with self._free:
            while True:
                connection = await self._connected()
                kept = connection.answers > 0
                try:
                    return await self._asked(connection, request)
                except BrokenOffError as error:
                    if not (kept and error.unasked and method == "GET"):
                        raise

    async def _asked(self, connection: _Connection, request: bytes) -> Reply:
        try:
            reply = await connection.ask(request)
        except BaseException:  # given up: its answer may still come, and must not be another's
            connection.close()
            self._all.discard(connection)
            raise
        if connection.open:
            connection.used_s = asyncio.get_running_loop().time()
            self._idle.append(connection)
        else:
            self._all.discard(connection)
        return reply

    async def _connected(self) -> _Connection:
        """The one that was used last, as others may be closed soon; or a new one."""
        loop = asyncio.get_running_loop()
        while self._idle:
            connection = self._idle.pop()
            if connection.open and loop.time() - connection.used_s < IDLE_S:
                return connection
            connection.close()
            self._all.discard(connection)
        to = self._origin
        tls = ssl.create_default_context() if to.tls else None
        _, connection = await loop.create_connection(_Connection, to.host, to.port, ssl=tls)
        self._all.add(connection)
        return connection
