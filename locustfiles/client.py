"""The HTTP/1.1 client of a user: one kept connection per service, and nothing it does not need.

Locust's FastHttpUser took more than half of a worker's CPU for cookie jars, redirects, header
merging and url parsing that the checkout flow has no use for. Connecting (``connecting.py``) and
parsing are still geventhttpclient's; what lies between them is here.

A timeout is a deadline for the whole exchange: connecting, handshake, sending and every read. One
timer in place of one per read costs no more, and a body that drips a byte at a time ends too.
"""

import re
import time
from typing import NamedTuple

from gevent import Timeout
from gevent.socket import socket
from geventhttpclient._parser import HTTPResponseParser  # what their own responses build on
from geventhttpclient.client import IDEMPOTENT_METHODS
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError
from geventhttpclient.url import DEFAULT_PORTS, URL

from locustfiles.compression import plain
from locustfiles.connecting import sockets
from locustfiles.cookies import Cookies
from locustfiles.keepalive import is_usable, is_usable_tls
from locustfiles.redirects import onward
from locustfiles.traffic import Traffic
from recording.access import DIRECT, Access

BLOCK_BYTES = 16 * 1024
MOST_BYTES = 16 * 2**20
"""Of one response, a hundred times the shop's largest: one without end would fill the memory, and
as long as every read is quick no timer gets its turn."""

_ORDINARY = re.compile(
    rb"HTTP/1\.1 (20[0-35-9]|30[0-35-9]|[45]\d\d) [\t -~]*\r\n"
    rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r\n)+\r\n"
)
"""The head of a response (RFC 9112, 4 and 5) whose status may have a body, and folds no line."""
_KEPT = b"\r\nconnection: keep-alive\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,8})[ \t]*\r\n")


class Answer(NamedTuple):
    """What came back; ``status_code`` is 0 and ``error`` says why where nothing did."""

    status_code: int
    content: bytes
    """The body; one of gzip is decompressed."""
    head: bytes
    """As received up to the end of the headers; the block it ended in may hold more."""
    error: Exception | None
    sent_at_s: float
    """Unix time."""
    took_ms: float
    """Until the whole body was here, a connection that had to be opened included."""
    opening_ms: float = 0.0
    """Of that: until it was open, TLS and a proxy's tunnel included; 0 on one that was kept."""
    hops_ms: float = 0.0
    """Of that: redirects that were followed, without opening."""


class Service:
    """A base url that all users of a process share. Verifies certificates of https urls."""

    def __init__(self, base_url: str, timeout_s: float, access: Access = DIRECT) -> None:
        url = URL(base_url)
        if url.scheme not in DEFAULT_PORTS or not url.host:
            raise ValueError(f"{base_url!r} is not an http:// or https:// url")
        self.is_tls = url.scheme == "https"
        port = url.port or DEFAULT_PORTS[url.scheme]
        self.url = base_url
        self.timeout_s = timeout_s
        self.traffic = Traffic()
        self.sockets = sockets(url.host, port, self.traffic, access, tls=self.is_tls)
        host = url.netloc.rpartition("@")[2]
        # A proxy is told the whole url (RFC 9112, 3.2.2); in a tunnel of TLS it is not asked.
        origin = f"http://{host}" if access.proxy and not self.is_tls else ""
        self._path = origin + (url.quoted_uri.rstrip("/") if url.path else "")
        self._fixed = f"Host: {host}\r\nUser-Agent: loadgate\r\n"

    def request(self, method: str, target: str, headers: str, body: bytes = b"") -> bytes:
        """The whole request; ``headers`` are complete lines, each with its CRLF."""
        length = f"Content-Length: {len(body)}\r\n" if body or method == "POST" else ""
        start = f"{method} {self._path}{target} HTTP/1.1\r\n"
        return f"{start}{self._fixed}{headers}{length}\r\n".encode("latin-1") + body


_TRUNCATED = "connection closed before the end of the response"


class TruncatedError(HTTPParseError):
    """The connection ended in the middle of a response."""


class _Response(NamedTuple):
    """The final response to one request."""

    status_code: int
    body: bytes
    head: bytes
    wire_bytes: int
    keep_alive: bool


def _read(source: socket) -> _Response:
    """One response, all of it. Raises OSError and HTTPParseError."""
    block = _receive(source, begun=False)
    return _whole(block) or _Reader().read(block, source)


def _whole(block: bytes) -> _Response | None:
    """Of a block that is one response with nothing out of the ordinary: that, without the parser,
    which calls back for every name and value. None of all others, whatever is the matter.
    """
    found = _ORDINARY.match(block)
    if found is None:
        return None
    head = block[: found.end()].lower().replace(_KEPT, b"\r\n", 1)
    length = _LENGTH.search(head)
    if (
        length is None
        or found.end() + int(length[1]) != len(block)
        or head.count(b"\r\ncontent-length:") != 1
        or b"\r\ntransfer-encoding:" in head
        or b"connection:" in head  # that of a proxy as well
    ):
        return None
    return _Response(int(found[1]), block[found.end() :], block, len(block), keep_alive=True)


def _receive(source: socket, *, begun: bool) -> bytes:
    """A block; what comes before the response has ``begun`` is a closed connection."""
    try:
        block: bytes = source.recv(BLOCK_BYTES)
    except ConnectionResetError as error:
        if begun:
            raise
        raise HTTPConnectionClosed("connection reset before the response") from error
    if not block and not begun:
        raise HTTPConnectionClosed("connection closed before the response")
    return block


class _Reader(HTTPResponseParser):
    """Collects one response; the parser calls the methods that begin with ``_on_``."""

    def __init__(self) -> None:
        super().__init__()
        self.body = bytearray()
        self.head = b""
        self._in_body = False
        self._done = False

    def read(self, block: bytes, source: socket) -> _Response:
        """Until the response is complete, whose first block this is."""
        wire_bytes = 0
        while True:
            wire_bytes += len(block)
            if wire_bytes > MOST_BYTES:
                raise HTTPParseError(f"response of more than {MOST_BYTES} bytes")
            self._take(block)
            if self._done:
                kept = bool(self.should_keep_alive())
                return _Response(self.get_code(), bytes(self.body), self.head, wire_bytes, kept)
            block = _receive(source, begun=True)

    def _take(self, block: bytes) -> None:
        if not self._in_body:
            self.head += block
        try:
            self.feed(block)
        except HTTPParseError as error:
            if block:
                raise
            raise TruncatedError(_TRUNCATED) from error
        if not block and not self._done:
            raise TruncatedError(_TRUNCATED)

    def _on_message_begin(self) -> None:
        if self._done:
            raise HTTPParseError("more than one response to one request")

    def _on_status(self, text: str) -> None:
        pass

    def _on_header_field(self, text: str) -> None:
        pass

    def _on_header_value(self, text: str) -> None:
        pass

    def _on_headers_complete(self) -> None:
        self._in_body = self.get_code() >= 200  # 1xx: the final response is still to come

    def _on_body(self, block: bytearray) -> None:
        self.body += block

    def _on_message_complete(self) -> None:
        self._done = self.get_code() >= 200


class Connection:
    """One user's connection to a service. Opens when needed; not for two greenlets at once."""

    __slots__ = ("_cookies", "_opening_s", "_socket", "service")

    def __init__(self, service: Service, cookies: Cookies | None = None) -> None:
        """``cookies`` are the user's, who may have more connections; None: none are kept."""
        self.service = service
        self._cookies = cookies
        self._socket: socket | None = None
        self._opening_s = 0.0

    def open(self) -> None:
        """Connect unless a usable connection is there. Raises OSError, a late one TimeoutError."""
        deadline = Timeout.start_new(self.service.timeout_s)
        try:
            self._open()
        except Timeout as over:
            raise self._too_late(over, deadline) from None
        finally:
            deadline.close()

    def _open(self) -> None:
        if self._socket is not None and not self._usable(self._socket):
            self.close()
        if self._socket is None:
            began_s = time.perf_counter()
            self._socket = self.service.sockets.get_socket()
            self._opening_s += time.perf_counter() - began_s

    def _usable(self, kept: socket) -> bool:
        return is_usable(kept.fileno()) or (self.service.is_tls and is_usable_tls(kept))

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._socket is not None:
            self.service.traffic.ends(self._socket)
            self.service.sockets.release_socket(self._socket)
            self._socket = None

    def send(
        self, method: str, target: str, headers: str, body: bytes = b"", redirects: int = 0
    ) -> Answer:
        """Ask and wait for the answer; a failure to get one is an answer with its error.

        So many ``redirects`` are followed, within the service; a further one is the answer.
        """
        status, content, head = 0, b"", b""
        error: Exception | None = None
        self._opening_s = hops_s = 0.0
        sent_at_s, began_s = time.time(), time.perf_counter()
        deadline = Timeout.start_new(self.service.timeout_s)
        try:
            response = self._turn(method, target, headers, body)
            if redirects:
                asked = method, target, headers, body
                response, last_s = self._followed(response, asked, redirects)
                hops_s = max(0.0, last_s - began_s - self._opening_s)
            status, content, head = response.status_code, response.body, response.head
        except (OSError, HTTPParseError) as failure:
            error = failure
        except Timeout as over:
            error = self._too_late(over, deadline)
        finally:
            deadline.close()
        took_ms = (time.perf_counter() - began_s) * 1000
        content = plain(head, content, MOST_BYTES)
        self.service.traffic.content_bytes += len(content)
        waited_ms = (self._opening_s * 1000, hops_s * 1000)
        return Answer(status, content, head, error, sent_at_s, took_ms, *waited_ms)

    def _turn(self, method: str, target: str, headers: str, body: bytes) -> _Response:
        """One request and its answer, with the user's cookies."""
        self.service.traffic.requests += 1
        url = self.service.url + target
        if self._cookies is not None:
            headers += self._cookies.header(url)
        request = self.service.request(method, target, headers, body)
        response = self._exchange(request, may_repeat=method in IDEMPOTENT_METHODS)
        if self._cookies is not None:
            self._cookies.keep(url, response.head)
        return response

    def _followed(
        self, response: _Response, asked: tuple[str, str, str, bytes], redirects: int
    ) -> tuple[_Response, float]:
        """What comes after so many redirects, and when the last request was made, s."""
        method, target, headers, body = asked
        at_s = 0.0
        for _ in range(redirects):
            to = onward(response.status_code, response.head, self.service.url, method, target)
            if to is None:
                break
            body = body if to[0] == method else b""
            method, target = to
            at_s = time.perf_counter()
            response = self._turn(method, target, headers, body)
        return response, at_s

    def _too_late(self, over: Timeout, own: Timeout) -> TimeoutError:
        """What a caller gets for the deadline; raises whatever timer was not this exchange's."""
        if over is not own:
            raise over
        return TimeoutError(f"timed out: no whole answer within {self.service.timeout_s:g} s")

    def _exchange(self, request: bytes, *, may_repeat: bool) -> _Response:
        kept = self._socket
        self._open()
        may_repeat = may_repeat and self._socket is kept
        try:
            return self._ask(request)
        except HTTPConnectionClosed:
            # The service may close a kept connection while a request is on its way to it
            # (RFC 9112, 9.3.1). On a new connection that is a failure like any other.
            if not may_repeat:
                raise
        self._open()
        return self._ask(request)

    def _ask(self, request: bytes) -> _Response:
        assert self._socket is not None
        try:
            _send_all(self._socket, request)
            response = _read(self._socket)
            self.service.traffic.wire_bytes += response.wire_bytes
        except BaseException:  # a killed user's too: what is under way must not meet the next one
            self.close()
            raise
        if not response.keep_alive:
            self.service.traffic.closed += 1
            self.close()
        return response


def _send_all(target: socket, request: bytes) -> None:
    try:
        sent = target.send(request)  # nearly always all of it, and cheaper than sendall
        if sent < len(request):
            target.sendall(request[sent:])
    except (BrokenPipeError, ConnectionResetError) as error:
        raise HTTPConnectionClosed("connection closed before the request") from error
