"""uvicorn's HTTP protocol with limits to how much a client sends, and how slowly.

A request that arrives in one piece, as nearly all do, costs a look at where its reading stands.
"""

import uuid
from itertools import chain

from uvicorn._types import HTTPScope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from mock_services.kit.errors import error_response

HEAD_MAX_BYTES = 64 * 1024
"""Request line and headers. What comes in one piece with their beginning is read in any case."""
READ_S = 10.0
"""From the first byte of a request to its last; at most twice that. Between two requests a
connection may be idle for as long as uvicorn's keep-alive lets it."""


class _LongHeadError(Exception):
    """Makes the parser stop."""


class BoundedHttp(HttpToolsProtocol):
    """Answers 431 to a head that is too long, and 408 to a request that does not come whole."""

    _head_bytes = 0
    """Of a head in pieces, the first not counted; all of it once it is known to be too long."""
    _piece_bytes = 0
    _watched = False

    def data_received(self, data: bytes) -> None:
        """What the client sent."""
        was_in_head = self._in_head()
        self._piece_bytes = len(data)
        super().data_received(data)
        if not self._is_reading():
            return
        whole_piece = was_in_head and self._in_head()
        self._head_bytes = self._head_bytes + self._piece_bytes if whole_piece else 0
        if self._head_bytes > HEAD_MAX_BYTES:
            self._refuse_head()
        elif not self._watched:
            self._watch()

    def on_headers_complete(self) -> None:
        """The parser has read the head."""
        if self._head_bytes + self._piece_bytes > HEAD_MAX_BYTES:
            self._head_bytes = len(self.url) + sum(map(len, chain.from_iterable(self.headers)))
            if self._head_bytes > HEAD_MAX_BYTES:
                raise _LongHeadError
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """The parser has stopped."""
        if self._head_bytes > HEAD_MAX_BYTES:
            self._refuse_head()
        else:
            self._refuse(400, "BadRequest", msg)

    def _in_head(self) -> bool:
        cycle = self.cycle
        return self.scope is not None and (cycle is None or cycle.scope is not self.scope)

    def _is_reading(self) -> bool:
        """Whether a request has begun and is not whole; an answered one no longer matters."""
        cycle = self.cycle
        if cycle is None or cycle.scope is not self.scope:
            return self.scope is not None
        return cycle.more_body and not cycle.response_complete

    def _watch(self) -> None:
        self._watched = True
        self.loop.call_later(READ_S, self._look, self.scope)

    def _look(self, watched: HTTPScope) -> None:
        """Cut off the request that was being read then, if it still is, through its client."""
        self._watched = False
        if self.transport.is_closing() or not self._is_reading():
            return
        if self.scope is not watched or self.flow.read_paused:
            self._watch()
        else:
            self._refuse(408, "RequestTimeout", f"the request did not come within {READ_S:g} s")

    def _refuse_head(self) -> None:
        text = f"request line and headers are longer than {HEAD_MAX_BYTES} bytes"
        self._refuse(431, "HeadersTooLarge", text)

    def _refuse(self, status: int, error: str, message: str) -> None:
        """Answer in place of an app that has not been asked, and close the connection."""
        response = error_response(status, error, message)
        headers = [
            *self.server_state.default_headers,
            *response.raw_headers,
            (b"x-request-id", f"mock-{uuid.uuid4().hex}".encode()),
            (b"connection", b"close"),
        ]
        lines = (b"%b: %b\r\n" % header for header in headers)
        self.transport.write(b"".join((STATUS_LINE[status], *lines, b"\r\n", response.body)))
        self.transport.close()
