"""One request on its way through a service."""

import asyncio
import time

from starlette.requests import HTTPConnection
from starlette.types import Scope

from mock_services.kit.database import Database

_KEY = "mock_services.kit.call"


class Call:
    """When the request was first seen, how long it is to take, and by what id it goes.

    The drawn latency stands for work that is modelled and not done. What a handler really does
    comes on top, so a slow handler shows. Only what the model contains already, a call to another
    service or the wait for a commit, is taken off (`covers`).
    """

    __slots__ = (
        "_left_s",
        "endpoint",
        "extra_headers",
        "request_id",
        "started_s",
        "status",
        "took_s",
        "trace",
    )

    def __init__(self, request_id: str, trace: bytes = b"") -> None:
        self.started_s = time.perf_counter()
        self._left_s = 0.0
        self.request_id = request_id
        self.trace = trace
        """Lines of W3C Trace Context for whomever it asks, as they came: who records no spans of
        its own passes them on (level 1, 3.3 and 3.5)."""
        self.endpoint = ""
        self.status = 0
        self.took_s = 0.0
        self.extra_headers: tuple[tuple[bytes, bytes], ...] = ()

    @staticmethod
    def of(connection: HTTPConnection) -> "Call":
        """The call that belongs to a request."""
        call = connection.scope[_KEY]
        assert isinstance(call, Call)
        return call

    def attach(self, scope: Scope) -> None:
        """Make this the call of a request."""
        scope[_KEY] = self

    def takes(self, seconds: float) -> None:
        """The modelled work is to take this long from now on."""
        self._left_s = seconds

    def covers(self, seconds: float) -> None:
        """Part of the modelled work has been done for real, in this time."""
        self._left_s -= seconds

    async def rest(self, database: Database | None = None) -> None:
        """Sleep for what is left of the modelled work; afterwards nothing is.

        A database serves it that may have other work as well, and then it takes longer.
        """
        left_s, self._left_s = self._left_s, 0.0
        if left_s > 0:
            await (database.serve(left_s) if database is not None else asyncio.sleep(left_s))

    def elapsed_s(self) -> float:
        """Seconds since the request was seen."""
        return time.perf_counter() - self.started_s
