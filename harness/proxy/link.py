"""A client's connection, and the one to the service that it is handed on to."""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from harness.proxy.toxics import CutError, Pieces, Toxic

Address = tuple[str, int]
MOST_WAITING = 16
"""Pieces held back before the service is no longer read from."""
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, zero seconds


class Link:
    """Requests go straight on; answers too, unless there are toxics to go through."""

    def __init__(
        self,
        upstream: Address,
        on_open: Callable[["Link"], None],
        on_end: Callable[["Link"], None],
    ) -> None:
        self.client, self.server = _Client(self), _Server(self)
        self.arrived_s = 0.0
        self._upstream = upstream
        self._on_open, self._on_end = on_open, on_end
        self._toxics: dict[int, Toxic] = {}
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._delivering = False
        self._asked = False

    def opened(self) -> None:
        """The client is there."""
        self.spawn(self._connect())
        self._on_open(self)

    async def _connect(self) -> None:
        """Find the service; a client whose service is not there is closed."""
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self.server, *self._upstream)
        except OSError:
            self.close()
        else:
            self.client.read_on()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that ends with this connection."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def add(self, number: int, toxic: Toxic) -> None:
        """From now on answers go through this one too."""
        self._toxics[number] = toxic
        self.spawn(toxic.strike(self))

    def lift(self, number: int) -> None:
        """And no longer; nothing happens where it never struck."""
        if toxic := self._toxics.pop(number, None):
            toxic.lift(self)

    def asks(self, data: bytes) -> None:
        """Bytes of a request."""
        self._asked = True
        self.server.write(data)

    def begins_answer(self) -> bool:
        """Whether these are the first bytes since the client asked, which it says only once."""
        asked, self._asked = self._asked, False
        return asked

    def answers(self, data: bytes) -> None:
        """Bytes of an answer; b"" is its end: the service has closed the connection."""
        if data and not self._toxics and not self._delivering:
            self.client.write(data)
            return
        self._waiting.append((asyncio.get_running_loop().time(), data))
        if len(self._waiting) >= MOST_WAITING:
            self.server.read_on(go=False)
        if not self._delivering:
            self._delivering = True
            self.spawn(self._deliver())

    async def _deliver(self) -> None:
        try:
            while self._waiting:
                self.arrived_s, data = self._waiting.popleft()
                await (self._pass_on(data) if data else self._end())
            self.server.read_on()
        except CutError:
            self.close()
        finally:
            self._delivering = False

    async def _pass_on(self, data: bytes) -> None:
        pieces = _only(data)
        for toxic in tuple(self._toxics.values()):
            pieces = toxic.through(self, pieces)
        async for piece in pieces:
            self.client.write(piece)

    async def _end(self) -> None:
        for toxic in tuple(self._toxics.values()):
            await toxic.before_close()
        self.close()

    def close(self) -> None:
        """Both connections, once what was passed on is sent."""
        self.client.close()
        self.server.close()

    def reset(self) -> None:
        """The client's is reset, and the service's closed."""
        self.client.reset()
        self.server.close()

    def ended(self) -> None:
        """The client has gone."""
        self.server.close()
        for task in self._tasks:
            task.cancel()
        self._on_end(self)


async def _only(data: bytes) -> Pieces:
    yield data


class _End(asyncio.Protocol):
    """One of the two connections; a peer that does not read fast enough stops the other one."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def read_on(self, *, go: bool = True) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if go:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()


class _Client(_End):
    """Whoever asks."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.read_on(go=False)  # until the service is there
        self._link.opened()

    def data_received(self, data: bytes) -> None:
        self._link.asks(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._link.ended()

    def pause_writing(self) -> None:
        self._link.server.read_on(go=False)

    def resume_writing(self) -> None:
        self._link.server.read_on()

    def reset(self) -> None:
        if self._transport is not None:
            own = self._transport.get_extra_info("socket")
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._transport.abort()


class _Server(_End):
    """The service."""

    def data_received(self, data: bytes) -> None:
        self._link.answers(data)

    def eof_received(self) -> bool:
        self._link.answers(b"")
        return True  # closed with the client's

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self._link.answers(b"")

    def pause_writing(self) -> None:
        self._link.client.read_on(go=False)

    def resume_writing(self) -> None:
        self._link.client.read_on()
