"""The proxy that faults below HTTP are made with.

    python -m harness.proxy.serve HOST KEY:PORT=HOST:PORT...

The first PORT is the proxy's own, 0 any that is free. Its first line on stdout has the port that
stands for each service. After that it reads one order a line from stdin and answers each with a
line, once it is carried out; it ends when stdin does, so with whoever started it.
"""

import asyncio
import json
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any

from harness.proxy.link import Address, Link
from harness.proxy.toxics import Toxic, maker

BACKLOG = 8192
LONGEST_ORDER = 2**16


class Door:
    """Stands for one service: takes its connections, and hands them on to it."""

    def __init__(self, where: Address, upstream: Address) -> None:
        self._upstream = upstream
        self._links: set[Link] = set()
        self._makers: dict[int, Callable[[], Toxic | None]] = {}
        self._server: asyncio.Server | None = None
        # Bound and not listening it keeps the port while the door is shut: no one else gets it.
        self._holder = _bound(where)
        self.address: Address = self._holder.getsockname()

    async def open(self) -> None:
        """Take connections."""
        listener = _bound(self.address)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, sock=listener, backlog=BACKLOG)

    def shut(self) -> None:
        """Take none (they are refused), and close those that are there."""
        if self._server is not None:
            self._server.close()
        for link in tuple(self._links):
            link.close()

    def _accept(self) -> asyncio.Protocol:
        return Link(self._upstream, self._opened, self._links.discard).client

    def _opened(self, link: Link) -> None:
        self._links.add(link)
        for number, make in self._makers.items():
            if toxic := make():
                link.add(number, toxic)

    async def add(
        self, number: int, kind: str, attributes: dict[str, Any], toxicity: float
    ) -> None:
        """Begin a fault."""
        if kind == "down":
            self.shut()
            return
        make = self._makers[number] = maker(kind, attributes, toxicity)
        for link in tuple(self._links):
            if toxic := make():
                link.add(number, toxic)

    async def remove(self, number: int) -> None:
        """End it."""
        if self._makers.pop(number, None) is None:
            await self.open()
        for link in tuple(self._links):
            link.lift(number)


def _bound(address: Address) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind(address)
    return made


async def _serve(doors: dict[str, Door]) -> None:
    for door in doors.values():
        await door.open()
    _say({key: door.address[1] for key, door in doors.items()})
    orders = asyncio.StreamReader(LONGEST_ORDER)
    protocol = asyncio.StreamReaderProtocol(orders)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while line := await orders.readline():
        order = json.loads(line)
        door = doors[order.pop("door")]
        await (door.add(**order) if "kind" in order else door.remove(**order))
        _say(order)


def _say(what: object) -> None:
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


def main(words: Sequence[str]) -> None:
    """Serve until stdin ends."""
    host, *services = words
    asyncio.run(_serve(dict(_door(host, service) for service in services)))


def _door(host: str, text: str) -> tuple[str, Door]:
    here, _, there = text.partition("=")
    key, _, port = here.partition(":")
    upstream, _, its = there.rpartition(":")
    return key, Door((host, int(port)), (upstream, int(its)))


if __name__ == "__main__":
    main(sys.argv[1:])
