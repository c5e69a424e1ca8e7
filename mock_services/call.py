"""One request on its way through a service."""

from __future__ import annotations

import asyncio
import time

from starlette.requests import HTTPConnection
from starlette.types import Scope

_KEY = "mock_services.call"


class Call:
    """When the request was first seen, when its answer is due, and by what id it goes."""

    __slots__ = (
        "_due_s",
        "endpoint",
        "extra_headers",
        "request_id",
        "started_s",
        "status",
        "took_s",
    )

    def __init__(self, request_id: str) -> None:
        self.started_s = time.perf_counter()
        self._due_s = self.started_s
        self.request_id = request_id
        self.endpoint = ""
        self.status = 0
        self.took_s = 0.0
        self.extra_headers: tuple[tuple[bytes, bytes], ...] = ()

    @staticmethod
    def of(connection: HTTPConnection) -> Call:
        """The call that belongs to a request."""
        call = connection.scope[_KEY]
        assert isinstance(call, Call)
        return call

    def attach(self, scope: Scope) -> None:
        """Make this the call of a request."""
        scope[_KEY] = self

    def due_in(self, seconds: float, *, counted_from_s: float | None = None) -> None:
        """The whole endpoint, everything included, is to take this long."""
        self._due_s = (self.started_s if counted_from_s is None else counted_from_s) + seconds

    def waited(self, seconds: float) -> None:
        """Time in a queue comes on top of the endpoint's own time."""
        self._due_s += seconds

    async def rest(self) -> None:
        """Sleep until the answer is due; at once when that has passed."""
        left_s = self._due_s - time.perf_counter()
        if left_s > 0:
            await asyncio.sleep(left_s)

    def elapsed_s(self) -> float:
        """Seconds since the request was seen."""
        return time.perf_counter() - self.started_s
