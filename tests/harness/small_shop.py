"""A small shop of three answers, and one path that never gives any; threads of the test."""

import contextlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

NEVER = "/never"


class _Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer is one packet, which no delayed acknowledgement holds up
    ended: threading.Event
    takes_s: float

    def do_GET(self) -> None:
        began_s = time.perf_counter()
        asked_ms = parse_qs(urlsplit(self.path).query).get("ms")
        takes_s = self.takes_s if self.path.startswith("/item") else 0.0
        time.sleep(float(asked_ms[0]) / 1000 if asked_ms else takes_s)
        if self.path.startswith(NEVER):
            self.ended.wait()
        body = b'{"ok": true}'
        self.send_response(404 if self.path.startswith("/missing") else 200)
        self.send_header("Content-Length", str(len(body)))
        if asked_ms:
            took_ms = 1000 * (time.perf_counter() - began_s)
            self.send_header("X-Response-Time", f"{took_ms:.3f}ms")
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextlib.contextmanager
def small_shop(takes_s: float = 0.0) -> Iterator[str]:
    """Its base url; an item takes so long, and anything as many ms as its url says."""
    ended = threading.Event()
    handler = type("Shop", (_Shop,), {"ended": ended, "takes_s": takes_s})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
