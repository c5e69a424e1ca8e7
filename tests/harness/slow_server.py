"""A server that never gets to the end: one way per name, until it is closed."""

import contextlib
import socket
import threading
from collections.abc import Iterator

DRIP_S = 0.05
OPENINGS = {
    "silent": (b"", b""),
    "drips its head": (b"", b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 100_000),
    "drips its body": (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"#" * 100_000),
    "drips without an end": (b"HTTP/1.1 200 OK\r\n\r\n", b"up 1\n" * 20_000),
    "drips chunks": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"1\r\nx\r\n" * 20_000,
    ),
    "continues": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000),
}
"""What is sent at once, and what byte by byte after it."""


@contextlib.contextmanager
def slow_server(kind: str) -> Iterator[str]:
    """Its base url; nothing of it is left afterwards."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        threads = [threading.Thread(target=_accept, args=(listener, kind, ended))]
        threads[0].start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            ended.set()
            threads[0].join()


def _accept(listener: socket.socket, kind: str, ended: threading.Event) -> None:
    served: list[threading.Thread] = []
    while not ended.is_set():
        with contextlib.suppress(TimeoutError):
            client = listener.accept()[0]
            served.append(threading.Thread(target=_serve, args=(client, kind, ended)))
            served[-1].start()
    for thread in served:
        thread.join()


def _serve(client: socket.socket, kind: str, ended: threading.Event) -> None:
    at_once, dripping = OPENINGS[kind]
    with client, contextlib.suppress(OSError):
        client.sendall(at_once)
        for byte in dripping or bytes(100_000):
            if ended.wait(DRIP_S):
                return
            if dripping:
                client.sendall(bytes([byte]))
