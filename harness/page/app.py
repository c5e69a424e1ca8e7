"""What a browser may ask of a run that goes on: its page, what is newer, and to be told of it.

Only under a path that nobody can guess, and only by the names of this machine: a page of another
site, whose name was made to lead here, has neither.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import orjson
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route

from analysis.html.page import following, newer
from analysis.report.document import Document
from harness.generator.handshake import LOOPBACK

HOSTS = [LOOPBACK, "localhost"]
ALIVE_S = 5.0
"""A viewer that is told nothing for so long is told that it was not forgotten."""
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass
class Feed:
    """What is there to be seen; viewers get the newest of it, however slow they are.

    ``now`` is how far the run is, in words and in numbers. ``report`` is the page that stays, once
    it is there. ``viewers`` follow, and ``served`` have fetched that page.
    """

    document: Document
    now: tuple[str, str] = ("", "")
    version: int = 0
    report: bytes | None = None
    viewers: int = 0
    served: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def change(self, **what: object) -> None:
        """Take over what is new, and wake whoever waits for it."""
        for name, value in what.items():
            setattr(self, name, value)
        self.version += "document" in what
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def changed(self, within_s: float) -> None:
        """Wait for the next change, but no longer than so many seconds."""
        try:
            await asyncio.wait_for(self._changed.wait(), within_s)
        except TimeoutError:
            return


def application(feed: Feed, token: str) -> Starlette:
    """Serves a feed below ``/token/``."""

    async def page(_: Request) -> Response:
        if feed.report is None:
            return Response(following(feed.document), headers=_HEADERS, media_type="text/html")
        feed.change(served=feed.served + 1)
        return Response(feed.report, headers=_HEADERS, media_type="text/html")

    async def part(_: Request) -> Response:
        return Response(newer(feed.document), headers=_HEADERS, media_type="text/html")

    async def events(_: Request) -> Response:
        return StreamingResponse(_told(feed), headers=_HEADERS, media_type="text/event-stream")

    routes = [Route("/", page), Route("/newer", part), Route("/events", events)]
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False)
    return Starlette(routes=[Mount(f"/{token}", routes=routes)], middleware=[hosts])


async def _told(feed: Feed) -> AsyncIterator[bytes]:
    """Server-sent events: how far the run is, that there is a newer page, and that it is over."""
    said, seen = ("", ""), -1
    feed.viewers += 1
    try:
        while feed.report is None:
            yield b": alive\n\n"
            if feed.now != said:
                said = feed.now
                yield b"event: now\ndata: %s\n\n" % orjson.dumps(said)
            if feed.version != seen:
                seen = feed.version
                yield b"event: newer\ndata:\n\n"
            await feed.changed(ALIVE_S)
        yield b"event: end\ndata:\n\n"
    finally:
        if feed.report is None:
            feed.viewers -= 1
