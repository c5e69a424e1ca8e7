"""A server that says exactly what a test tells it to, one list of replies per connection."""

import contextlib
import itertools
import socket
import threading
from collections.abc import Iterator
from typing import Self

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Response-Time: 28ms\r\n\r\n{}"
SILENCE = None
"""Read the request and never answer, until the client hangs up."""


class ScriptedServer:
    """Answers each connection's requests with its replies, then closes it."""

    def __init__(self, *connections: list[bytes | None]) -> None:
        self._script = connections
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.requests: list[bytes] = []
        self.connections = 0
        self.closed = [threading.Event() for _ in connections]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes a pending accept
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        for replies, closed in zip(self._script, self.closed, strict=True):
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                for reply in replies:
                    self.requests.append(connection.recv(65536))
                    connection.sendall(reply) if reply is not SILENCE else connection.recv(1)
            closed.set()


def pieces(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    """The data, cut at these places."""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in itertools.pairwise(places):
        yield data[start:end]
